// SPDX-License-Identifier: Apache-2.0
// Line icons, 16 by 16, drawn here: no font, no request.
const PATHS = {
  fleet: "M2 8h3l2-5 3 10 2-5h2",
  rollouts: "M2 4h12M2 8h8M2 12h4",
  devices: "M4 2.5h8v11H4zM7 11h2",
  releases: "M8 2 3 4.5v7L8 14l5-2.5v-7zM3 4.5 8 7l5-2.5M8 7v7",
  audit: "M4 2h8v12H4zM6.5 5.5h3M6.5 8h3M6.5 10.5h2",
  settings: "M2 5h6M11 5h3M2 11h3M8 11h6M9.5 3.5v3M6.5 9.5v3",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  back: "M6 3 2.5 6.5 6 10M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  bar: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4.5 8h7",
  ring: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3",
  dot: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5z",
  clock: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3.2l2 1.3",
  dash: "M4.5 8h7",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8M8 6.3a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  alert: "M8 2.5 14.5 13.5h-13zM8 6.5v3M8 11.3v.4",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14",
  next: "M6 3.5 10.5 8 6 12.5",
  previous: "M10 3.5 5.5 8l4.5 4.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10 8 5.5 12.5 10",
  plus: "M8 3v10M3 8h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  sun: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5",
  screen: "M2 3h12v8H2zM6 13.5h4",
  user: "M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M3 13.5c.5-2.7 2.5-4 5-4s4.5 1.3 5 4",
  out: "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
  filter: "M2 4h12M4.5 8h7M6.5 12h3",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  help: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.3 6.3C6.4 5.3 7 4.8 8 4.8s1.7.6 1.7 1.5c0 1.3-1.7 1.3-1.7 2.6M8 11.2v.1",
  key: "M10.5 2.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8.3 7.7 2.5 13.5M4 12l1.5 1.5",
  download: "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10",
  trash: "M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  chip: "M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14",
  shield: "M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4z",
  hook: "M5 10a3 3 0 1 0 3 3h4M11 6.5a3 3 0 1 0-4.5 2L4.5 12M8 4.5l2.5 4.5A3 3 0 1 1 10 14",
  bolt: "M9 2 4 9h4l-1 5 5-7H8z",
  knot: "M5 2v6a3.5 3.5 0 1 0 3.5-3.5H3M8.5 8v6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, title }: { name: IconName; title?: string }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16"
      aria-hidden={title ? undefined : "true"} role={title ? "img" : undefined}>
      {title && <title>{title}</title>}
      <path d={PATHS[name]} />
    </svg>
  );
}
