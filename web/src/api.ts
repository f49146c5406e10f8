// SPDX-License-Identifier: Apache-2.0
// The one way to the server: fetch with errors that say what to do, and with
// the CSRF header on what changes anything. The types: types.ts.
import { noteFresh } from "./live";
import type { Session } from "./types";

export * from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: the server was not reached
    readonly code: string,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

let csrf = "";
let onSignedOut: () => void = () => undefined;

/** The session of the page begins or ends here: session.tsx calls it. */
export function useSession(session: Session | null): void {
  csrf = session?.csrf ?? "";
}

export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

async function readError(answer: Response): Promise<ApiError> {
  let code = `http-${answer.status}`;
  let message = `The server answered ${answer.status}.`;
  try {
    const body = (await answer.json()) as {
      error?: { code?: string; message?: string };
    };
    code = body.error?.code ?? code;
    message = body.error?.message ?? message;
  } catch {
    // not JSON: the status says it
  }
  const wait = Number(answer.headers.get("Retry-After"));
  return new ApiError(answer.status, code, message, wait > 0 ? wait : null);
}

async function send(
  method: string, path: string, body: unknown, signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-Bowline-CSRF"] = csrf;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal,
    });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === "AbortError") {
      throw fault;
    }
    throw new ApiError(0, "unreachable",
      "The server cannot be reached. The page tries again by itself.");
  }
}

async function call<T>(
  method: string, path: string, body?: unknown, signal?: AbortSignal,
): Promise<T> {
  const answer = await send(method, path, body, signal);
  if (!answer.ok) {
    const fault = await readError(answer);
    if (fault.status === 401 && !path.startsWith("/session")) {
      onSignedOut();
    }
    throw fault;
  }
  const text = await answer.text();
  noteFresh();
  return (text === "" ? null : JSON.parse(text)) as T;
}

export const api = {
  get: <T>(path: string, signal?: AbortSignal) =>
    call<T>("GET", path, undefined, signal),
  post: <T = unknown>(path: string, body: unknown = {}, signal?: AbortSignal) =>
    call<T>("POST", path, body, signal),
  patch: <T = unknown>(path: string, body: unknown) =>
    call<T>("PATCH", path, body),
  put: <T = unknown>(path: string, body: unknown) => call<T>("PUT", path, body),
  remove: <T = unknown>(path: string) => call<T>("DELETE", path),
};

/** "/devices" and {state: "failed", after: undefined} -> "/devices?state=..." */
export function withQuery(
  path: string,
  query: Record<string, string | number | boolean | null | undefined>,
): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") {
      words.set(name, String(value));
    }
  }
  const text = words.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** One path segment of whatever the user or a device named so. */
export const segment = (name: string | number): string =>
  encodeURIComponent(String(name));
