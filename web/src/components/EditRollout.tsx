// SPDX-License-Identifier: Apache-2.0
// What may change of a rollout while it runs. The difference stands in words
// beside the button that saves it.
import { useState } from "preact/hooks";
import { api, segment, type ApiError, type Rollout } from "../api";
import { gatesOf, type DraftGates } from "../draft";
import {
  changesOf, differences, editOf, sameGates, type Difference, type EditDraft,
} from "../edit";
import { asError } from "../hooks";
import { gatesWords, rolloutName, stageWord } from "../plan";
import { Button, ErrorBox, Field } from "./basics";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { Failing, Fold, OnDevice, Pace, When } from "./PlanParts";
import { GatesEditor } from "./StagesEditor";
import { unfoldInvalid, WrongField, wrongOf } from "../wrong";
import { toast } from "./Toast";

/** Somebody has agreed to the plan, or must: the server keeps it as it is. */
export const onlyName = (r: Rollout): boolean => r.state !== "approval" &&
  r.approvals !== undefined &&
  (r.approvals.needed > 0 || r.approvals.given.length > 0);

function Gates({ rollout, gates, onChange }: {
  rollout: Rollout; gates: DraftGates[];
  onChange: (gates: DraftGates[]) => void;
}) {
  const [apart, setApart] = useState(!sameGates(gates));
  const first = gates[0];
  if (!first) {
    return null;
  }
  const stages = rollout.plan?.stages ?? [];
  const title = (i: number) => {
    const n = rollout.stage + i;
    const stage = stages[n];
    return `Stage ${n + 1}${stage ? ` (${stageWord(stage)})` : ""}`;
  };
  return (
    <Fold title="Gates" says={apart ? "each stage has its own"
      : gatesWords(gatesOf(first)).join("; ")}>
      <div class="form-stack">
        {rollout.stage > 0 && <p class="hint">Stages that are passed stay
          passed.</p>}
        {!apart ? (
          <GatesEditor id="edit-gates" gates={first} all={null}
            onChange={(g) => onChange(gates.map(() => g))} />
        ) : gates.map((g, i) => (
          <fieldset key={i} class="edit-stage">
            <legend>{title(i)}</legend>
            <GatesEditor id={`edit-gates-${rollout.stage + i + 1}`} gates={g}
              all={null} onChange={(next) =>
                onChange(gates.map((old, k) => (k === i ? next : old)))} />
          </fieldset>
        ))}
        {!apart && gates.length > 1 && (
          <Button small onClick={() => setApart(true)}>
            Each stage on its own</Button>
        )}
      </div>
    </Fold>
  );
}

export function Differences({ list }: { list: Difference[] }) {
  if (list.length === 0) {
    return <p class="muted">Nothing is changed yet.</p>;
  }
  return (
    <dl class="differences">
      {list.map((d) => (
        <div key={d.title}>
          <dt>{d.title}</dt>
          {d.was.map((line) => <dd key={line}><del>
            <span class="sr-only">until now: </span>{line}</del></dd>)}
          {d.becomes.map((line) => <dd key={line}><ins>
            <Icon name="next" /><span class="sr-only">from now on: </span>
            {line}</ins></dd>)}
        </div>
      ))}
    </dl>
  );
}

export function EditRollout({ rollout, onClose, onDone }: {
  rollout: Rollout; onClose: () => void; onDone: () => void;
}) {
  // What it was when the dialog opened: live news do not move the form.
  const [r] = useState(rollout);
  const [first] = useState(() => editOf(rollout));
  const [draft, setDraft] = useState<EditDraft>(first);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const parts = { draft: draft.plan, change: (changes: object) =>
    setDraft((d) => ({ ...d, plan: { ...d.plan, ...changes } })) };
  const body = changesOf(r, first, draft);
  const list = differences(r, body);
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      await api.patch(`/rollouts/${segment(r.id)}`, body);
      toast("Saved", "good");
      onDone();
      onClose();
    } catch (fault) {
      setError(asError(fault));
      setBusy(false);
    }
  };
  return (
    <Dialog wide title={`Edit ${rolloutName(r)}`} onClose={onClose}>
      <WrongField value={error && wrongOf(error.message)}>
      <form class="form-stack edit-rollout" onInvalidCapture={unfoldInvalid}
        onSubmit={(e) => {
          e.preventDefault();
          if (list.length > 0 && !busy) {
            void save();
          }
        }}>
        <Field label="Name" for="edit-name">
          <input id="edit-name" maxLength={120} value={draft.plan.name}
            placeholder={`${r.product} ${r.version}`} onInput={(e) =>
              parts.change({ name: e.currentTarget.value })} />
        </Field>
        {onlyName(r) ? (
          <p class="hint">The rest was approved as it is, and stays so. Pause
            or abort it, or start another.</p>
        ) : (
          <div class="edit-parts">
            <Gates rollout={r} gates={draft.gates} onChange={(gates) =>
              setDraft((d) => ({ ...d, gates }))} />
            <When {...parts} begun={r.started !== null} />
            <OnDevice {...parts} />
            <Failing {...parts} />
            <Pace {...parts} fixed />
          </div>
        )}
        {r.state === "approval" && (r.approvals?.given.length ?? 0) > 0 && (
          <p class="hint">Saving takes back the approvals that were given.</p>
        )}
        <section class="edit-says" aria-label="What changes" aria-live="polite">
          <h3>What changes</h3>
          <Differences list={list} />
        </section>
        <ErrorBox error={error} />
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}
            disabled={list.length === 0}>Save changes</Button>
        </footer>
      </form>
      </WrongField>
    </Dialog>
  );
}
