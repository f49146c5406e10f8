// SPDX-License-Identifier: Apache-2.0
// The devices that have decided, by outcome, page by page; and those that the
// rollout waits for.
import { useEffect, useState } from "preact/hooks";
import { segment, withQuery } from "../api";
import type { List, Outcome, Rollout } from "../api";
import { count, number, sentence } from "../format";
import { useResource } from "../hooks";
import { href, replaceQuery, type Route } from "../router";
import { Card, ErrorBox, RelativeTime, Skeleton } from "./basics";
import { Pill } from "./Pill";
import { Pager, Table, type Column } from "./Table";

/** "": those that did not keep it. */
const TABS = ["", "returned", "failed", "refused", "confirmed"] as const;
const LIMIT = 25;

const COLUMNS: Column<Outcome>[] = [
  { key: "name", title: "Device", main: true, cell: (o) => (
    <a href={href("devices", o.id)}>{o.name || o.id.slice(0, 8)}</a>
  ) },
  { key: "outcome", title: "Outcome", cell: (o) => <Pill state={o.outcome} /> },
  { key: "reason", title: "Reason", cell: (o) => o.outcome === "confirmed"
    ? <span class="muted">–</span> : (
      <span class="reason">
        <span>{sentence(o.meaning)}</span>
        <code>{o.code}</code>
      </span>
    ) },
  { key: "reset", title: "Last reset", cell: (o) => o.reset
    && o.reset !== "unknown" ? o.reset : "–" },
  { key: "version", title: "Runs", cell: (o) => o.version || "–" },
  { key: "when", title: "When", cell: (o) => <RelativeTime time={o.when} /> },
];

function Awaited({ rollout }: { rollout: Rollout }) {
  const waiting = rollout.waiting_for;
  if (!waiting || waiting.count === 0) {
    return null;
  }
  const more = waiting.count - waiting.devices.length;
  return (
    <details class="awaited">
      <summary>
        Waits for {count(waiting.count, "device")} that {
          waiting.count === 1 ? "has" : "have"} not been seen
      </summary>
      <ul>
        {waiting.devices.map((d) => (
          <li key={d.id}>
            <a href={href("devices", d.id)}>{d.name || d.id}</a>
            <span class="muted">{d.why}{d.last_seen ? ", last seen " : ""}
              {d.last_seen && <RelativeTime time={d.last_seen} />}</span>
          </li>
        ))}
        {more > 0 && <li class="muted">and {number(more)} more</li>}
      </ul>
    </details>
  );
}

function Tabs({ rollout, shown }: { rollout: Rollout; shown: string }) {
  const c = rollout.counts;
  const counts: Record<string, number> = { confirmed: c.confirmed,
    returned: c.returned, failed: c.failed, refused: c.refused,
    "": c.returned + c.failed + c.refused };
  return (
    <nav class="tabs tabs-in-card" aria-label="Devices by outcome">
      {TABS.map((tab) => (
        <a key={tab} href={href("rollouts", rollout.id,
          { outcome: tab || "lost" })}
          aria-current={tab === shown ? "page" : undefined}
          onClick={(e) => {
            e.preventDefault();
            replaceQuery({ outcome: tab || "lost" });
          }}>
          {tab === "" ? "Did not keep it" : tab.charAt(0).toUpperCase() + tab.slice(1)}
          <span class="tab-n nums">{number(counts[tab] ?? 0)}</span>
        </a>
      ))}
    </nav>
  );
}

export function RolloutDevices({ rollout, route }:
  { rollout: Rollout; route: Route }) {
  const c = rollout.counts;
  const usual = c.returned + c.failed + c.refused > 0 ? "" : "confirmed";
  const wish = route.query.get("outcome") ?? usual;
  const shown = wish === "lost" ? ""
    : (TABS as readonly string[]).includes(wish) ? wish : usual;
  const [trail, setTrail] = useState<(string | number)[]>([]);
  useEffect(() => setTrail([]), [shown]);
  const after = trail[trail.length - 1];
  const list = useResource<List<Outcome>>(
    withQuery(`/rollouts/${segment(rollout.id)}/devices`,
      { outcome: shown, limit: LIMIT, after }),
    { on: ["rollout", "fleet"], everyMs: 2000,
      match: (n) => n.topic === "fleet" || n.data.id === rollout.id });
  const rows = list.data?.items ?? [];
  const next = list.data?.next ?? null;
  return (
    <Card title="Devices" flush id="devices" aside={
      <a href={href("devices", { rollout: rollout.id })}>
        All in the device list</a>}>
      <Tabs rollout={rollout} shown={shown} />
      <div class="card-part"><Awaited rollout={rollout} /></div>
      {list.error && <div class="card-part">
        <ErrorBox error={list.error} retry={list.reload} /></div>}
      {list.loading && <div class="card-part"><Skeleton /></div>}
      {list.data && rows.length === 0 && (
        <p class="card-part muted">{shown === ""
          ? rollout.counts.confirmed > 0
            ? "Every device that has decided kept it."
            : "No device has decided yet."
          : `No device has ${shown}.`}</p>
      )}
      {rows.length > 0 && (
        <Table label="Devices of the rollout" rows={rows} columns={COLUMNS}
          rowKey={(o) => o.id} />
      )}
      {(next !== null || trail.length > 0) && (
        <Pager shown={rows.length} what="devices" first={trail.length === 0}
          last={next === null} onFirst={() => setTrail([])}
          onBack={() => setTrail(trail.slice(0, -1))}
          onNext={() => next !== null && setTrail([...trail, next])} />
      )}
    </Card>
  );
}
