// SPDX-License-Identifier: Apache-2.0
// Which devices? A query, with its error at the character where it is, and
// help that can be clicked into it.
import { useRef } from "preact/hooks";
import { sentence } from "../format";
import { Icon } from "./Icon";

const NAMES = [
  "hardware", "version", "tag", "channel", "name", "id", "state", "slot",
  "sequence",
];
const EXAMPLES: [string, string][] = [
  ['hardware = "rev-b"', "one hardware revision"],
  ["tag = lab", "devices with this tag"],
  ["not tag = vip", "all but those with it"],
  ["version < 1.4.0", "what runs something older"],
  ['region in (eu, "us-east")', "an attribute that devices report"],
  ['name ~ "kitchen-*"', "a pattern: * and ?"],
];

/** "... query: character 9: no such operator" */
export function queryError(message: string | undefined):
  { at: number; text: string } | null {
  const found = /query: (?:character (\d+): )?(.*)$/s.exec(message ?? "");
  return found
    ? { at: Number(found[1] ?? 0), text: found[2] ?? "" } : null;
}

function Where({ text, at }: { text: string; at: number }) {
  const letters = [...text];
  if (at < 1 || at > letters.length + 1) {
    return null;
  }
  return (
    <pre class="query-where" aria-hidden="true">
      {letters.slice(Math.max(0, at - 36), at - 1).join("")}
      <mark>{letters[at - 1] ?? " "}</mark>
      {letters.slice(at, at + 24).join("")}
    </pre>
  );
}

function Help({ put }: { put: (text: string) => void }) {
  return (
    <details class="help">
      <summary><Icon name="help" />How to say which devices</summary>
      <div class="help-body">
        <p>
          Compare with <code>=</code> <code>!=</code> <code>&lt;</code>{" "}
          <code>&lt;=</code> <code>&gt;</code> <code>&gt;=</code>,{" "}
          <code>~</code> for patterns and <code>in (a, b)</code>; join with{" "}
          <code>and</code>, <code>or</code>, <code>not</code> and parentheses.
          Names: {NAMES.map((name) => <code key={name}>{name}</code>)} and
          every attribute that devices report. What a device has not told makes
          a comparison false.
        </p>
        <ul class="examples">
          {EXAMPLES.map(([text, says]) => (
            <li key={text}>
              <button type="button" onClick={() => put(text)}>
                <code>{text}</code></button>
              <span class="muted">{says}</span>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}

export function QueryField(p: {
  value: string; onChange: (text: string) => void;
  error: { at: number; text: string } | null;
}) {
  const box = useRef<HTMLTextAreaElement>(null);
  const put = (text: string) => {
    const now = p.value.trim();
    p.onChange(now === "" ? text : `${now} and ${text}`);
    box.current?.focus();
  };
  return (
    <div class={`field ${p.error ? "field-bad" : ""}`}>
      <label for="query">Which of them</label>
      <textarea id="query" ref={box} rows={2} class="mono" spellcheck={false}
        autocapitalize="none" autocomplete="off"
        placeholder="every device of the product" value={p.value}
        aria-invalid={p.error !== null}
        aria-describedby={p.error ? "query-error" : undefined}
        onInput={(e) => p.onChange(e.currentTarget.value)} />
      {p.error && (
        <div class="query-error" id="query-error" role="alert">
          <Where text={p.value} at={p.error.at} />
          <p class="field-error">{p.error.at > 0
            && `Character ${p.error.at}: `}{p.error.at > 0 ? p.error.text
            : sentence(p.error.text)}</p>
        </div>
      )}
      <Help put={put} />
    </div>
  );
}
