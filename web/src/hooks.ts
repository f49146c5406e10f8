// SPDX-License-Identifier: Apache-2.0
// What pages use: data of the server that stays fresh, and actions.
import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "./api";
import { patiently } from "./patience";
import { noteLost, subscribe, type Notice, type Topic } from "./live";
import { toast } from "./components/Toast";

export interface Resource<T> {
  data: T | null; // the last answer stays while the next is fetched
  error: ApiError | null;
  loading: boolean; // the first answer is not there yet
  reload: () => void;
}

interface Wish {
  on?: Topic[]; // notices that make it stale
  match?: (notice: Notice) => boolean; // of these, only such
  everyMs?: number; // at most so often; 1000
  post?: unknown; // a body: POST instead of GET (a preview)
}

const AGAIN_MS = 3000; // after an answer that was none

export const asError = (fault: unknown): ApiError =>
  fault instanceof ApiError
    ? fault
    : new ApiError(0, "page", fault instanceof Error
      ? fault.message : String(fault));

/**
 * GET `path` (null: nothing yet), fetched anew when the server says that it
 * changed: the first notice at once, a storm of them at most each second.
 */
export function useResource<T>(
  path: string | null, wish: Wish = {},
): Resource<T> {
  const [data, setData] = useState<{ path: string; value: T } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  const body = wish.post === undefined ? null : JSON.stringify(wish.post);
  const latest = useRef(wish);
  latest.current = wish;
  const trying = useRef(false); // the server is busy; it is asked again

  useEffect(() => {
    if (path === null) {
      return;
    }
    const stop = new AbortController();
    let again = 0;
    trying.current = false;
    const ask = () => body === null
      ? api.get<T>(path, stop.signal)
      : api.post<T>(path, JSON.parse(body), stop.signal);
    patiently(ask, stop.signal, (fault) => {
      trying.current = true;
      setError(fault);
    }).then(
      (value) => {
        if (!stop.signal.aborted) {
          trying.current = false;
          setData({ path, value });
          setError(null);
        }
      },
      (fault: unknown) => {
        if (stop.signal.aborted) {
          return;
        }
        trying.current = false;
        const said = asError(fault);
        if (said.status === 0) {
          noteLost();
        }
        if (said.status === 0 || said.status >= 500) {
          again = window.setTimeout(() => setRound((n) => n + 1), AGAIN_MS);
        }
        setError(said);
      });
    return () => {
      window.clearTimeout(again);
      stop.abort();
    };
  }, [path, body, round]);

  useEffect(() => {
    let timer = 0;
    let last = 0;
    const stop = subscribe((notice) => {
      const { on = [], match, everyMs = 1000 } = latest.current;
      const meant = notice.topic === "reset" ||
        (on.includes(notice.topic) && (!match || match(notice)));
      if (!meant || timer !== 0) {
        return;
      }
      const wait = Math.max(60, last + everyMs - Date.now());
      timer = window.setTimeout(() => {
        timer = 0;
        if (trying.current) {
          return; // news do not make a busy server less so
        }
        last = Date.now();
        setRound((n) => n + 1);
      }, wait);
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, []);

  const value = data !== null && (data.path === path || body !== null)
    ? data.value : null;
  return {
    data: value,
    error,
    loading: value === null && error === null && path !== null,
    reload: useCallback(() => setRound((n) => n + 1), []),
  };
}

/**
 * Runs `work` once at a time; what it throws is shown as a toast. Returns
 * whether it was done.
 */
export function useAction(): [
  boolean,
  (work: () => Promise<unknown>, done?: string) => Promise<boolean>,
] {
  const [busy, setBusy] = useState(false);
  const run = useCallback(
    async (work: () => Promise<unknown>, done?: string) => {
      setBusy(true);
      try {
        await work();
        if (done) {
          toast(done, "good");
        }
        return true;
      } catch (fault) {
        toast(asError(fault).message, "bad");
        return false;
      } finally {
        setBusy(false);
      }
    }, []);
  return [busy, run];
}

/** `value`, once it has not changed for a while: typing. */
export function useSettled<T>(value: T, ms = 300): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), ms);
    return () => window.clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** Renders again each `ms`: relative times. */
export function useNow(ms = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), ms);
    return () => window.clearInterval(timer);
  }, [ms]);
  return now / 1000;
}

/** For a row of tabs that is wider than a phone: the current one is seen. */
export function useCurrentInView(current: unknown): RefObject<HTMLElement> {
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    const tab = row.current?.querySelector("[aria-current=page]");
    if (row.current && tab) {
      const outer = row.current.getBoundingClientRect();
      const inner = tab.getBoundingClientRect();
      row.current.scrollLeft += inner.left + inner.width / 2
        - outer.left - outer.width / 2;
    }
  }, [current]);
  return row;
}
