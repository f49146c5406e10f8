// SPDX-License-Identifier: Apache-2.0
// How many confirmed, returned and failed over time. Small rollouts tell each
// device's time; of large ones the fleet's history tells who runs the release.
import { useMemo } from "preact/hooks";
import { segment, withQuery } from "../api";
import type { FleetHistory, List, Outcome, Rollout } from "../api";
import { number } from "../format";
import { useNow, useResource } from "../hooks";
import type { Notice } from "../live";
import { Card } from "./basics";
import { Chart, type Series } from "./Chart";

const MOST = 1000;
const POINTS = 160;
const KINDS = [
  { outcome: "confirmed", color: "--fill-good" },
  { outcome: "returned", color: "--fill-returned" },
  { outcome: "failed", color: "--fill-bad" },
  { outcome: "refused", color: "--fill-refused" },
] as const;

const timeOf = (o: Outcome): number => o.when ?? 0;

/** How many of `sorted` are at or before each of `times`. */
function cumulated(sorted: number[], times: number[]): number[] {
  let at = 0;
  return times.map((t) => {
    while (at < sorted.length && (sorted[at] ?? 0) <= t) {
      at++;
    }
    return at;
  });
}

function curves(outcomes: Outcome[], from: number, to: number): {
  times: number[]; series: Series[];
} {
  const points = Math.min(POINTS, to - from);
  const step = (to - from) / points;
  const times = Array.from({ length: points + 1 }, (_, i) =>
    Math.round(from + i * step));
  const series = KINDS.map(({ outcome, color }) => {
    const when = outcomes.filter((o) => o.outcome === outcome)
      .map(timeOf).sort((a, b) => a - b);
    return { label: outcome, color, values: cumulated(when, times),
      any: when.length > 0 };
  }).filter((s) => s.any || s.label === "confirmed");
  return { times, series };
}

function FromOutcomes({ rollout, list }:
  { rollout: Rollout; list: Outcome[] }) {
  const now = useNow(10_000);
  const over = rollout.state === "finished" || rollout.state === "aborted";
  const last = list.reduce((most, o) => Math.max(most, timeOf(o)), 0);
  const from = Math.min(rollout.started ?? rollout.created,
    ...list.map(timeOf).filter((t) => t > 0)) - 1;
  const to = over ? Math.max(last, rollout.changed) : Math.max(now, last);
  const until = Math.ceil(Math.max(to, from + 10));
  const drawn = useMemo(() => curves(list, from, until),
    [list, from, Math.round(until / 10)]);
  return <Chart times={drawn.times} series={drawn.series} height={200}
    label="Devices by outcome over time" />;
}

function FromHistory({ rollout }: { rollout: Rollout }) {
  const history = useResource<FleetHistory>(withQuery("/fleet/history", {
    product: rollout.product, from: rollout.started, points: POINTS,
  }), { on: ["fleet"], everyMs: 15_000 });
  const values = history.data?.series
    .find((s) => s.version === rollout.version)?.values;
  if (!history.data || !values || values.length < 2) {
    return <p class="muted">No history yet: it is written each five minutes.
    </p>;
  }
  return <Chart times={history.data.times} height={200}
    label={`Devices that run ${rollout.version}`}
    series={[{ label: `run ${rollout.version}`, color: "--fill-good",
      values }]} />;
}

export function Progress({ rollout }: { rollout: Rollout }) {
  const c = rollout.counts;
  const decided = c.confirmed + c.returned + c.failed + c.refused;
  const small = decided <= MOST;
  const wish = { on: ["rollout" as const, "fleet" as const], everyMs: 3000,
    match: (n: Notice) => n.topic === "fleet" || n.data.id === rollout.id };
  const path = small && decided > 0
    ? `/rollouts/${segment(rollout.id)}/devices?limit=${MOST}` : null;
  const lost = useResource<List<Outcome>>(path, wish);
  const kept = useResource<List<Outcome>>(path
    && `${path}&outcome=confirmed`, wish);
  const all = useMemo(() => lost.data && kept.data
    ? [...lost.data.items.filter((o) => o.outcome !== "confirmed"),
      ...kept.data.items] : null, [lost.data, kept.data]);
  if (decided === 0 || !rollout.started) {
    return null;
  }
  return (
    <Card title={small ? "Over time" : `Devices that run ${rollout.version}`}
      aside={<span class="nums">{number(c.confirmed)} confirmed</span>}>
      {!small ? <FromHistory rollout={rollout} />
        : all && <FromOutcomes rollout={rollout} list={all} />}
    </Card>
  );
}
