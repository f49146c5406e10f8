// SPDX-License-Identifier: Apache-2.0
// A plan in words, and the defaults of a plan: server/plan.h.
import type { Gates, Plan } from "./api";
import { count, dateTime, duration, number } from "./format";

export const GATE_DEFAULTS: Required<Gates> = {
  confirmed_percent: 95,
  min_sample: 5,
  soak_s: 3600,
  max_failed_percent: 10,
  min_failed: 2,
  manual: false,
};

export const STRATEGIES = {
  staged: {
    title: "Staged",
    text: "1% → 10% → all",
    stages: [{ percent: 1 }, { percent: 10 }, { percent: 100 }],
  },
  canary: {
    title: "Canary",
    text: "10 devices → all",
    stages: [{ count: 10 }, { percent: 100 }],
  },
  immediate: {
    title: "Immediate",
    text: "all at once",
    stages: [{ percent: 100 }],
  },
} as const;
export type Strategy = keyof typeof STRATEGIES;

export const DAYS = [
  ["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"],
  ["thu", "Thursday"], ["fri", "Friday"], ["sat", "Saturday"],
  ["sun", "Sunday"],
] as const;

/** A rollout need not have a name. */
export const rolloutName =
  (r: { name: string; product: string; version: string }): string =>
    r.name || `${r.product} ${r.version}`;

type PlanStage = NonNullable<Plan["stages"]>[number];

export const stageWord = (s: PlanStage | number): string =>
  typeof s === "number" ? `${s}%`
  : s.percent ? `${s.percent}%` : count(s.count ?? 0, "device");

export const stagesWords = (plan: Plan): string => {
  const stages = plan.stages
    ?? STRATEGIES[(plan.strategy ?? "staged") as Strategy]?.stages ?? [];
  return stages.length === 1 && (stages[0] as PlanStage).percent === 100
    ? "all at once" : (stages as PlanStage[]).map(stageWord).join(" → ");
};

/** What holds for its stages; a stage may have gates of its own. */
export const usualGates = (plan: Plan): Gates | undefined =>
  plan.gates ?? plan.stages?.map((s) => s.gates).find(Boolean);

export function gatesWords(given: Gates | undefined): string[] {
  const g = { ...GATE_DEFAULTS, ...given };
  const out = [
    `${g.confirmed_percent}% of a stage's devices are confirmed, at least ` +
      `${count(g.min_sample, "device")} decided`,
    g.max_failed_percent >= 100 ? "failures are not judged"
      : `fewer than ${g.max_failed_percent}% failed, returned, refused or ` +
        `fell silent (${g.min_failed} or more pause the rollout)`,
    g.soak_s === 0 ? "no soak time"
      : `it stays well for ${duration(g.soak_s)}`,
  ];
  return g.manual ? [...out, "an operator says advance"] : out;
}

function daysWords(days: string[]): string {
  const on = DAYS.map(([key]) => days.includes(key));
  const text = on.map((day) => (day ? "1" : "0")).join("");
  if (text === "1111111") {
    return "every day";
  }
  if (text === "1111100") {
    return "Monday to Friday";
  }
  if (text === "0000011") {
    return "at the weekend";
  }
  return DAYS.filter(([key]) => days.includes(key)).map(([, name]) => name)
    .join(", ");
}

export const windowWords = (w: NonNullable<Plan["windows"]>[number]): string =>
  `${daysWords(w.days)} ${w.from} to ${w.to}${
    w.to <= w.from ? " the next day" : ""}`;

export const begun = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1);

/** Pairs of a subject and its sentence; what is left at its default and
 * restricts nothing is not said. */
export function planWords(plan: Plan): [string, string[]][] {
  const t = plan.target ?? {};
  const who = [
    t.query ? `devices with ${t.query}` : "",
    t.channel ? `channel ${t.channel}` : "",
    t.include?.length
      ? `only ${count(t.include.length, "listed device")}` : "",
    t.exclude?.length ? `without ${count(t.exclude.length, "device")}` : "",
  ].filter(Boolean);
  const when = [
    plan.start_at ? `from ${dateTime(plan.start_at)}` : "",
    ...(plan.windows ?? []).map((w) =>
      `${windowWords(w)}, each device's own time`),
    plan.deadline
      ? `from ${dateTime(plan.deadline)} on it is forced: only an almost ` +
        "empty battery still waits" : "",
  ].filter(Boolean);
  const device = [
    plan.consent ? "a person at the device must agree" : "",
    plan.min_battery_percent
      ? `battery at ${plan.min_battery_percent}% or more, or on power` : "",
    plan.metered === false ? "not on metered links" : "",
    plan.roaming === false ? "not while roaming" : "",
  ].filter(Boolean);
  const pace = [
    plan.rate_per_hour
      ? `at most ${count(plan.rate_per_hour, "new device")} an hour` : "",
    plan.max_downloads
      ? `at most ${count(plan.max_downloads, "download")} at once` : "",
  ].filter(Boolean);
  const own: [string, string[]][] = [];
  const usual = JSON.stringify(usualGates(plan) ?? {});
  (plan.stages ?? []).forEach((s, i) => {
    if (s.gates && JSON.stringify(s.gates) !== usual) {
      own.push([`Stage ${i + 1} passes when`, gatesWords(s.gates)]);
    }
  });
  const out: [string, string[]][] = [
    ["Who", who.length > 0 ? who : ["every device of the product"]],
    ["Stages", [stagesWords(plan)]],
    ["A stage passes when", gatesWords(usualGates(plan))],
    ...own,
    ["When", when.length > 0 ? when : ["at once, at any time of day"]],
    ["On the device", device.length > 0 ? device : ["no conditions"]],
    ["Too many failures", [plan.on_failure === "return"
      ? "the rollout pauses and updated devices return to what they ran"
      : "the rollout pauses and waits for a person"]],
    ["A device that fails", [
      `${count(plan.retry?.attempts ?? 2, "try", "tries")}, then ` +
      `${duration(plan.retry?.quarantine_s ?? 86400)} in quarantine`]],
  ];
  if (pace.length > 0) {
    out.push(["Pace", pace]);
  }
  if (plan.priority) {
    out.push(["Priority", [number(plan.priority)]]);
  }
  if (plan.security) {
    out.push(["Security", ["goes before rollouts that are not"]]);
  }
  return out.map(([name, lines]) => [name, lines.map(begun)]);
}

/** The plan as a file of `bowline rollout apply`: no members left empty. */
export function tidyPlan(plan: Plan): Plan {
  const tidy = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.length === 0 ? undefined : value.map(tidy);
    }
    if (value !== null && typeof value === "object") {
      const members = Object.entries(value)
        .map(([name, inner]) => [name, tidy(inner)] as const)
        .filter(([, inner]) => inner !== undefined);
      return members.length === 0 ? undefined : Object.fromEntries(members);
    }
    return value === "" || value === null ? undefined : value;
  };
  return (tidy(plan) ?? {}) as Plan;
}
