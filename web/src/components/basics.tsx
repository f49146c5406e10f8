// SPDX-License-Identifier: Apache-2.0
// The small words of the page: cards, times, sizes, errors, copying.
import {
  cloneElement, isValidElement, toChildArray, type ComponentChildren, type JSX,
  type VNode,
} from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { bytes, dateTime, duration, relative, sentence } from "../format";
import { useNow } from "../hooks";
import { isTrying } from "../patience";
import { navigated } from "../router";
import { marks, useWrong, WrongText } from "../wrong";
import { Icon, type IconName } from "./Icon";

type Children = { children?: ComponentChildren };

interface CardProps extends Children {
  title?: ComponentChildren;
  aside?: ComponentChildren; // right of the title
  tone?: "plain" | "attention" | "danger";
  flush?: boolean; // no padding: a table
  class?: string;
  id?: string;
}

export function Card(p: CardProps) {
  const kind = `card ${p.tone && p.tone !== "plain" ? `card-${p.tone}` : ""}
    ${p.flush ? "card-flush" : ""} ${p.class ?? ""}`;
  return (
    <section class={kind} id={p.id}>
      {(p.title || p.aside) && (
        <header class="card-head">
          {p.title && <h2>{p.title}</h2>}
          {p.aside && <div class="card-aside">{p.aside}</div>}
        </header>
      )}
      {p.children}
    </section>
  );
}

interface HeadProps extends Children {
  title: ComponentChildren;
  above?: ComponentChildren; // where it belongs: a link back
  actions?: ComponentChildren;
}

/** The head of a page: its h1, which takes the focus when the page opens. */
export function PageHead(p: HeadProps) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (navigated()) {
      head.current?.focus({ preventScroll: true });
    }
  }, []);
  return (
    <header class="page-head">
      <div class="page-head-text">
        {p.above && <div class="above">{p.above}</div>}
        <h1 tabIndex={-1} ref={head}>{p.title}</h1>
        {p.children && <div class="page-sub">{p.children}</div>}
      </div>
      {p.actions && <div class="actions">{p.actions}</div>}
    </header>
  );
}

interface ButtonProps extends Children {
  onClick?: () => void;
  kind?: "plain" | "primary" | "danger" | "quiet";
  icon?: IconName;
  disabled?: boolean;
  busy?: boolean;
  type?: "button" | "submit";
  label?: string; // for screen readers, when there is only an icon
  small?: boolean;
  title?: string;
  expanded?: boolean;
}

export function Button(p: ButtonProps) {
  return (
    <button
      type={p.type ?? "button"}
      class={`button button-${p.kind ?? "plain"} ${p.small ? "small" : ""}
        ${p.children ? "" : "icon-only"}`}
      onClick={p.onClick}
      disabled={p.disabled || p.busy}
      aria-busy={p.busy}
      aria-label={p.label}
      aria-expanded={p.expanded}
      title={p.title}
    >
      {p.icon && <Icon name={p.icon} />}
      {p.children}
    </button>
  );
}

export function RelativeTime({ time }: { time: number | null | undefined }) {
  const now = useNow(time && Date.now() / 1000 - time < 90 ? 1000 : 15_000);
  if (!time) {
    return <span class="muted">never</span>;
  }
  return (
    <time dateTime={new Date(time * 1000).toISOString()}
      title={dateTime(time)}>
      {relative(time, now)}
    </time>
  );
}

export const Duration = ({ seconds }: { seconds: number }) =>
  <span class="nums">{duration(seconds)}</span>;

export const Bytes = ({ n }: { n: number }) =>
  <span class="nums" title={`${n} bytes`}>{bytes(n)}</span>;

/** An id, a digest: short, whole in its tooltip, copied by its button. */
export function Digest({ hex, n = 8, copy = true }:
  { hex: string; n?: number; copy?: boolean }) {
  return (
    <span class="digest">
      <code title={hex}>{hex.slice(0, n)}</code>
      {copy && <CopyButton text={hex} label="Copy it whole" />}
    </span>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed here (a page without TLS): by a selection, as of old.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label = "Copy" }:
  { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setDone(false), 1500);
    return () => window.clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" class="copy" title={label}
      aria-label={done ? "Copied" : label}
      onClick={() => void copyText(text).then(setDone)}>
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}

