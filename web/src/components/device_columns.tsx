// SPDX-License-Identifier: Apache-2.0
// The columns that a table of devices may have.
import type { Device } from "../types";
import { sentence } from "../format";
import { href } from "../router";
import { Digest, RelativeTime } from "./basics";
import { Icon } from "./Icon";
import { Pill } from "./Pill";
import type { Column } from "./Table";

export type ColumnKey =
  | "product" | "state" | "version" | "slot" | "tries" | "hardware"
  | "channel" | "tags" | "network" | "battery" | "why" | "last_seen" | "id";

/** 37% of a download. */
export function progressOf(d: Device): string {
  return d.progress && d.progress.total > 0
    ? `${Math.floor((100 * d.progress.done) / d.progress.total)}%` : "";
}

export function DeviceState({ device: d }: { device: Device }) {
  const state = d.silent ? "silent" : d.state;
  return (
    <span class="device-state">
      <Pill state={state} />
      {state === "downloading" && <span class="muted nums">{progressOf(d)}
      </span>}
      {state === "waiting" && d.wait && <span class="muted">{d.wait}</span>}
    </span>
  );
}

export function Battery({ device: d }: { device: Device }) {
  if (d.battery === null || d.battery === undefined) {
    return <span class="muted">{d.power ? "mains" : "–"}</span>;
  }
  const low = d.battery < 20 && !d.power;
  return (
    <span class={`battery nums ${low ? "battery-low" : ""}`}>
      <span class="battery-box" aria-hidden="true">
        <span style={{ width: `${d.battery}%` }} />
      </span>
      {d.battery}%{d.power ? <Icon name="bolt" title="on mains" />
        : low ? <span class="sr-only"> low</span> : ""}
    </span>
  );
}

const dash = <span class="muted">–</span>;

export const OPTIONAL: (Column<Device> & { key: ColumnKey })[] = [
  { key: "product", title: "Product", cell: (d) => d.product },
  { key: "state", title: "State", sort: true,
    cell: (d) => <DeviceState device={d} /> },
  { key: "version", title: "Version", sort: true,
    cell: (d) => d.version || dash },
  { key: "slot", title: "Slot", cell: (d) => d.slot ?? dash },
  { key: "tries", title: "Tries left", right: true,
    cell: (d) => d.tries ?? dash },
  { key: "hardware", title: "Hardware", sort: true, cell: (d) => d.hardware || dash },
  { key: "channel", title: "Channel", sort: true, cell: (d) => d.channel || "stable" },
  { key: "tags", title: "Tags", cell: (d) => (
    <span class="tags">{d.tags.map((t) => <span class="tag" key={t}>{t}</span>)}
    </span>) },
  { key: "network", title: "Network", cell: (d) => d.network ?? dash },
  { key: "battery", title: "Battery", sort: true, cell: (d) => <Battery device={d} /> },
  { key: "why", title: "Why", wide: true,
    cell: (d) => <span class="why-cell">{sentence(d.why)}</span> },
  { key: "last_seen", title: "Seen", sort: true, right: true, shrink: true,
    cell: (d) => <RelativeTime time={d.last_seen} /> },
  { key: "id", title: "Id", cell: (d) => <Digest hex={d.id} /> },
];

export const deviceColumns = (chosen: ColumnKey[]): Column<Device>[] => [
  { key: "name", title: "Name", main: true, sort: true, cell: (d) =>
    <a href={href("devices", d.id)}>{d.name || d.id.slice(0, 12)}</a> },
  ...OPTIONAL.filter((c) => chosen.includes(c.key)),
];
