// SPDX-License-Identifier: Apache-2.0
// Addresses are #/page/part?name=value: what a page shows is in its address,
// so that it can be sent to a colleague.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  parts: string[]; // "#/devices/abc" -> ["devices", "abc"]
  query: URLSearchParams;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

export function readRoute(hash = window.location.hash): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const parts = path.split("/").filter((part) => part !== "").map(decoded);
  return { parts, query: new URLSearchParams(query) };
}

type Query = Record<string, string | number | boolean | null | undefined>;

/** href("devices", id) -> "#/devices/..."; the last may be the query. */
export function href(...words: (string | number | Query)[]): string {
  const parts: string[] = [];
  const query = new URLSearchParams();
  for (const word of words) {
    if (typeof word === "object") {
      for (const [name, value] of Object.entries(word)) {
        if (value !== undefined && value !== null && value !== "" &&
            value !== false) {
          query.set(name, String(value));
        }
      }
    } else {
      parts.push(encodeURIComponent(String(word)));
    }
  }
  const text = query.toString();
  return `#/${parts.join("/")}${text ? `?${text}` : ""}`;
}

export function go(...words: (string | number | Query)[]): void {
  window.location.hash = href(...words);
}

/** Changes the address without a step in the browser's history. */
export function replaceQuery(changes: Query): void {
  const { parts, query } = readRoute();
  const all: Query = Object.fromEntries(query);
  const next = href(...parts, { ...all, ...changes });
  window.history.replaceState(null, "", next);
  window.dispatchEvent(new Event("hashchange"));
}

let changes = 0;
window.addEventListener("hashchange", () => changes++);

/** Is this another page than the one that was loaded? Then its title takes
 * the focus, as a loaded page's would. */
export const navigated = (): boolean => changes > 0;

export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute());
  useEffect(() => {
    const changed = () => setRoute(readRoute());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