/** A command to copy. */
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <pre tabIndex={0}><code>{text}</code></pre>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}

interface EmptyProps extends Children {
  title: string;
  icon?: IconName;
  commands?: string[];
}

/** Nothing here yet: what it would be, and the commands that bring it. */
export function Empty(p: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={p.icon ?? "knot"} />
      <h3>{p.title}</h3>
      {p.children && <div class="empty-text">{p.children}</div>}
      {p.commands?.map((text) => <Command key={text} text={text} />)}
    </div>
  );
}

/** A remark that one should not overlook. */
export function Note({ children }: Children) {
  return (
    <div class="note"><Icon name="alert" /><p>{children}</p></div>
  );
}

export function ErrorBox({ error, retry }:
  { error: ApiError | null; retry?: () => void }) {
  if (!error) {
    return null;
  }
  if (isTrying(error)) {
    return (
      <div class="note note-plain" role="status">
        <Icon name="clock" />
        <p><strong>Busy, trying again.</strong> {error.message}</p>
      </div>
    );
  }
  return (
    <div class="error-box" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{error.status === 403 ? "Not allowed"
          : error.status === 404 ? "Not found"
          : error.status === 0 ? "No connection" : "That did not work"}
        </strong>
        <p>{sentence(error.message)}</p>
      </div>
      {retry && <Button small onClick={retry}>Try again</Button>}
    </div>
  );
}

export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => <span key={i} />)}
    </div>
  );
}

/** Term and value pairs. */
export function Facts({ items }: {
  items: [string, ComponentChildren][];
}) {
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One number large, with what it is. */
export function Figure(p: {
  value: ComponentChildren; label: ComponentChildren;
  note?: ComponentChildren; href?: string;
}) {
  const inner = (
    <>
      <span class="figure-value">{p.value}</span>
      <span class="figure-label">{p.label}</span>
      {p.note && <span class="figure-note">{p.note}</span>}
    </>
  );
  return p.href ? <a class="figure" href={p.href}>{inner}</a>
    : <div class="figure">{inner}</div>;
}

interface FieldProps extends Children {
  label: string;
  hint?: ComponentChildren;
  error?: string | null;
  for: string; // id of the control
}

export function Field(p: FieldProps) {
  const said = useWrong(p.for);
  const wrong = p.error ?? said;
  return (
    <div class={`field ${wrong ? "field-bad" : ""}`}>
      <label for={p.for}>{p.label}</label>
      {toChildArray(p.children).map((child) =>
        isValidElement(child) && (child.props as { id?: string }).id === p.for
          ? cloneElement(child as VNode<object>,
            marks(p.for, wrong, Boolean(p.hint))) : child)}
      {p.hint && <p class="hint" id={`${p.for}-hint`}>{p.hint}</p>}
      <WrongText id={p.for} text={wrong} urgent={Boolean(p.error)} />
    </div>
  );
}

/** A box with words behind it. */
export function Check(p: {
  id: string; checked: boolean; onChange: (on: boolean) => void;
  children: ComponentChildren; disabled?: boolean;
}) {
  return (
    <label class="check" for={p.id}>
      <input type="checkbox" id={p.id} checked={p.checked}
        disabled={p.disabled}
        onChange={(e) => p.onChange(e.currentTarget.checked)} />
      <span>{p.children}</span>
    </label>
  );
}

export interface Choice<V extends string> {
  value: V;
  label: ComponentChildren;
}

/** One of a few, side by side: radio buttons that look like a switch. */
export function Segmented<V extends string>(p: {
  name: string; legend: string; value: V; choices: Choice<V>[];
  onChange: (value: V) => void;
}) {
  return (
    <fieldset class="segmented">
      <legend class="sr-only">{p.legend}</legend>
      {p.choices.map(({ value, label }) => (
        <label key={value}>
          <input type="radio" name={p.name} value={value}
            checked={p.value === value}
            onChange={() => p.onChange(value)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export type SubmitEvent = JSX.TargetedEvent<HTMLFormElement>;
