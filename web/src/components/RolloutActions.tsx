// SPDX-License-Identifier: Apache-2.0
// What a person may do to a rollout. Each opens a question that says whom it
// touches before it does; who may not do it does not see it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api, segment, type Rollout } from "../api";
import { rolloutName } from "../plan";
import { href } from "../router";
import { useMay, useSession } from "../session";
import { Button, Check, Field } from "./basics";
import { Confirm } from "./Dialog";
import { EditRollout } from "./EditRollout";
import { Icon, type IconName } from "./Icon";
import { Menu } from "./Menu";
import { useLeft } from "./BroughtBack";
import { ReturnDialog } from "./ReturnDialog";

export type Act =
  | "approve" | "deny" | "pause" | "resume" | "advance" | "abort" | "return"
  | "retry" | "begin" | "edit";

interface DialogProps {
  rollout: Rollout;
  onClose: () => void;
  onDone: () => void;
}

const pathOf = (r: Rollout, act: string): string =>
  `/rollouts/${segment(r.id)}/${act}`;

const previewOf = (r: Rollout, act: string, body?: unknown) => ({
  path: `${pathOf(r, act)}?preview=1`, method: "POST" as const, body,
  fresh: JSON.stringify([r.state, r.stage, r.changed, r.counts]),
});

/** Approving touches whom the plan does. */
const planPreview = (r: Rollout) => ({
  path: "/rollouts/preview",
  method: "POST" as const,
  body: { ...r.plan, product: r.product, manifest: r.manifest,
    version: undefined },
});

function useNote(id: string, label: string, placeholder: string):
  [string, ComponentChildren] {
  const [note, setNote] = useState("");
  return [note, (
    <Field label={label} for={id}>
      <input id={id} value={note} maxLength={160} placeholder={placeholder}
        onInput={(e) => setNote(e.currentTarget.value)} />
    </Field>
  )];
}

function Approve({ rollout, onClose, onDone }: DialogProps) {
  const [note, field] = useNote("approve-note", "Note (optional)",
    "Seen by all, kept in the audit log");
  return (
    <Confirm title={`Approve ${rolloutName(rollout)}?`} button="Approve"
      preview={rollout.plan && rollout.kind === "update"
        ? planPreview(rollout) : undefined}
      done="Approved" onClose={onClose}
      work={() => api.post(pathOf(rollout, "approve"),
        note ? { note } : {}).then(onDone)}>
      {field}
    </Confirm>
  );
}

function Deny({ rollout, onClose, onDone }: DialogProps) {
  const [note, field] = useNote("deny-note", "Why? (optional)",
    "Seen by all, kept in the audit log");
  return (
    <Confirm title={`Deny ${rolloutName(rollout)}?`} button="Deny" danger
      done="Denied" onClose={onClose}
      work={() => api.post(pathOf(rollout, "deny"),
        note ? { note } : {}).then(onDone)}>
      <p>The rollout ends before it began. No device is touched.</p>
      {field}
    </Confirm>
  );
}

function Pause({ rollout, onClose, onDone }: DialogProps) {
  const [reason, field] = useNote("pause-reason", "Why? (optional)",
    "Shown while it is paused, kept in the audit log");
  return (
    <Confirm title={`Pause ${rolloutName(rollout)}?`} button="Pause" done="Paused"
      preview={previewOf(rollout, "pause")} onClose={onClose}
      work={() => api.post(pathOf(rollout, "pause"),
        reason ? { reason } : {}).then(onDone)}>
      {field}
    </Confirm>
  );
}

function Resume({ rollout, onClose, onDone }: DialogProps) {
  return (
    <Confirm title={`Resume ${rolloutName(rollout)}?`} button="Resume" done="Resumed"
      preview={previewOf(rollout, "resume")} onClose={onClose}
      work={() => api.post(pathOf(rollout, "resume")).then(onDone)}>
      {rollout.state_reason && (
        <p class="muted">It was paused: {rollout.state_reason}</p>
      )}
    </Confirm>
  );
}

function Advance({ rollout, onClose, onDone }: DialogProps) {
  const stage = rollout.stages[rollout.stage];
  const open = (stage?.gates ?? []).filter((g) =>
    g.state !== "passed" && g.name !== "manual");
  const [force, setForce] = useState(false);
  const body = force ? { force: true } : {};
  return (
    <Confirm title={`Advance to stage ${rollout.stage + 2} now?`}
      button="Advance now" danger={open.length > 0} done="Advanced"
      preview={previewOf(rollout, "advance",
        open.length > 0 ? { force: true } : {})}
      disabled={open.length > 0 && !force} onClose={onClose}
      work={() => api.post(pathOf(rollout, "advance"), body).then(onDone)}>
      {open.length > 0 && (
        <>
          <ul class="open-gates" aria-label="Gates that are not passed">
            {open.map((g) => (
              <li key={g.name} class={g.state === "failing" ? "tone-bad"
                : "tone-wait"}>
                <Icon name={g.state === "failing" ? "cross" : "clock"} />
                {g.text}
              </li>
            ))}
          </ul>
          <Check id="advance-force" checked={force} onChange={setForce}>
            Advance although {open.length === 1 ? "this gate is"
              : "these gates are"} not passed
          </Check>
        </>
      )}
    </Confirm>
  );
}

