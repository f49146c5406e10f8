// SPDX-License-Identifier: Apache-2.0
// A rollout that is being made: what the form holds, as people type it, and
// the plan that it means. Empty text is "the default".
import type { Gates, Plan } from "./api";
import {
  GATE_DEFAULTS, STRATEGIES, usualGates, type Strategy,
} from "./plan";

export interface DraftGates {
  confirmed_percent: string;
  min_sample: string;
  soak_s: string; // seconds
  max_failed_percent: string;
  min_failed: string;
  manual: boolean | null; // null: as for every stage
}

export interface DraftStage {
  key: number;
  unit: "percent" | "count";
  n: string;
  gates: DraftGates | null;
}

export interface DraftWindow {
  key: number;
  days: string[];
  from: string;
  to: string;
}

export interface Draft {
  product: string;
  manifest: string;
  version: string;
  name: string;
  strategy: Strategy | "custom";
  stages: DraftStage[];
  gates: DraftGates;
  query: string;
  channel: string;
  include: string;
  exclude: string;
  start: "now" | "at";
  startAt: string; // of <input type=datetime-local>
  windows: DraftWindow[];
  deadline: string;
  consent: boolean;
  battery: string;
  metered: boolean;
  roaming: boolean;
  rate: string;
  downloads: string;
  priority: string;
  security: boolean;
  onFailure: "pause" | "return";
  attempts: string;
  quarantine: string; // seconds
  permits: NonNullable<Plan["permits"]>;
}

let keys = 1;
export const newKey = (): number => keys++;

export const NO_GATES: DraftGates = {
  confirmed_percent: "", min_sample: "", soak_s: "", max_failed_percent: "",
  min_failed: "", manual: null,
};

const NUMBERS = [
  "confirmed_percent", "min_sample", "soak_s", "max_failed_percent",
  "min_failed",
] as const;

export function stagesOf(
  list: readonly (number | { percent?: number; count?: number;
    gates?: Gates })[],
): DraftStage[] {
  return list.map((given) => {
    const s = typeof given === "number" ? { percent: given } : given;
    return {
      key: newKey(),
      unit: s.percent ? "percent" as const : "count" as const,
      n: String(s.percent || s.count || ""),
      gates: "gates" in s && s.gates ? gatesFrom(s.gates) : null,
    };
  });
}

export function emptyDraft(): Draft {
  return {
    product: "", manifest: "", version: "", name: "", strategy: "staged",
    stages: stagesOf(STRATEGIES.staged.stages), gates: { ...NO_GATES },
    query: "", channel: "", include: "", exclude: "", start: "now",
    startAt: "", windows: [], deadline: "", consent: false, battery: "",
    metered: true, roaming: true, rate: "", downloads: "", priority: "",
    security: false, onFailure: "pause", attempts: "", quarantine: "",
    permits: [],
  };
}

// --- From text to numbers ---------------------------------------------------

/** What is no number is sent as it is: the server says what is wrong. */
function num(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "") {
    return undefined;
  }
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed as unknown as number;
}

const epoch = (local: string): number | undefined => {
  const at = new Date(local).getTime();
  return local !== "" && Number.isFinite(at)
    ? Math.floor(at / 1000) : undefined;
};

/** Of <input type=datetime-local>, in the browser's own time. */
export function localTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  const east = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return east.toISOString().slice(0, 16);
}

export const idsOf = (text: string): string[] =>
  [...new Set(text.split(/[\s,;]+/).filter((word) => word !== ""))];

