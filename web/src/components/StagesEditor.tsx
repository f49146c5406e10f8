// SPDX-License-Identifier: Apache-2.0
// The stages of a rollout that is being made, and the gates between them.
import type { Preview } from "../api";
import {
  newKey, NO_GATES, stagesOf, type Draft, type DraftGates, type DraftStage,
} from "../draft";
import { count } from "../format";
import { GATE_DEFAULTS, STRATEGIES, type Strategy } from "../plan";
import { marks, useWrong, WrongText } from "../wrong";
import { Button, Check } from "./basics";
import { DurationField, NumberField } from "./Inputs";

type Change = (changes: Partial<Draft>) => void;

/** What an empty field means: for a stage, what holds for all. */
function standards(all: DraftGates | null): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(GATE_DEFAULTS)) {
    const given = all?.[name as keyof DraftGates];
    out[name] = typeof given === "string" && given !== "" ? given
      : String(value);
  }
  return out;
}

export function GatesEditor({ id, gates, all, onChange }: {
  id: string; gates: DraftGates; all: DraftGates | null;
  onChange: (gates: DraftGates) => void;
}) {
  const usual = standards(all);
  const put = (name: keyof DraftGates) => (value: string) =>
    onChange({ ...gates, [name]: value });
  return (
    <div class="gates-editor">
      <div class="form-row">
        <NumberField id={`${id}-confirmed`} label="Confirmed, at least"
          unit="%" max={100} value={gates.confirmed_percent}
          placeholder={usual.confirmed_percent}
          onChange={put("confirmed_percent")} />
        <NumberField id={`${id}-sample`} label="Sample, at least"
          unit="devices" value={gates.min_sample}
          placeholder={usual.min_sample} onChange={put("min_sample")} />
        <DurationField id={`${id}-soak`} label="Soak" value={gates.soak_s}
          standard={Number(usual.soak_s)} onChange={put("soak_s")} />
      </div>
      <div class="form-row">
        <NumberField id={`${id}-failed`} label="Failures, fewer than"
          unit="%" max={100} value={gates.max_failed_percent}
          placeholder={usual.max_failed_percent}
          onChange={put("max_failed_percent")} />
        <NumberField id={`${id}-min-failed`} label="Pause, from"
          unit="failures" min={1} value={gates.min_failed}
          placeholder={usual.min_failed} onChange={put("min_failed")} />
        <div class="field field-check">
          <Check id={`${id}-manual`}
            checked={gates.manual ?? (all?.manual ?? false)}
            onChange={(manual) => onChange({ ...gates, manual })}>
            An operator advances
          </Check>
        </div>
      </div>
    </div>
  );
}

function StageRow(p: {
  stage: DraftStage; index: number; of: number; draft: Draft;
  size: Preview["stages"][number] | undefined;
  onChange: (stage: DraftStage) => void; onRemove: () => void;
}) {
  const { stage, index } = p;
  const id = `stage-${index + 1}`;
  const wrong = useWrong(id);
  return (
    <li class="stage-row">
      <div class="stage-row-main">
        <span class="stage-row-title">Stage {index + 1}</span>
        <span class="with-unit">
          <input id={id} type="number" min={1} value={stage.n}
            max={stage.unit === "percent" ? 100 : undefined}
            aria-label={`Size of stage ${index + 1}`} {...marks(id, wrong)}
            onInput={(e) =>
              p.onChange({ ...stage, n: e.currentTarget.value })} />
          <select class="unit-select" value={stage.unit}
            aria-label={`Unit of stage ${index + 1}`}
            onChange={(e) => p.onChange({ ...stage,
              unit: e.currentTarget.value as DraftStage["unit"] })}>
            <option value="percent">% of them</option>
            <option value="count">devices</option>
          </select>
        </span>
        <span class="muted nums stage-row-size">{p.size
          ? count(p.size.devices, "device") : ""}</span>
        <span class="actions">
          <Button small kind="quiet" expanded={stage.gates !== null}
            onClick={() => p.onChange({ ...stage,
              gates: stage.gates ? null : { ...NO_GATES } })}>
            {stage.gates ? "Usual gates" : "Own gates"}
          </Button>
          <Button small kind="quiet" icon="trash" disabled={p.of === 1}
            label={`Remove stage ${index + 1}`} onClick={p.onRemove} />
        </span>
      </div>
      <WrongText id={id} text={wrong} />
      {stage.gates && (
        <GatesEditor id={id} gates={stage.gates} all={p.draft.gates}
          onChange={(gates) => p.onChange({ ...stage, gates })} />
      )}
    </li>
  );
}

function Strategies({ draft, change }: { draft: Draft; change: Change }) {
  const choose = (strategy: Strategy) => change({
    strategy, stages: stagesOf(STRATEGIES[strategy].stages),
  });
  return (
    <fieldset class="choices">
      <legend class="sr-only">Strategy</legend>
      {(Object.keys(STRATEGIES) as Strategy[]).map((key) => (
        <label key={key} class="choice">
          <input type="radio" name="strategy" value={key}
            checked={draft.strategy === key} onChange={() => choose(key)} />
          <span><b>{STRATEGIES[key].title}</b>
            <span class="muted">{STRATEGIES[key].text}</span></span>
        </label>
      ))}
      <label class="choice">
        <input type="radio" name="strategy" value="custom"
          checked={draft.strategy === "custom"}
          onChange={() => change({ strategy: "custom" })} />
        <span><b>Own stages</b>
          <span class="muted">percent or counts</span></span>
      </label>
    </fieldset>
  );
}

export function StagesEditor({ draft, change, preview }: {
  draft: Draft; change: Change; preview: Preview | null;
}) {
  const sizes = preview?.stages.length === draft.stages.length
    ? preview.stages : [];
  const put = (stages: DraftStage[]) =>
    change({ stages, strategy: "custom" });
  const last = draft.stages[draft.stages.length - 1];
  return (
    <>
      <Strategies draft={draft} change={change} />
      <ol class="stage-rows">
        {draft.stages.map((stage, i) => (
          <StageRow key={stage.key} stage={stage} index={i} draft={draft}
            of={draft.stages.length} size={sizes[i]}
            onChange={(next) => put(draft.stages.map((s, k) =>
              (k === i ? next : s)))}
            onRemove={() => put(draft.stages.filter((_, k) => k !== i))} />
        ))}
      </ol>
      <Button small icon="plus" disabled={draft.stages.length >= 16}
        onClick={() => put([...draft.stages, {
          key: newKey(), unit: last?.unit ?? "percent",
          n: last?.unit === "count" ? String(Number(last.n) * 10) : "100",
          gates: null,
        }])}>Add a stage</Button>
    </>
  );
}
