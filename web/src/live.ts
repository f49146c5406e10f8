// SPDX-License-Identifier: Apache-2.0
// Server-sent events. They say only what has changed; pages fetch it anew
// (hooks.ts). One connection for the page, closed while nobody looks at it: a
// browser has few connections to one server. Without a stream the page polls.
import { useEffect, useState } from "preact/hooks";

export type Topic =
  | "rollout" | "release" | "device" | "fleet" | "audit" | "session";

export interface Notice {
  topic: Topic | "reset";
  data: Record<string, unknown>;
}

export type LiveState = "connecting" | "live" | "polling" | "lost";

const TOPICS: Topic[] =
  ["rollout", "release", "device", "fleet", "audit", "session"];
const POLL_MS = 10_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 30_000;

type Listener = (notice: Notice) => void;

const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let source: EventSource | null = null;
let state: LiveState = "connecting";
let fresh = 0; // Date.now() of the last answer
let wanted = false;
let focus: { device?: string; rollout?: number } = {};
let retryMs = RETRY_FIRST_MS;
let retryTimer = 0;
let pollTimer = 0;

function tell(): void {
  watchers.forEach((watch) => watch());
}

function setState(next: LiveState): void {
  if (next !== state) {
    state = next;
    tell();
  }
}

/** An answer has come: what is shown is this fresh. */
export function noteFresh(): void {
  const silent = Date.now() - fresh < 500;
  fresh = Date.now();
  if (state === "lost") {
    setState(source?.readyState === EventSource.OPEN ? "live" : "polling");
  }
  if (!silent) {
    tell();
  }
}

export function noteLost(): void {
  setState("lost");
}

function publish(notice: Notice): void {
  [...listeners].forEach((listen) => listen(notice));
}

/** Everything is fetched anew. */
export function refreshAll(): void {
  publish({ topic: "reset", data: {} });
}

function receive(topic: Notice["topic"], event: MessageEvent<string>): void {
  let data: Record<string, unknown> = {};
  try {
    data = JSON.parse(event.data || "{}") as Record<string, unknown>;
  } catch {
    // an event whose data we cannot read still says that something changed
  }
  publish({ topic, data });
}

function close(): void {
  source?.close();
  source = null;
  window.clearTimeout(retryTimer);
  window.clearInterval(pollTimer);
  pollTimer = 0;
}

function poll(): void {
  if (pollTimer === 0) {
    pollTimer = window.setInterval(refreshAll, POLL_MS);
  }
}

function address(): string {
  const words = new URLSearchParams();
  if (focus.device) {
    words.set("device", focus.device);
  }
  if (focus.rollout) {
    words.set("rollout", String(focus.rollout));
  }
  const text = words.toString();
  return text ? `/api/v1/stream?${text}` : "/api/v1/stream";
}

function open(): void {
  close();
  if (!wanted || document.visibilityState === "hidden") {
    return;
  }
  const stream = new EventSource(address());
  source = stream;
  stream.onopen = () => {
    retryMs = RETRY_FIRST_MS;
    window.clearInterval(pollTimer);
    pollTimer = 0;
    setState("live");
    // What changed between the pages' fetching and now was not told.
    refreshAll();
  };
  stream.onerror = () => {
    // Also when the browser would try again itself: it does so forever, at
    // one pace, and without telling.
    stream.close();
    setState(state === "lost" ? "lost" : "polling");
    poll();
    retryTimer = window.setTimeout(open, retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, RETRY_MOST_MS);
  };
  for (const topic of [...TOPICS, "reset" as const]) {
    stream.addEventListener(topic, (event) =>
      receive(topic, event as MessageEvent<string>));
  }
}

/** Called with the session: no session, no stream. */
export function liveStart(): void {
  wanted = true;
  state = "connecting";
  open();
}

export function liveStop(): void {
  wanted = false;
  close();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    close();
  } else if (wanted) {
    open();
    refreshAll();
  }
});

/** The notices of this device, or rollout, are wanted while a page shows it. */
export function useFocus(next: { device?: string; rollout?: number }): void {
  useEffect(() => {
    focus = next;
    open();
    return () => {
      focus = {};
      open();
    };
  }, [next.device, next.rollout]);
}

export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** For the indicator: how the page is connected, and since when it is fresh. */
export function useLive(): { state: LiveState; fresh: number } {
  const [, render] = useState(0);
  useEffect(() => {
    const watch = () => render((n) => n + 1);
    watchers.add(watch);
    return () => {
      watchers.delete(watch);
    };
  }, []);
  return { state, fresh };
}