function Abort({ rollout, onClose, onDone }: DialogProps) {
  const [recall, setRecall] = useState(true);
  const [reason, field] = useNote("abort-reason", "Why? (optional)",
    "Seen by all, kept in the audit log");
  return (
    <Confirm title={`Abort ${rolloutName(rollout)}?`} button="Abort the rollout"
      danger done="Aborted" onClose={onClose}
      preview={previewOf(rollout, "abort", { recall })}
      work={() => api.post(pathOf(rollout, "abort"),
        reason ? { recall, reason } : { recall }).then(onDone)}>
      {field}
      <Check id="abort-recall" checked={recall} onChange={setRecall}>
        Recall it from devices that have not yet installed it
      </Check>
      <p class="muted">
        An aborted rollout cannot go on. Devices that run the release keep it;
        to take it back from them too, return them afterwards.
      </p>
    </Confirm>
  );
}

function Retry({ rollout, onClose, onDone }: DialogProps) {
  return (
    <Confirm title="Let failed devices try again?" button="Retry"
      done="They may try again" preview={previewOf(rollout, "retry")}
      onClose={onClose}
      work={() => api.post(pathOf(rollout, "retry")).then(onDone)}>
      <p class="muted">
        Those that failed, returned, refused or sit in quarantine are offered
        it again, each at its next poll.
      </p>
      {rollout.state === "paused" && (
        <p class="muted">The rollout is paused: they wait until it resumes.
        </p>
      )}
    </Confirm>
  );
}

function Begin({ rollout, onClose, onDone }: DialogProps) {
  return (
    <Confirm title={`Start ${rolloutName(rollout)} now?`} button="Start now"
      done="Started" preview={rollout.plan ? planPreview(rollout) : undefined}
      onClose={onClose}
      work={() => api.patch(`/rollouts/${segment(rollout.id)}`,
        { start_at: 0 }).then(onDone)} />
  );
}

const DIALOGS = {
  approve: Approve, deny: Deny, pause: Pause, resume: Resume,
  advance: Advance, abort: Abort, retry: Retry, return: ReturnDialog,
  begin: Begin, edit: EditRollout,
};

interface Offer {
  act: Act;
  text: string;
  icon: IconName;
  kind?: "primary" | "danger";
}

const OFFERS: Record<Act, Offer> = {
  approve: { act: "approve", text: "Approve", icon: "check", kind: "primary" },
  deny: { act: "deny", text: "Deny", icon: "cross", kind: "danger" },
  pause: { act: "pause", text: "Pause", icon: "pause" },
  resume: { act: "resume", text: "Resume", icon: "play", kind: "primary" },
  advance: { act: "advance", text: "Advance now", icon: "next" },
  abort: { act: "abort", text: "Abort", icon: "bar", kind: "danger" },
  return: { act: "return", text: "Return devices", icon: "back" },
  retry: { act: "retry", text: "Retry failed", icon: "rollouts" },
  begin: { act: "begin", text: "Start now", icon: "play" },
  edit: { act: "edit", text: "Edit", icon: "settings" },
};

interface May {
  operate: boolean;
  approve: boolean;
}

/** What fits the state, the most likely first. */
export function actsOf(r: Rollout, may: May, own: boolean,
  left: number | null): Act[] {
  const acts: Act[] = [];
  const active = r.state === "running" || r.state === "paused";
  const lost = r.counts.failed + r.counts.returned + r.counts.refused +
    r.counts.quarantined;
  const put = (when: boolean, act: Act) => {
    if (when) {
      acts.push(act);
    }
  };
  put(may.approve && r.state === "approval" && !own, "approve");
  put(may.approve && r.state === "approval" && !own, "deny");
  put(may.operate && r.state === "scheduled", "begin");
  put(may.operate && r.state === "paused", "resume");
  put(may.approve && r.state === "running", "pause");
  put(may.operate && r.state === "running" &&
    r.stage + 1 < r.stages.length, "advance");
  put(may.operate && r.kind === "update" && r.state !== "approval" &&
    r.state !== "scheduled" && r.counts.confirmed > 0 && left !== 0,
    "return");
  put(may.operate && active && lost > 0, "retry");
  put(may.operate && (active || r.state === "scheduled" ||
    (r.state === "approval" && own)), "abort");
  put(may.operate && r.plan !== undefined && (active ||
    r.state === "scheduled" || (r.state === "approval" && own)), "edit");
  return acts;
}

function ActButton({ act, onClick }: { act: Act; onClick: () => void }) {
  const offer = OFFERS[act];
  return (
    <Button icon={offer.icon} kind={offer.kind} onClick={onClick}>
      {offer.text}
    </Button>
  );
}

export function RolloutActions({ rollout, onDone }:
  { rollout: Rollout; onDone: () => void }) {
  const may = useMay();
  const { session } = useSession();
  const [act, setAct] = useState<Act | null>(null);
  const own = rollout.created_by === session.name;
  const left = useLeft(rollout);
  const acts = actsOf(rollout, may, own, left);
  const Chosen = act ? DIALOGS[act] : null;
  return (
    <>
      {acts.map((a) =>
        <ActButton key={a} act={a} onClick={() => setAct(a)} />)}
      <Menu icon="more" label="More">
        {(close) => (
          <>
            {may.operate && rollout.plan && rollout.kind === "update" && (
              <a class="menu-item" onClick={close}
                href={href("rollouts", "new", { clone: rollout.id })}>
                <Icon name="copy" />Clone</a>
            )}
            <a class="menu-item" download onClick={close}
              href={`/api/v1/export/rollouts/${segment(rollout.id)
                }?format=csv`}>
              <Icon name="download" />Export CSV</a>
            <a class="menu-item" download onClick={close}
              href={`/api/v1/export/rollouts/${segment(rollout.id)
                }?format=jsonl`}>
              <Icon name="download" />Export JSON lines</a>
          </>
        )}
      </Menu>
      {Chosen && (
        <Chosen rollout={rollout} onClose={() => setAct(null)}
          onDone={onDone} />
      )}
    </>
  );
}
