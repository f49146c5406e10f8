// SPDX-License-Identifier: Apache-2.0
// How many did not keep it, how sure that is, why, and who was the first.
import type { Reason, Rollout, TimelineItem } from "../api";
import { count, duration, number, sentence } from "../format";
import { useResource } from "../hooks";
import { segment } from "../api";
import { href } from "../router";
import { look } from "../states";
import { BarChart, type Amount } from "./BarChart";
import { Card, RelativeTime } from "./basics";
import { Pill } from "./Pill";
import { Table, type Column } from "./Table";
import { GATE_DEFAULTS } from "../plan";

/** One place behind the point below 10%, where it matters. */
const whole = (share: number): string => {
  const n = share * 100;
  return `${n < 9.95 ? n.toFixed(1).replace(/\.0$/, "") : Math.round(n)}%`;
};

function ceilingOf(r: Rollout): number {
  const gate = r.stages[r.stage]?.gates.find((g) => g.name === "failed");
  return (gate?.wanted ?? r.plan?.gates?.max_failed_percent
    ?? GATE_DEFAULTS.max_failed_percent) / 100;
}

/** One line: what the numbers say, and what they do not. */
export function explainFailures(r: Rollout): string {
  const { failures, sample, low, high } = r.failure;
  const ceiling = ceilingOf(r);
  if (sample === 0) {
    return "No device has decided yet: nothing is known of this release here.";
  }
  if (ceiling >= 1) {
    return `${number(failures)} of ${count(sample, "device")} did not keep ` +
      "it; failures do not stop this stage.";
  }
  const range = `between ${whole(low)} and ${whole(high)}`;
  if (failures === 0) {
    return `None of ${count(sample, "device")} failed. Of all devices, ` +
      `up to ${whole(high)} still may: the more decide, the surer it is.`;
  }
  const seen = `${number(failures)} of ${count(sample, "device")} did not ` +
    `keep it. Of all devices that means ${range}`;
  if (low >= ceiling) {
    return `${seen}: above the ceiling of ${whole(ceiling)} for sure.`;
  }
  if (failures / sample >= ceiling) {
    return `${seen}: too few have decided to say whether that is above the ` +
      `ceiling of ${whole(ceiling)}.`;
  }
  return high < ceiling
    ? `${seen}: below the ceiling of ${whole(ceiling)} for sure.`
    : `${seen}; what was seen is below the ceiling of ${whole(ceiling)}.`;
}

/** The range on a scale that ends a little above what matters. */
export function FailureRange({ rollout }: { rollout: Rollout }) {
  const { failures, sample, low, high } = rollout.failure;
  const ceiling = ceilingOf(rollout);
  const seen = sample === 0 ? 0 : failures / sample;
  const end = [0.1, 0.2, 0.3, 0.5, 1].find((step) =>
    step >= Math.max(high, ceiling * 1.25) - 1e-9) ?? 1;
  const at = (share: number) => `${Math.min(100, (100 * share) / end)}%`;
  const tone = sample === 0 ? "none" : low >= ceiling ? "bad"
    : failures > 0 && seen >= ceiling ? "wait" : "good";
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * end);
  return (
    <div class={`range tone-${tone}`} role="img" aria-label={
      `Share that did not keep it: ${whole(seen)} seen, between ${whole(low)
      } and ${whole(high)} likely, ceiling ${whole(ceiling)}`}>
      <div class="range-track">
        {ceiling < 1 && (
          <span class="range-over" style={{ left: at(ceiling) }} />
        )}
        {sample > 0 && (
          <span class="range-span" style={{
            left: at(low), width: `calc(${at(high)} - ${at(low)})`,
          }} />
        )}
        {sample > 0 && <span class="range-seen" style={{ left: at(seen) }} />}
        {ceiling < 1 && (
          <span class="range-ceiling" style={{ left: at(ceiling) }}>
            <span>ceiling {whole(ceiling)}</span>
          </span>
        )}
      </div>
      <div class="range-ticks nums">
        {ticks.map((t) => (
          <span key={t} style={{ left: at(t) }}>
            {`${Number((t * 100).toFixed(1))}%`}
          </span>
        ))}
      </div>
    </div>
  );
}

