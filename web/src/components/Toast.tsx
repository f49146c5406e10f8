// SPDX-License-Identifier: Apache-2.0
// Short notices at the edge of the page; a bad one stays until it is read.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./Icon";
import { sentence } from "../format";

export type ToastTone = "good" | "bad" | "plain";

interface Entry {
  id: number;
  text: string;
  tone: ToastTone;
}

let entries: Entry[] = [];
let next = 1;
let render: (() => void) | null = null;

function change(list: Entry[]): void {
  entries = list;
  render?.();
}

const dismiss = (id: number): void =>
  change(entries.filter((entry) => entry.id !== id));

export function toast(text: string, tone: ToastTone = "plain"): void {
  const id = next++;
  change([...entries.slice(-3), { id, text, tone }]);
  if (tone !== "bad") {
    window.setTimeout(() => dismiss(id), 5000);
  }
}

export function Toasts() {
  const [, setRound] = useState(0);
  useEffect(() => {
    render = () => setRound((n) => n + 1);
    return () => {
      render = null;
    };
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {entries.map((entry) => (
        <div key={entry.id} class={`toast toast-${entry.tone}`}>
          <Icon name={entry.tone === "bad" ? "alert" : "check"} />
          <span>{entry.tone === "bad" ? sentence(entry.text)
            : entry.text}</span>
          <button type="button" aria-label="Dismiss"
            onClick={() => dismiss(entry.id)}><Icon name="cross" /></button>
        </div>
      ))}
    </div>
  );
}
