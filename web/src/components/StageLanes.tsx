// SPDX-License-Identifier: Apache-2.0
// The stages of one rollout as lanes: how many, since when, and each gate as a
// bar with its state and the reason in words.
import type { Gate, Rollout, Stage } from "../api";
import {
  count, dateTime, duration, number, percent, relative, sentence,
} from "../format";
import { useNow } from "../hooks";
import { look } from "../states";
import { Bar, type Part } from "./Bar";
import { Icon } from "./Icon";
import { stageSize } from "./Lane";

const GATES: Record<Gate["name"], { title: string; ask: string }> = {
  sample: { title: "Sample", ask: "Have enough devices decided?" },
  confirmed: { title: "Confirmed", ask: "Have enough devices confirmed?" },
  failed: { title: "Failures", ask: "Are few enough lost?" },
  soak: { title: "Soak", ask: "Has it stayed well for long enough?" },
  manual: { title: "By hand", ask: "Has an operator agreed?" },
};

function amount(gate: Gate): string {
  switch (gate.name) {
    case "failed":
      return `${gate.value}%`;
    case "soak":
      return duration(gate.value);
    case "manual":
      return gate.state === "passed" ? "yes" : "not yet";
    default:
      return number(gate.value);
  }
}

function wanted(gate: Gate): string {
  switch (gate.name) {
    case "failed":
      return `under ${gate.wanted}%`;
    case "soak":
      return `of ${duration(gate.wanted)}`;
    case "manual":
      return "";
    default:
      return `of ${number(gate.wanted)}`;
  }
}

/** Failures count up to their ceiling, which is drawn at two thirds. */
function filled(gate: Gate): number {
  if (gate.name === "failed") {
    return gate.wanted === 0 ? (gate.value > 0 ? 100 : 0)
      : Math.min(100, (gate.value / gate.wanted) * (200 / 3));
  }
  if (gate.name === "manual" || gate.wanted === 0) {
    return gate.state === "passed" ? 100 : 0;
  }
  return Math.min(100, (100 * gate.value) / gate.wanted);
}

function GateBar({ gate }: { gate: Gate }) {
  const l = look(gate.state);
  const words = GATES[gate.name];
  return (
    <li class={`gate-bar tone-${l.tone}`} data-gate={gate.name}
      data-state={gate.state}>
      <span class="gate-bar-head">
        <span class="gate-bar-title" title={words.ask}>{words.title}</span>
        <span class="gate-bar-state"><Icon name={l.shape} />{l.word}</span>
      </span>
      <span class={`gate-meter gate-meter-${gate.name}`} aria-hidden="true">
        <span style={{ width: `${filled(gate)}%` }} />
      </span>
      <span class="gate-bar-amount nums" aria-hidden="true">
        <b>{amount(gate)}</b> {wanted(gate)}
      </span>
      <span class="gate-bar-text">{sentence(gate.text)}</span>
    </li>
  );
}

/** Gates that ask nothing are not shown: no soak time, no operator's word, no
 * sample, failures that are not judged. */
const asks = (gate: Gate): boolean => gate.name === "failed"
  ? gate.wanted < 100 : gate.wanted > 0;

function GateMark({ gate }: { gate: Gate }) {
  const l = look(gate.state);
  return (
    <li class={`gate tone-${l.tone}`} data-gate={gate.name}
      data-state={gate.state} title={sentence(gate.text)}>
      <Icon name={l.shape} />{GATES[gate.name].title}
      <span class="sr-only">: {l.word}, {gate.text}</span>
    </li>
  );
}

/** What a gate that is not passed waits for. */
export function gateWaits(gate: Gate): string {
  switch (gate.name) {
    case "sample":
      return "waits for a sample";
    case "confirmed":
      return "waits for confirmations";
    case "failed":
      return gate.state === "failing" ? "too many failures"
        : "failures unclear";
    case "soak":
      return "soaking";
    default:
      return "waits for an operator";
  }
}

/** The devices of a stage by outcome. A stage tells how many did not keep it;
 * of the latest one, which holds those before it, it is known which way. */
export function stageParts(r: Rollout, index: number): Part[] {
  const stage = r.stages[index];
  if (!stage || stage.state === "waiting") {
    return [];
  }
  const c = r.counts;
  const lost: Part[] = (["returned", "failed", "refused", "silent"] as const)
    .map((state) => ({ state, n: c[state] }));
  const sum = lost.reduce((n, part) => n + part.n, 0);
  const ways = lost.filter((part) => part.n > 0);
  const rest: Part[] = sum === stage.failed ? ways
    : ways.length === 1 && ways[0] ? [{ ...ways[0], n: stage.failed }]
    : [{ state: "lost", n: stage.failed }]; // some of them returned
  return [{ state: "confirmed", n: stage.confirmed }, ...rest];
}

function times(stage: Stage, now: number): string {
  if (stage.state === "done" && stage.since && stage.until) {
    return `took ${duration(stage.until - stage.since)}, until ` +
      dateTime(stage.until);
  }
  if (stage.state === "running" && stage.since) {
    return `for ${relative(stage.since, now).replace(" ago", "")}`;
  }
  return "";
}

interface LaneProps {
  stage: Stage;
  index: number;
  rollout: Rollout;
}

function StageLane({ stage, index, rollout }: LaneProps) {
  const now = useNow(5_000);
  const current = stage.state === "running";
  const held = current && rollout.state !== "running";
  const l = held ? look(rollout.state)
    : look(stage.state === "waiting" ? "untouched" : stage.state);
  const gates = stage.gates.filter(asks);
  const known = stage.state !== "waiting";
  const { confirmed } = stage;
  return (
    <li class={`stage stage-${stage.state}`} data-stage={index}
      aria-current={current ? "step" : undefined}>
      <span class={`stage-mark tone-${l.tone}`}>
        <Icon name={l.shape} /><span class="sr-only">{l.word}</span>
      </span>
      <div class="stage-head">
        <h3>Stage {index + 1}</h3>
        <span class="stage-size">{stageSize(stage)}</span>
        {stage.count !== stage.devices && (
          <span class="muted">{count(stage.devices, "device")}</span>
        )}
        <span class="stage-times muted">{times(stage, now)}</span>
        {known && (
          <span class="stage-share nums">
            <b>{number(confirmed)}</b>
            <span class="muted"> confirmed · {
              percent(confirmed, stage.devices)}</span>
          </span>
        )}
      </div>
      {known && (
        <Bar slim={!current} parts={stageParts(rollout, index)}
          whole={stage.devices} label={`Stage ${index + 1}`} />
      )}
      {current && gates.length > 0 && (
        <ul class="gate-bars" aria-label={`Gates of stage ${index + 1}`}>
          {gates.map((gate) => <GateBar key={gate.name} gate={gate} />)}
        </ul>
      )}
      {stage.state === "done" && gates.length > 0 && (
        <ul class="gates">
          {gates.map((gate) => <GateMark key={gate.name} gate={gate} />)}
        </ul>
      )}
      {stage.state === "waiting" && (
        <p class="muted stage-later">{index === 0
          ? "Begins when the rollout does."
          : `Begins when stage ${index} has passed its gates.`}</p>
      )}
    </li>
  );
}

export function StageLanes({ rollout }: { rollout: Rollout }) {
  return (
    <ol class="stages">
      {rollout.stages.map((stage, i) => (
        <StageLane key={i} stage={stage} index={i} rollout={rollout} />
      ))}
    </ol>
  );
}
