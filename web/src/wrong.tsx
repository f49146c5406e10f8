// SPDX-License-Identifier: Apache-2.0
// Which field of a plan the server's error means: it is marked there, and says
// what is wrong with it.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { sentence } from "./format";

export interface Wrong {
  id: string; // of the control
  text: string;
}

const GATES: Record<string, string> = {
  confirmed_percent: "confirmed", min_sample: "sample", soak_s: "soak",
  max_failed_percent: "failed", min_failed: "min-failed",
};

const FIELDS: Record<string, string> = {
  name: "name", rate_per_hour: "rate", max_downloads: "downloads",
  priority: "priority", min_battery_percent: "battery", deadline: "deadline",
  start_at: "start-at", "retry.attempts": "attempts",
  "retry.quarantine_s": "quarantine", "target.channel": "channel",
  "target.include": "include", "target.exclude": "exclude",
};

/** "stages[0]: gates: soak_s must be ..." -> "stages[0].gates.soak_s" and
 * "must be ..." */
function placeOf(message: string): { path: string; text: string } {
  const parts = message.split(": ");
  const path: string[] = [];
  while (parts.length > 1 && /^[a-z_]*(\[\d+\])?$/.test(parts[0] ?? "")) {
    path.push(parts.shift() ?? "");
  }
  const rest = parts.join(": ");
  const named = /^(\[\d+\]|[a-z_]+) (must .*)$/s.exec(rest);
  if (named && named[1] !== "plan") {
    path.push(named[1] ?? "");
  }
  return { path: path.join(".").replace(/\.\[/g, "["),
    text: named?.[2] ?? rest };
}

function fieldAt(path: string): string | undefined {
  const stage = /^stages\[(\d+)\](?:\.gates\.(\w+))?/.exec(path);
  if (stage) {
    const id = `stage-${Number(stage[1]) + 1}`;
    return stage[2] ? `${id}-${GATES[stage[2]] ?? ""}` : id;
  }
  const gate = /^gates\.(\w+)$/.exec(path);
  if (gate) {
    return `gates-${GATES[gate[1] ?? ""] ?? ""}`;
  }
  const window = /^windows\[(\d+)\]/.exec(path);
  return window ? `window-${Number(window[1]) + 1}`
    : FIELDS[path.replace(/\[\d+\]$/, "")];
}

export function wrongOf(message: string | undefined): Wrong | null {
  const { path, text } = placeOf(message ?? "");
  const id = fieldAt(path);
  const part = /^windows\[\d+\]\.(\w+)$/.exec(path)?.[1]; // one of three
  const whole = part ? `${part} ${text}`
    : /_s$/.test(path) && /\d$/.test(text) ? `${text} seconds` : text;
  return id ? { id, text: sentence(whole) } : null;
}

const Place = createContext<Wrong | null>(null);

/** Around a form: which of its fields is wrong. */
export const WrongField = Place.Provider;

/** What is wrong with this one. */
export function useWrong(id: string): string | null {
  const wrong = useContext(Place);
  return wrong?.id === id ? wrong.text : null;
}

/** Of a control: is it wrong, and what describes it? */
export const marks = (id: string, wrong: string | null | undefined,
  hint = false) => ({
  "aria-invalid": wrong ? true : undefined,
  "aria-describedby": [wrong && `${id}-wrong`, hint && `${id}-hint`]
    .filter(Boolean).join(" ") || undefined,
});

/** `urgent`: nothing else says so. */
export function WrongText({ id, text, urgent }: {
  id: string; text: string | null | undefined; urgent?: boolean;
}) {
  return text ? (
    <p class="field-error" id={`${id}-wrong`}
      role={urgent ? "alert" : undefined}>{text}</p>
  ) : null;
}

/** A field that the browser refuses cannot take the focus while its part of
 * the form is folded, and then nothing would happen at all. */
export function unfoldInvalid(e: Event): void {
  const field = e.target instanceof Element ? e.target : null;
  for (let part = field?.closest("details"); part;
    part = part.parentElement?.closest("details")) {
    part.open = true;
  }
}
