// SPDX-License-Identifier: Apache-2.0
// Dark or light: the system's, unless one was chosen here.
export type Theme = "system" | "light" | "dark";

const KEY = "bowline-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

export function chosenTheme(): Theme {
  try {
    const text = window.localStorage.getItem(KEY);
    return text === "light" || text === "dark" ? text : "system";
  } catch {
    return "system"; // storage may be forbidden
  }
}

export const isDark = (): boolean =>
  chosenTheme() === "system" ? dark.matches : chosenTheme() === "dark";

export function applyTheme(): void {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  watchers.forEach((watch) => watch());
}

export function chooseTheme(theme: Theme): void {
  try {
    if (theme === "system") {
      window.localStorage.removeItem(KEY);
    } else {
      window.localStorage.setItem(KEY, theme);
    }
  } catch {
    // it holds until the page is left
  }
  applyTheme();
}

/** Charts draw colours themselves. */
export function watchTheme(watch: () => void): () => void {
  watchers.add(watch);
  return () => watchers.delete(watch);
}

dark.addEventListener("change", applyTheme);
