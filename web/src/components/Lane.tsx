// SPDX-License-Identifier: Apache-2.0
// The stages of a rollout as lanes, each with its gates and why it waits.
import type { Gate as GateFacts, Rollout, Stage } from "../types";
import { count, number, percent, relative } from "../format";
import { useNow } from "../hooks";
import { look } from "../states";
import { Bar, type Part } from "./Bar";
import { Icon } from "./Icon";
import { stageParts } from "./StageLanes";

const GATE_WORDS: Record<GateFacts["name"], string> = {
  sample: "sample",
  confirmed: "confirmed",
  failed: "failures",
  soak: "soak",
  manual: "by hand",
};

export function Gate({ gate, wordy }: { gate: GateFacts; wordy?: boolean }) {
  const l = look(gate.state);
  return (
    <li class={`gate tone-${l.tone}`} data-gate={gate.name}
      data-state={gate.state} title={gate.text}>
      <Icon name={l.shape} />
      <span class="gate-name">{GATE_WORDS[gate.name]}</span>
      <span class="sr-only">{l.word}: </span>
      {wordy ? <span class="gate-text">{gate.text}</span>
        : <span class="sr-only">{gate.text}</span>}
    </li>
  );
}

export const stageSize = (stage: Stage): string =>
  stage.percent ? `${stage.percent}%` : count(stage.count ?? 0, "device");

interface LaneProps {
  stage: Stage;
  parts: Part[];
  index: number;
  wordy?: boolean; // the gates' sentences, too
}

export function Lane({ stage, parts, index, wordy }: LaneProps) {
  const now = useNow(15_000);
  const l = look(stage.state === "waiting" ? "untouched" : stage.state);
  const since = stage.state === "running" && stage.since
    ? `since ${relative(stage.since, now).replace(" ago", "")}`
    : stage.state === "done" && stage.until
      ? relative(stage.until, now) : "";
  return (
    <li class={`lane lane-${stage.state}`} data-stage={index}>
      <div class="lane-head">
        <span class={`lane-mark tone-${l.tone}`}>
          <Icon name={l.shape} /><span class="sr-only">{l.word}</span>
        </span>
        <span class="lane-title">Stage {index + 1}</span>
        <span class="lane-size">{stageSize(stage)}</span>
        <span class="lane-since muted">{since}</span>
        <span class="lane-numbers nums muted">
          {number(stage.confirmed)} / {number(stage.devices)}
          <span class="sr-only"> devices confirmed</span>
        </span>
      </div>
      <Bar slim parts={parts} whole={stage.devices}
        label={`Stage ${index + 1}`} />
      {stage.gates.length > 0 && (wordy ? stage.state !== "waiting"
        : stage.state === "running") && (
        <ul class={`gates ${wordy ? "gates-wordy" : ""}`}>
          {stage.gates.map((gate) =>
            <Gate key={gate.name} gate={gate} wordy={wordy} />)}
        </ul>
      )}
    </li>
  );
}

export function Lanes({ rollout, wordy }:
  { rollout: Rollout; wordy?: boolean }) {
  return (
    <ol class="lanes">
      {rollout.stages.map((stage, i) =>
        <Lane key={i} stage={stage} parts={stageParts(rollout, i)} index={i}
          wordy={wordy} />)}
    </ol>
  );
}

/** How far a rollout is, for a card. */
export const doneShare = (r: Rollout): string =>
  percent(r.counts.confirmed, r.counts.eligible);
