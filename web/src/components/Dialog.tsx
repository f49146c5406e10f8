// SPDX-License-Identifier: Apache-2.0
// A question over the page: the browser's own <dialog>, that keeps the focus
// inside, ends with Escape and gives the focus back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type Touches } from "../api";
import { sentence } from "../format";
import { asError } from "../hooks";
import { isTrying, patiently } from "../patience";
import { Button, ErrorBox, Note, Skeleton } from "./basics";
import { toast } from "./Toast";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
  danger?: boolean; // Enter at once must not do it
}

/** The first field; else what one most likely wants, or the way out. */
function focusFirst(dialog: HTMLDialogElement, danger: boolean): void {
  const field = danger ? null : dialog.querySelector<HTMLElement>(
    "input:not([type=file]), select, textarea");
  const buttons = [...dialog.querySelectorAll<HTMLButtonElement>(
    "footer button:not(:disabled)")];
  (field ?? (danger ? buttons[0] : buttons[buttons.length - 1]))?.focus();
}

const lost = (): boolean => document.activeElement === null
  || document.activeElement === document.body;

/** To what opened it; when that goes, as its state has gone, to the heading. */
function giveBack(before: Element | null): void {
  const heading = () => {
    if (lost()) {
      document.querySelector<HTMLElement>("h1")?.focus();
    }
  };
  if (before instanceof HTMLElement && before.isConnected) {
    before.focus();
  }
  heading();
  const watch = new MutationObserver(heading);
  watch.observe(document.body, { childList: true, subtree: true });
  window.setTimeout(() => watch.disconnect(), 5000);
}

export function Dialog(
  { title, onClose, children, wide, danger }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = box.current;
    dialog?.showModal();
    if (dialog) {
      focusFirst(dialog, danger ?? false);
    }
    return () => {
      dialog?.close(); // before that nothing outside takes the focus
      giveBack(before);
    };
  }, []);
  return (
    <dialog ref={box} class={`dialog ${wide ? "dialog-wide" : ""}`}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onClick={(e) => {
        if (e.target === box.current) {
          onClose();
        }
      }}>
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <Button kind="quiet" icon="cross" label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  button: string; // what it does, as a verb
  danger?: boolean;
  /** GET or POST of this says whom it touches, before it does. */
  preview?: { path: string; method: "GET" | "POST"; body?: unknown;
    fresh?: string }; // another one: ask again
  children?: ComponentChildren;
  disabled?: boolean;
  done?: string; // toast
  work: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks first: whom does it touch? */
export function Confirm(p: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [touches, setTouches] = useState<Touches | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const preview = p.preview;
  useEffect(() => {
    if (!preview) {
      return;
    }
    const stop = new AbortController();
    patiently(() => preview.method === "GET"
      ? api.get<Touches>(preview.path, stop.signal)
      : api.post<Touches>(preview.path, preview.body, stop.signal),
    stop.signal, setError).then((said) => {
      if (!stop.signal.aborted) {
        setTouches(said);
        setError(null);
      }
    }, (fault: unknown) => {
      if (!stop.signal.aborted && fault instanceof ApiError) {
        setTouches(null);
        setError(fault);
      }
    });
    return () => stop.abort();
  }, [preview?.path, preview?.fresh, JSON.stringify(preview?.body)]);
  // What goes wrong is said here: a toast would be under the dialog.
  const act = async () => {
    setBusy(true);
    setError(null);
    try {
      await p.work();
      if (p.done) {
        toast(p.done, "good");
      }
      p.onClose();
    } catch (fault) {
      setError(asError(fault));
      setBusy(false);
    }
  };
  return (
    <Dialog title={p.title} onClose={p.onClose} danger={p.danger}>
      <form class="dialog-form" onSubmit={(e) => {
        e.preventDefault();
        void act();
      }}>
      {preview && !touches && !error && <Skeleton lines={2} />}
      {touches && <p class="touches">{sentence(touches.sentence)}</p>}
      {touches?.warnings?.map((text) =>
        <Note key={text}>{sentence(text)}</Note>)}
      <ErrorBox error={error} />
      {p.children}
      <footer>
        <Button onClick={p.onClose}>Cancel</Button>
        <Button kind={p.danger ? "danger" : "primary"} busy={busy}
          type="submit" disabled={p.disabled
            || (preview !== undefined && !touches
              && (!error || isTrying(error)))}>
          {p.button}</Button>
      </footer>
      </form>
    </Dialog>
  );
}
