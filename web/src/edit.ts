// SPDX-License-Identifier: Apache-2.0
// What of a rollout's plan may change while it runs: what the form holds, what
// is sent, and the difference in words.
import type { Gates, Plan, Rollout } from "./api";
import {
  draftOf, gatesFrom, gatesOf, planOf, type Draft, type DraftGates,
} from "./draft";
import {
  begun, GATE_DEFAULTS, gatesWords, planWords, rolloutName,
} from "./plan";

export interface EditDraft {
  plan: Draft;
  /** Of the stages that are not passed, in their order. */
  gates: DraftGates[];
}

export interface Difference {
  title: string;
  was: string[];
  becomes: string[];
}

/** What planOf leaves out is set back by this. */
const SET_BACK = {
  windows: [], deadline: 0, rate_per_hour: 0, max_downloads: 0, priority: 0,
  on_failure: "pause", consent: false, min_battery_percent: 0, metered: true,
  roaming: true, retry: { attempts: 2, quarantine_s: 86400 },
} satisfies Partial<Plan>;

const fullGates = (given: Gates | undefined): Required<Gates> =>
  ({ ...GATE_DEFAULTS, ...given });

/** The present plan; a deadline that is past stays one. */
export function editOf(r: Rollout): EditDraft {
  const plan = { ...r.plan, product: r.product, name: r.name } as Plan;
  return {
    plan: draftOf(plan, 0),
    gates: (plan.stages ?? []).slice(r.stage)
      .map((s) => gatesFrom(fullGates(s.gates))),
  };
}

export const sameGates = (list: DraftGates[]): boolean =>
  new Set(list.map((g) => JSON.stringify(fullGates(gatesOf(g))))).size < 2;

const same = (a: unknown, b: unknown): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** The body of PATCH: only what the person has changed. */
export function changesOf(r: Rollout, first: EditDraft, now: EditDraft):
  Partial<Plan> {
  const a = planOf(first.plan);
  const b = planOf(now.plan);
  const out: Record<string, unknown> = {};
  for (const [name, usual] of Object.entries(SET_BACK)) {
    const key = name as keyof typeof SET_BACK;
    if (!same(a[key], b[key])) {
      out[key] = key === "retry" ? { ...SET_BACK.retry, ...b.retry }
        : b[key] ?? usual;
    }
  }
  if (r.started === null && !same(a.start_at, b.start_at)) {
    out.start_at = b.start_at ?? 0;
  }
  if (now.plan.name.trim() !== first.plan.name.trim()) {
    out.name = now.plan.name.trim();
  }
  const gates = (draft: EditDraft) =>
    draft.gates.map((g) => fullGates(gatesOf(g)));
  if (!same(gates(first), gates(now))) {
    const fresh = gates(now);
    out.stages = (r.plan?.stages ?? []).map((s, i) =>
      (i < r.stage ? s : { ...s, gates: fresh[i - r.stage] }));
  }
  return out as Partial<Plan>;
}

function gatesDifferences(r: Rollout, after: Plan): Difference[] {
  const out: Difference[] = [];
  (r.plan?.stages ?? []).forEach((s, i) => {
    const was = gatesWords(s.gates).map(begun);
    const becomes = gatesWords(after.stages?.[i]?.gates).map(begun);
    if (!same(was, becomes)) {
      out.push({ title: `Stage ${i + 1} passes when`, was, becomes });
    }
  });
  return out;
}

const UNSAID: Record<string, string> = {
  Pace: "As fast as devices ask", Priority: "0",
};

/** In words, subject by subject; what stays is not said. */
export function differences(r: Rollout, changes: Partial<Plan>): Difference[] {
  const before = { ...r.plan, product: r.product } as Plan;
  const after = { ...before, ...changes };
  const old = new Map(planWords(before));
  const fresh = new Map(planWords(after));
  const out: Difference[] = [];
  if (changes.name !== undefined) {
    out.push({ title: "Name", was: [rolloutName(r)],
      becomes: [rolloutName({ ...r, name: changes.name })] });
  }
  for (const title of new Set([...old.keys(), ...fresh.keys()])) {
    const usual = UNSAID[title] ? [UNSAID[title]] : [];
    const was = old.get(title) ?? usual;
    const becomes = fresh.get(title) ?? usual;
    if (!title.endsWith("passes when") && !same(was, becomes)) {
      out.push({ title, was, becomes });
    }
  }
  return [...out, ...gatesDifferences(r, after)].map((d) => ({
    title: d.title,
    was: d.was.filter((line) => !d.becomes.includes(line)),
    becomes: d.becomes.filter((line) => !d.was.includes(line)),
  }));
}
