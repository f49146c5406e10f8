// SPDX-License-Identifier: Apache-2.0
// The look of each state, in one place: a tone (colour), a shape and a word.
// Never a colour alone; returned is neither success nor failure.
export type Tone =
  | "good" | "returned" | "bad" | "refused" | "silent" | "busy" | "wait"
  | "none";

export type Shape =
  | "check" | "back" | "cross" | "bar" | "ring" | "dot" | "pause" | "clock"
  | "dash" | "eye";

export interface Look {
  tone: Tone;
  shape: Shape;
  word: string;
}

const LOOKS: Record<string, Look> = {
  // devices
  idle: { tone: "none", shape: "dash", word: "idle" },
  untouched: { tone: "none", shape: "dash", word: "not yet" },
  offered: { tone: "busy", shape: "dot", word: "offered" },
  downloading: { tone: "busy", shape: "dot", word: "downloading" },
  verifying: { tone: "busy", shape: "dot", word: "verifying" },
  installing: { tone: "busy", shape: "dot", word: "installing" },
  rebooting: { tone: "busy", shape: "dot", word: "rebooting" },
  testing: { tone: "busy", shape: "dot", word: "testing" },
  confirmed: { tone: "good", shape: "check", word: "confirmed" },
  returned: { tone: "returned", shape: "back", word: "returned" },
  failed: { tone: "bad", shape: "cross", word: "failed" },
  refused: { tone: "refused", shape: "bar", word: "refused" },
  silent: { tone: "silent", shape: "ring", word: "silent" },
  quarantined: { tone: "wait", shape: "clock", word: "quarantined" },
  // several of these together
  lost: { tone: "wait", shape: "cross", word: "did not keep it" },
  // rollouts
  approval: { tone: "wait", shape: "eye", word: "needs approval" },
  scheduled: { tone: "wait", shape: "clock", word: "scheduled" },
  running: { tone: "busy", shape: "dot", word: "running" },
  paused: { tone: "wait", shape: "pause", word: "paused" },
  aborted: { tone: "silent", shape: "bar", word: "aborted" },
  finished: { tone: "good", shape: "check", word: "finished" },
  // patches
  queued: { tone: "wait", shape: "clock", word: "queued" },
  making: { tone: "busy", shape: "dot", word: "being made" },
  ready: { tone: "good", shape: "check", word: "ready" },
  useless: { tone: "none", shape: "dash", word: "too large" },
  withdrawn: { tone: "silent", shape: "bar", word: "withdrawn" },
  // stages, gates
  done: { tone: "good", shape: "check", word: "done" },
  passed: { tone: "good", shape: "check", word: "passed" },
  waiting: { tone: "wait", shape: "clock", word: "waiting" },
  failing: { tone: "bad", shape: "cross", word: "failing" },
};

export const look = (state: string): Look =>
  LOOKS[state] ?? { tone: "none", shape: "dash", word: state };

/** What a rollout's devices are in, in the order of their way. */
export const FUNNEL = [
  "offered", "waiting", "downloading", "verifying", "installing", "rebooting",
  "testing",
] as const;
export const OUTCOMES = [
  "confirmed", "returned", "failed", "refused", "silent",
] as const;
export const DEVICE_STATES = [
  "idle", "offered", "waiting", "downloading", "verifying", "installing",
  "rebooting", "testing", "confirmed", "returned", "failed", "refused",
] as const;

/** var(--tone-good) and so on, in style.css. */
export const toneColor = (tone: Tone): string => `var(--tone-${tone})`;
