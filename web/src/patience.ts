// SPDX-License-Identifier: Apache-2.0
// A server that is busy (429 and 503, code "busy") is asked again by itself:
// not before it says so, more seldom each time, and not by all pages at once.
import { ApiError } from "./api";

const MOST_MS = 30_000; // between two tries, unless the server asks for more
const LONGEST_MS = 3_600_000;
const TRYING = "trying-again";

const isBusy = (fault: unknown): fault is ApiError =>
  fault instanceof ApiError && fault.code === "busy"
  && (fault.status === 429 || fault.status === 503);

/** What `patiently` tells while it waits: no failure, and not the end. */
export const isTrying = (fault: ApiError | null): boolean =>
  fault?.code === TRYING;

/** How long to leave it alone after the `tries`-th busy answer (from 0). */
export function pauseMs(
  retryAfter: number | null, tries: number, dice = Math.random(),
): number {
  const least = Math.min((retryAfter ?? 1) * 1000, LONGEST_MS);
  const grown = Math.min(1000 * 2 ** tries, MOST_MS);
  return Math.max(least, grown) * (1 + dice / 2);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      window.clearTimeout(timer);
      reject(new DOMException("no longer wanted", "AbortError"));
    };
    const timer = window.setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Asks until the server has time for it; `told` of each time it has not. */
export async function patiently<T>(
  ask: () => Promise<T>, signal: AbortSignal, told: (fault: ApiError) => void,
): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (fault) {
      if (!isBusy(fault) || signal.aborted) {
        throw fault;
      }
      told(new ApiError(fault.status, TRYING,
        "The server answers other long questions first.", fault.retryAfter));
      await sleep(pauseMs(fault.retryAfter, tries), signal);
    }
  }
}
