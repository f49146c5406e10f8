// SPDX-License-Identifier: Apache-2.0
// Numbers, times and sizes as people read them.
const whole = new Intl.NumberFormat("en");

export const number = (n: number): string => whole.format(n);

/** 3 devices, 1 device */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${number(n)} ${n === 1 ? one : many}`;

export function percent(part: number, all: number): string {
  if (all === 0) {
    return "–";
  }
  const share = (100 * part) / all;
  if (part > 0 && share < 0.1) {
    return "<0.1%";
  }
  if (part < all && share > 99.9) {
    return ">99.9%";
  }
  return `${share < 10 || (share > 99 && share < 100)
    ? share.toFixed(1).replace(/\.0$/, "") : Math.round(share)}%`;
}

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (n >= 1000 && at < units.length - 1) {
    n /= 1000;
    at++;
  }
  return `${at === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[at]}`;
}

const STEPS: [number, string][] =
  [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** 1 d 4 h, 12 min 30 s, 40 s: the two largest parts. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [size, unit] of STEPS) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) {
      parts.push(`${n} ${unit}`);
    }
    if (parts.length === 2 || (parts.length === 1 && n === 0)) {
      break;
    }
  }
  return parts.join(" ") || "0 s";
}

/** The largest part alone. */
export function shortDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  for (const [size, unit] of STEPS) {
    if (s >= size) {
      return `${Math.floor(s / size)} ${unit}`;
    }
  }
  return "0 s";
}

export function relative(time: number, now: number): string {
  const away = Math.round(now - time);
  if (Math.abs(away) < 5) {
    return "now";
  }
  return away > 0
    ? `${shortDuration(away)} ago` : `in ${shortDuration(-away)}`;
}

const stamp = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit",
});
const seconds = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const day = new Intl.DateTimeFormat("en-GB", {
  month: "short", day: "numeric",
});

export const dateTime = (time: number): string =>
  stamp.format(new Date(time * 1000));
export const timeOfDay = (time: number): string =>
  clock.format(new Date(time * 1000));
export const timeWithSeconds = (time: number): string =>
  seconds.format(new Date(time * 1000));
export const dayOfYear = (time: number): string =>
  day.format(new Date(time * 1000));

/** The first characters of an id or digest. */
export const short = (hex: string, n = 8): string => hex.slice(0, n);

/** "sentence" -> "Sentence." */
export function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return upper === "" || /[.!?:]$/.test(upper) ? upper : `${upper}.`;
}
