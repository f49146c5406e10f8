// SPDX-License-Identifier: Apache-2.0
// A rollout at a glance: what it is, why it waits, its lanes, who is where.
import type { Rollout } from "../types";
import { count, relative, sentence } from "../format";
import { useNow } from "../hooks";
import { href } from "../router";
import { FUNNEL } from "../states";
import { Bar, type Part } from "./Bar";
import { Lanes } from "./Lane";
import { Pill } from "./Pill";

export function rolloutParts(r: Rollout): Part[] {
  const c = r.counts;
  const underway = FUNNEL.reduce((sum, state) => sum + (c[state] ?? 0), 0);
  const to = (outcome: string) => href("rollouts", r.id, { outcome });
  return [
    { state: "confirmed", n: c.confirmed, href: to("confirmed") },
    { state: "installing", n: underway, word: "under way",
      href: href("rollouts", r.id) },
    { state: "returned", n: c.returned, href: to("returned") },
    { state: "failed", n: c.failed, href: to("failed") },
    { state: "refused", n: c.refused, href: to("refused") },
    { state: "silent", n: c.silent ?? 0 },
  ];
}

export function RolloutCard({ rollout: r }: { rollout: Rollout }) {
  const now = useNow(15_000);
  const parts = rolloutParts(r);
  const touched = parts.some((part) => part.n > 0);
  const stopped = r.state === "paused" || r.state === "approval"
    || r.needs_person === true;
  return (
    <article class={`card rollout-card ${stopped ? "card-attention" : ""}`}
      data-rollout={r.id}>
      <header>
        <h3><a href={href("rollouts", r.id)}>
          {r.name || `${r.product} ${r.version}`}</a></h3>
        <Pill state={r.state} />
        <p class="muted">
          {r.product} {r.version}
          {r.security && <span class="tag">security</span>}
          {r.kind !== "update" && <span class="tag">{r.kind}</span>}
          <span class="rollout-card-eta">
            {r.expected_finish && r.state === "running"
              ? `done ${relative(r.expected_finish, now)}`
              : count(r.counts.eligible, "device")}
          </span>
        </p>
      </header>
      {r.status && <p class="rollout-card-status">{sentence(r.status)}</p>}
      <Lanes rollout={r} />
      {touched && (
        <Bar legend label="Devices of the rollout" parts={parts}
          whole={r.counts.eligible} />
      )}
    </article>
  );
}