export function FailureShare({ rollout }: { rollout: Rollout }) {
  const { failures, sample } = rollout.failure;
  return (
    <Card title="Failures" aside={sample > 0
      ? <span class="nums">{number(failures)} of {number(sample)}</span>
      : undefined}>
      <p class="range-line">{explainFailures(rollout)}</p>
      <FailureRange rollout={rollout} />
      <p class="hint">
        The bar is the range in which the true share lies (Wilson, 90%), the
        dot what was seen. Failed, returned, refused and silent devices count.
      </p>
    </Card>
  );
}

const TONE_FILL = (outcome: string): string => `--fill-${look(outcome).tone}`;

function byCode(reasons: Reason[]): Amount[] {
  const codes = new Map<string, Amount>();
  for (const r of reasons) {
    const name = r.code;
    const key = `${name} ${r.outcome}`;
    const had = codes.get(key);
    codes.set(key, {
      name, n: (had?.n ?? 0) + r.count, color: TONE_FILL(r.outcome),
    });
  }
  return [...codes.values()].sort((a, b) => b.n - a.n).slice(0, 8);
}

const REASON_COLUMNS: Column<Reason>[] = [
  { key: "reason", title: "Reason", main: true, cell: (r) => (
    <div class="reason">
      <span>{sentence(r.meaning)}</span>
      {r.advice && <span class="reason-advice">{sentence(r.advice)}</span>}
      <code>{r.code}</code>
    </div>
  ) },
  { key: "outcome", title: "Outcome", cell: (r) => <Pill state={r.outcome} /> },
  { key: "hardware", title: "Hardware", cell: (r) => r.hardware || "–" },
  { key: "count", title: "Devices", right: true, cell: (r) => number(r.count) },
  { key: "first", title: "First device", cell: (r) => r.first?.id ? (
    <span class="first-device">
      <a href={href("devices", r.first.id)}>{r.first.name || r.first.id}</a>
      <span class="muted"><RelativeTime time={r.first.when} /></span>
    </span>
  ) : "–" },
];

export function Reasons({ rollout }: { rollout: Rollout }) {
  const reasons = rollout.reasons ?? [];
  if (reasons.length === 0) {
    return null;
  }
  const amounts = byCode(reasons);
  return (
    <Card title="Why they did not keep it" flush>
      {amounts.length > 1 && (
        <div class="card-part">
          <BarChart amounts={amounts} label="Devices by reason" />
        </div>
      )}
      <Table label="Reasons" rows={reasons} columns={REASON_COLUMNS}
        rowKey={(r) => `${r.code} ${r.outcome} ${r.hardware}`} />
    </Card>
  );
}

function Story({ items }: { items: TimelineItem[] }) {
  return (
    <ol class="story-steps">
      {items.map((item, i) => {
        const l = look(item.state);
        return (
          <li key={i} class={`tone-${l.tone}`}>
            <span class="story-dot" aria-hidden="true" />
            <span class="story-word">{l.word}</span>
            <span class="muted nums">{item.until
              ? duration(item.seconds) : "until now"}</span>
            {item.meaning && item.code && item.code !== "ok" && (
              <span class="story-why">{sentence(item.meaning)}</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

export function FirstFailed({ rollout }: { rollout: Rollout }) {
  const first = rollout.first_failed;
  const timeline = useResource<{ items: TimelineItem[] }>(
    first ? `/devices/${segment(first.id)}/timeline` : null);
  if (!first) {
    return null;
  }
  const items = (timeline.data?.items ?? [])
    .filter((item) => item.rollout === rollout.id).slice(-8);
  const reset = first.reset && first.reset !== "unknown"
    && first.reset !== "power-on" ? first.reset : "";
  return (
    <Card title="The first that failed"
      aside={<RelativeTime time={first.when} />}>
      <p class="first-line">
        <a href={href("devices", first.id)}>{first.name || first.id}</a>
        {": "}{sentence(first.meaning)}
        {reset && ` Its last reset: ${reset}.`}
        {" "}<code>{first.code}</code>
      </p>
      {items.length > 0 && <Story items={items} />}
    </Card>
  );
}
