// SPDX-License-Identifier: Apache-2.0
// One rollout: what happens, why it waits, and what a person may do about it.
import type { ComponentChildren } from "preact";
import { segment, type Rollout } from "../api";
import {
  Bytes, Card, Digest, ErrorBox, Facts, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { Bar, type Part } from "../components/Bar";
import { BroughtBack, useLeft } from "../components/BroughtBack";
import { FailureShare, FirstFailed, Reasons } from "../components/Failures";
import { Flow } from "../components/Flow";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import { Progress } from "../components/Progress";
import { RolloutActions } from "../components/RolloutActions";
import { RolloutDevices } from "../components/RolloutDevices";
import { StageLanes } from "../components/StageLanes";
import { count, dateTime, number, percent, sentence } from "../format";
import { useResource } from "../hooks";
import { useFocus } from "../live";
import { planWords, rolloutName } from "../plan";
import { href, type Route } from "../router";
import { useSession } from "../session";
import { look, type Tone } from "../states";

/** The tone of the whole: what a person should feel about it. */
function toneOf(r: Rollout): Tone {
  const failing = r.stages[r.stage]?.gates.some((g) => g.state === "failing");
  if (r.state === "paused") {
    return r.state_by === "bowline" || failing ? "bad" : "wait";
  }
  if (r.state === "running") {
    return failing ? "bad" : r.kind === "return" ? "returned" : "busy";
  }
  return look(r.state).tone;
}

function allParts(r: Rollout, left: number | null): Part[] {
  const c = r.counts;
  const kept = left === null ? c.confirmed : Math.min(left, c.confirmed);
  const busy = c.offered + c.downloading + c.verifying + c.installing +
    c.rebooting + c.testing;
  return [
    { state: "confirmed", n: kept },
    { state: "idle", n: c.confirmed - kept, word: "brought back" },
    { state: "testing", n: busy, word: "under way" },
    { state: "returned", n: c.returned },
    { state: "failed", n: c.failed },
    { state: "refused", n: c.refused },
    { state: "silent", n: c.silent },
  ];
}

const KINDS = { update: "Update", rollback: "Rollback", return: "Return" };

function Finish({ rollout }: { rollout: Rollout }) {
  const r = rollout;
  if (r.state === "finished" || r.state === "aborted") {
    return <>Ended <RelativeTime time={r.changed} /></>;
  }
  if (r.state === "scheduled" && r.plan?.start_at) {
    return <>Starts <RelativeTime time={r.plan.start_at} />
      <span class="muted"> ({dateTime(r.plan.start_at)} here)</span></>;
  }
  if (r.state === "running" && r.expected_finish) {
    return (
      <>Expected to finish <RelativeTime time={r.expected_finish} />
        <span class="muted"> ({dateTime(r.expected_finish)})</span></>
    );
  }
  if (r.state === "running" && r.needs_person) {
    return <>It does not go on by itself: it needs a person</>;
  }
  if (r.state === "running") {
    return <>Too early to say when it will finish</>;
  }
  return null;
}

function StatusCard({ rollout }: { rollout: Rollout }) {
  const r = rollout;
  const l = look(r.state);
  const all = r.stages[r.stages.length - 1]?.devices ?? 0;
  const left = useLeft(r);
  const reason = r.state_reason && !r.status.includes(r.state_reason)
    ? r.state_reason : "";
  const by = r.state_by === "bowline" ? "by itself" : `by ${r.state_by}`;
  const stopped = /\bby /.test(r.status) ? "" // it says who
    : `${sentence(`${look(r.state).word} ${by}`).slice(0, -1)}, `;
  return (
    <section class={`status tone-${toneOf(r)}`} aria-label="Status">
      <div class="status-line">
        <span class="status-icon"><Icon name={l.shape} /></span>
        <div>
          <p class="status-text">{sentence(r.status)}</p>
          {reason && <p class="status-reason">{sentence(reason)}</p>}
          {r.state_by && (r.state === "paused" || r.state === "aborted") && (
            <p class="muted">{stopped}
              <RelativeTime time={r.changed} /></p>
          )}
          <BroughtBack rollout={r} left={left} />
        </div>
      </div>
      <div class="status-share">
        <span class="status-percent nums">
          {percent(r.counts.confirmed, all)}</span>
        <span class="muted">{number(r.counts.confirmed)} of {
          count(all, "device")} confirmed{left !== null && " once"}</span>
        <span class="status-finish"><Finish rollout={r} /></span>
      </div>
      <Bar parts={allParts(r, left)} whole={all} legend label="All devices" />
    </section>
  );
}

function Approvals({ rollout }: { rollout: Rollout }) {
  const a = rollout.approvals;
  const { session } = useSession();
  const waits = rollout.state === "approval";
  if (!waits && (!a || a.given.length === 0)) {
    return null;
  }
  const own = rollout.created_by === session.name;
  return (
    <Card title="Approval" tone={waits ? "attention" : "plain"}>
      {waits && (
        <p>{own ? "You made this rollout: somebody else must approve it."
          : "Nothing is offered to devices until somebody other than " +
            `${rollout.created_by} approves.`}</p>
      )}
      {a && a.given.length > 0 && (
        <ul class="plain-list">
          {a.given.map((given) => (
            <li key={`${given.by}${given.when}`}>
              <b>{given.by}</b>{" "}
              <span class="muted"><RelativeTime time={given.when} /></span>
              {given.note && <p class="quote">{given.note}</p>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function PlanCard({ rollout }: { rollout: Rollout }) {
  if (!rollout.plan) {
    return null;
  }
  return (
    <Card title="Plan">
      <dl class="words">
        {planWords(rollout.plan).map(([name, lines]) => (
          <div key={name}>
            <dt>{name}</dt>
            {lines.map((line) => <dd key={line}>{line}</dd>)}
          </div>
        ))}
      </dl>
    </Card>
  );
}

const rolloutLink = (id: number) => (
  <a key={id} href={href("rollouts", id)}>Rollout {id}</a>
);

function FactsCard({ rollout }: { rollout: Rollout }) {
  const r = rollout;
  const items: [string, ComponentChildren][] = [
    ["Release", <a href={href("releases", r.manifest)}>
      {r.product} {r.version}</a>],
    ["Manifest", <Digest hex={r.manifest} n={12} />],
    ["Kind", KINDS[r.kind] ?? r.kind],
    ["Made by", r.created_by || "–"],
    ["Made", <RelativeTime time={r.created} />],
    ["Started", r.started ? <RelativeTime time={r.started} /> : "not yet"],
    ["Bucket salt", <code>{r.salt}</code>],
  ];
  if (r.bytes) {
    items.splice(3, 0,
      ["Payload", <Bytes n={r.bytes.payload} />],
      ["Sent so far", <Bytes n={r.bytes.sent} />],
      ["Saved", <><Bytes n={r.bytes.saved} /> <span class="muted">
        against full images</span></>]);
    if (r.bytes.delta_devices) {
      items.splice(6, 0, ["Saved by patches", <>
        <Bytes n={r.bytes.delta_saved ?? 0} /> <span class="muted">
          {count(r.bytes.delta_devices, "device")} had one</span></>]);
    }
  }
  if (r.returns_from) {
    items.push(["Brings back", rolloutLink(r.returns_from)]);
  }
  if (r.returns && r.returns.length > 0) {
    items.push(["Returned by", <span class="tags">
      {r.returns.map(rolloutLink)}</span>]);
  }
  return <Card title="Facts"><Facts items={items} /></Card>;
}

function Blocked({ rollout }: { rollout: Rollout }) {
  const b = rollout.blocked;
  if (!b || b.count === 0) {
    return null;
  }
  return (
    <div class="note">
      <Icon name="alert" />
      <p><b>{count(b.count, "device")} cannot take it.</b>{" "}
        {sentence(b.reason)}</p>
    </div>
  );
}

function Whole({ rollout, route }: { rollout: Rollout; route: Route }) {
  const c = rollout.counts;
  const begun = rollout.started !== null;
  const judged = begun && (rollout.failure.sample > 0 ||
    rollout.state === "running" || rollout.state === "paused");
  const decided = rollout.waiting_for.count > 0 ||
    c.confirmed + c.returned + c.failed + c.refused > 0;
  return (
    <div class="stack">
      <StatusCard rollout={rollout} />
      <Blocked rollout={rollout} />
      {begun && (
        <Card title="Where the devices are"><Flow rollout={rollout} /></Card>
      )}
      <div class="columns">
        <div class="stack">
          <Card title="Stages"><StageLanes rollout={rollout} /></Card>
          <Progress rollout={rollout} />
          <Reasons rollout={rollout} />
          {!decided && <PlanCard rollout={rollout} />}
        </div>
        <div class="stack">
          <Approvals rollout={rollout} />
          {judged && <FailureShare rollout={rollout} />}
          <FirstFailed rollout={rollout} />
          <FactsCard rollout={rollout} />
        </div>
      </div>
      {decided && <RolloutDevices rollout={rollout} route={route} />}
      {decided && <PlanCard rollout={rollout} />}
    </div>
  );
}

export function RolloutPage({ id, route }: { id: string; route: Route }) {
  const numeric = Number(id);
  useFocus({ rollout: Number.isFinite(numeric) ? numeric : undefined });
  const r = useResource<Rollout>(`/rollouts/${segment(id)}`, {
    on: ["rollout", "fleet"], // fleet: some counts have changed
    match: (notice) => notice.topic === "fleet"
      || Number(notice.data.id) === numeric,
  });
  const rollout = r.data;
  if (!rollout) {
    return (
      <>
        <PageHead title="Rollout"
          above={<a href="#/rollouts">Rollouts</a>} />
        <ErrorBox error={r.error} retry={r.reload} />
        {r.loading && <Skeleton lines={8} />}
      </>
    );
  }
  return (
    <>
      <PageHead title={rolloutName(rollout)}
        above={<a href="#/rollouts">Rollouts</a>}
        actions={<RolloutActions rollout={rollout} onDone={r.reload} />}>
        <Pill state={rollout.state} />
        {rollout.security && <span class="badge"><Icon name="shield" />
          Security</span>}
        {rollout.kind !== "update" && <span class="badge">
          <Icon name="back" />{KINDS[rollout.kind]}</span>}
        <a href={href("releases", rollout.manifest)}>
          {rollout.product} {rollout.version}</a>
        <span>by {rollout.created_by || "–"}{" "}
          <RelativeTime time={rollout.started ?? rollout.created} /></span>
      </PageHead>
      <ErrorBox error={r.error} retry={r.reload} />
      <Whole rollout={rollout} route={route} />
    </>
  );
}
