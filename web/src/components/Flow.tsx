// SPDX-License-Identifier: Apache-2.0
// Where the devices of a rollout are: the way from "not yet" to "confirmed",
// and the branches that leave it. Returned is a branch of its own colour.
import type { Rollout } from "../api";
import { number } from "../format";
import { href } from "../router";
import { look } from "../states";
import { Icon } from "./Icon";

const WAY = [
  "offered", "downloading", "verifying", "installing", "rebooting", "testing",
  "confirmed",
] as const;
const BESIDE = ["untouched", "waiting"] as const;
const BRANCHES = ["returned", "failed", "refused", "silent"] as const;
type Step = typeof WAY[number] | typeof BESIDE[number] |
  typeof BRANCHES[number];

const SAY: Record<Step, string> = {
  untouched: "not offered yet",
  waiting: "offered, but a condition on the device is not met yet",
  offered: "told of the release, not begun",
  downloading: "fetching it",
  verifying: "checking signature and digest",
  installing: "writing it into the other slot",
  rebooting: "starting it",
  testing: "running it on trial, with the health checks",
  confirmed: "run it for good",
  returned: "tried it and went back by themselves",
  failed: "could not take it",
  refused: "would not take it",
  silent: "expected back and not seen; they stand on the way, too",
};

interface CellProps {
  id: number;
  step: Step;
  n: number;
  most: number;
}

function Cell({ id, step, n, most }: CellProps) {
  const l = look(step);
  const inner = (
    <>
      <span class="flow-n nums">{number(n)}</span>
      <span class="flow-word"><Icon name={l.shape} />{l.word}</span>
      <span class="flow-track" aria-hidden="true">
        <span style={{ width: `${n === 0 ? 0
          : Math.max(4, (100 * n) / most)}%` }} />
      </span>
    </>
  );
  const kind = `flow-cell tone-${l.tone} ${n === 0 ? "flow-none" : ""}`;
  return (
    <li class={kind} data-step={step} title={`${number(n)} ${SAY[step]}`}>
      {n > 0 ? <a href={href("devices", { rollout: id, outcome: step })}>
        {inner}</a> : <div>{inner}</div>}
    </li>
  );
}

/** The server counts those of the present stage; the later ones' are not
 * begun, too. */
function notBegun(r: Rollout): number {
  const all = r.stages[r.stages.length - 1]?.devices ?? 0;
  const seen = [...WAY, "waiting", "returned", "failed", "refused"] as const;
  return Math.max(r.counts.untouched,
    all - seen.reduce((sum, step) => sum + r.counts[step], 0));
}

export function Flow({ rollout }: { rollout: Rollout }) {
  const n = (step: Step): number => step === "untouched" ? notBegun(rollout)
    : rollout.counts[step] ?? 0;
  const { held = 0, quarantined } = rollout.counts;
  const most = Math.max(1, ...[...WAY, ...BRANCHES].map(n));
  const cells = (steps: readonly Step[]) => steps.map((step) => (
    <Cell key={step} id={rollout.id} step={step} n={n(step)} most={most} />
  ));
  return (
    <div class="flow">
      <div class="flow-group flow-before">
        <h3>Not begun</h3>
        <ol>{cells(BESIDE)}</ol>
        {held > 0 && (
          <p class="flow-note" data-step="held">Of these, {number(held)} wait
            for their window, the rate limit or others' downloads.</p>
        )}
      </div>
      <div class="flow-group flow-way">
        <h3>On the way</h3>
        <ol>{cells(WAY)}</ol>
      </div>
      <div class="flow-group flow-branches">
        <h3>Left the way</h3>
        <ol>{cells(BRANCHES)}</ol>
        {quarantined > 0 && (
          <p class="flow-note" data-step="quarantined">
            Of these, <a href={href("devices", { rollout: rollout.id,
              outcome: "quarantined" })}>{number(quarantined)} in
              quarantine</a>: left alone for a while.</p>
        )}
      </div>
    </div>
  );
}
