// SPDX-License-Identifier: Apache-2.0
// A question over the page: the browser's own <dialog>, that keeps the focus
// inside, ends with Escape and gives the focus back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type Touches } from "../api";
import { sentence } from "../format";
import { asError } from "../hooks";
import { Button, ErrorBox, Skeleton } from "./basics";
import { toast } from "./Toast";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, wide }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = box.current;
    dialog?.showModal();
    return () => {
      dialog?.close(); // before that nothing outside takes the focus
      if (before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
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
  preview?: { path: string; method: "GET" | "POST"; body?: unknown };
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
    const asked = preview.method === "GET"
      ? api.get<Touches>(preview.path)
      : api.post<Touches>(preview.path, preview.body);
    asked.then(setTouches, (fault: unknown) => {
      if (fault instanceof ApiError) {
        setError(fault);
      }
    });
  }, [preview?.path]);
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
    <Dialog title={p.title} onClose={p.onClose}>
      {preview && !touches && !error && <Skeleton lines={2} />}
      {touches && <p class="touches">{sentence(touches.sentence)}</p>}
      <ErrorBox error={error} />
      {p.children}
      <footer>
        <Button onClick={p.onClose}>Cancel</Button>
        <Button kind={p.danger ? "danger" : "primary"} busy={busy}
          disabled={p.disabled || (preview !== undefined && !touches && !error)}
          onClick={() => void act()}>{p.button}</Button>
      </footer>
    </Dialog>
  );
}