export function gatesOf(g: DraftGates): Gates | undefined {
  const out: Gates = {};
  for (const name of NUMBERS) {
    const value = num(g[name]);
    if (value !== undefined) {
      out[name] = value;
    }
  }
  if (g.manual !== null) {
    out.manual = g.manual;
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

export function gatesFrom(g: Gates): DraftGates {
  const out = { ...NO_GATES };
  for (const name of NUMBERS) {
    const value = g[name];
    if (value !== undefined) {
      out[name] = String(value);
    }
  }
  out.manual = g.manual ?? null;
  return out;
}

function planStages(d: Draft): Plan["stages"] {
  return d.stages.map((s) => {
    const gates = s.gates ? gatesOf(s.gates) : undefined;
    return { [s.unit]: num(s.n) ?? 0, ...(gates ? { gates } : {}) };
  });
}

const target = (d: Draft): Plan["target"] | undefined => {
  const out: NonNullable<Plan["target"]> = {};
  const include = idsOf(d.include);
  const exclude = idsOf(d.exclude);
  if (d.query.trim() !== "") {
    out.query = d.query; // as it is: errors count its characters
  }
  if (d.channel.trim() !== "") {
    out.channel = d.channel.trim();
  }
  if (include.length > 0) {
    out.include = include;
  }
  if (exclude.length > 0) {
    out.exclude = exclude;
  }
  return Object.keys(out).length > 0 ? out : undefined;
};

function retry(d: Draft): Plan["retry"] | undefined {
  const attempts = num(d.attempts);
  const quarantine = num(d.quarantine);
  return attempts === undefined && quarantine === undefined ? undefined : {
    ...(attempts === undefined ? {} : { attempts }),
    ...(quarantine === undefined ? {} : { quarantine_s: quarantine }),
  };
}

/** Only what differs from the defaults: short files, and new defaults hold. */
export function planOf(d: Draft): Plan {
  const custom = d.strategy === "custom" || d.stages.some((s) => s.gates);
  const plan: Plan = {
    product: d.product,
    manifest: d.manifest,
    name: d.name.trim() || undefined,
    strategy: custom ? undefined : d.strategy as Strategy,
    stages: custom ? planStages(d) : undefined,
    gates: gatesOf(d.gates),
    target: target(d),
    start_at: d.start === "at" ? epoch(d.startAt) : undefined,
    deadline: epoch(d.deadline),
    windows: d.windows.length > 0
      ? d.windows.map(({ days, from, to }) => ({ days, from, to }))
      : undefined,
    consent: d.consent || undefined,
    min_battery_percent: num(d.battery),
    metered: d.metered ? undefined : false,
    roaming: d.roaming ? undefined : false,
    rate_per_hour: num(d.rate),
    max_downloads: num(d.downloads),
    priority: num(d.priority),
    security: d.security || undefined,
    on_failure: d.onFailure === "return" ? "return" : undefined,
    retry: retry(d),
    permits: d.permits.length > 0 ? d.permits : undefined,
  };
  return JSON.parse(JSON.stringify(plan)) as Plan; // without the undefined
}

// --- From a plan ------------------------------------------------------------

const asText = (value: number | undefined): string =>
  value ? String(value) : "";

type AnyStage = number | NonNullable<Plan["stages"]>[number];

function sameStages(a: AnyStage[], strategy: Strategy): boolean {
  const b = STRATEGIES[strategy].stages as readonly AnyStage[];
  const size = (s: AnyStage) => typeof s === "number" ? `${s}%`
    : s.percent ? `${s.percent}%` : `${s.count}`;
  return a.length === b.length &&
    a.every((s, i) => size(s) === size(b[i] as AnyStage));
}

/** A stage's gates, where they are not as for every stage. */
function ownGates(given: Gates | undefined, all: Gates): Gates | undefined {
  const standard = { ...GATE_DEFAULTS, ...all } as Record<string, unknown>;
  const own = Object.entries(given ?? {})
    .filter(([name, value]) => value !== standard[name]);
  return own.length > 0 ? Object.fromEntries(own) as Gates : undefined;
}

export function draftOf(plan: Plan, now: number): Draft {
  const base = emptyDraft();
  const strategies = Object.keys(STRATEGIES) as Strategy[];
  const all = usualGates(plan) ?? {};
  const given = plan.stages ?? STRATEGIES[plan.strategy ?? "staged"].stages;
  const stages = (given as AnyStage[]).map((s) => typeof s === "number" ? s
    : { ...s, gates: ownGates(s.gates, all) });
  const known = strategies.find((s) => sameStages(stages, s));
  const t = plan.target ?? {};
  const later = plan.start_at && plan.start_at > now ? plan.start_at : 0;
  const deadline = plan.deadline && plan.deadline > now ? plan.deadline : 0;
  return {
    ...base,
    product: plan.product ?? "", manifest: plan.manifest ?? "",
    version: plan.version ?? "", name: plan.name ?? "",
    strategy: known ?? "custom", stages: stagesOf(stages),
    gates: gatesFrom(ownGates(all, {}) ?? {}),
    query: t.query ?? "", channel: t.channel ?? "",
    include: (t.include ?? []).join("\n"),
    exclude: (t.exclude ?? []).join("\n"),
    start: later ? "at" : "now", startAt: later ? localTime(later) : "",
    windows: (plan.windows ?? []).map((w) => ({ ...w, key: newKey() })),
    deadline: deadline ? localTime(deadline) : "",
    consent: plan.consent ?? false, battery: asText(plan.min_battery_percent),
    metered: plan.metered ?? true, roaming: plan.roaming ?? true,
    rate: asText(plan.rate_per_hour), downloads: asText(plan.max_downloads),
    priority: asText(plan.priority), security: plan.security ?? false,
    onFailure: plan.on_failure ?? "pause",
    attempts: plan.retry?.attempts && plan.retry.attempts !== 2
      ? String(plan.retry.attempts) : "",
    quarantine: plan.retry?.quarantine_s !== undefined
      && plan.retry.quarantine_s !== 86400
      ? String(plan.retry.quarantine_s) : "",
    permits: plan.permits ?? [],
  };
}
