// SPDX-License-Identifier: Apache-2.0
// All rollouts: those that need a person first, what runs, what has ended.
import { useState } from "preact/hooks";
import { withQuery, type List, type Rollout } from "../api";
import {
  Button, Empty, ErrorBox, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { Bar } from "../components/Bar";
import { Icon } from "../components/Icon";
import { gateWaits, stageParts } from "../components/StageLanes";
import { stageSize } from "../components/Lane";
import { Pill } from "../components/Pill";
import { count, number, percent, sentence } from "../format";
import { useCurrentInView, useResource } from "../hooks";
import { rolloutName } from "../plan";
import { href, type Route } from "../router";
import { useMay } from "../session";
import { look } from "../states";

const NEEDS = ["approval", "paused"];
const ACTIVE = ["running", "scheduled"];
const COMMANDS = [
  "bowline rollout start 1.0.0",
  "bowline rollout apply rollout.conf",
];

/** Its stages as one line: a segment each, as wide as it looks. */
function MiniLanes({ rollout }: { rollout: Rollout }) {
  const gates = rollout.stages[rollout.stage]?.gates ?? [];
  const open = gates.find((g) => g.name === "failed"
    && g.state !== "passed") ?? gates.find((g) => g.state === "waiting");
  return (
    <ol class="mini-lanes" aria-label="Stages">
      {rollout.stages.map((stage, i) => {
        const l = look(stage.state === "waiting" ? "untouched"
          : stage.state === "running" && rollout.state !== "running"
            ? rollout.state : stage.state);
        return (
          <li key={i} class={`mini-lane mini-${stage.state} tone-${l.tone}`}>
            <Bar slim label={`Stage ${i + 1}`} whole={stage.devices}
              parts={stageParts(rollout, i)} />
            <span class="mini-words">
              <Icon name={l.shape} />
              <b>{stageSize(stage)}</b>
              <span class="muted nums">{stage.state === "waiting"
                ? count(stage.devices, "device")
                : `${number(stage.confirmed)} of ${
                  number(stage.devices)}`}
              </span>
              {stage.state === "running" && open && (
                <span class={`mini-gate tone-${look(open.state).tone}`}
                  title={open.text}>
                  <Icon name={look(open.state).shape} />{gateWaits(open)}
                </span>
              )}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Losses({ rollout }: { rollout: Rollout }) {
  const c = rollout.counts;
  const list = (["returned", "failed", "refused", "silent"] as const)
    .filter((state) => c[state] > 0);
  return (
    <>
      {list.map((state) => (
        <span key={state} class={`loss tone-${look(state).tone}`}>
          <Icon name={look(state).shape} />
          <b class="nums">{number(c[state])}</b> {look(state).word}
        </span>
      ))}
    </>
  );
}

function RolloutCard({ rollout }: { rollout: Rollout }) {
  const r = rollout;
  const all = r.stages[r.stages.length - 1]?.devices ?? 0;
  const over = r.state === "finished" || r.state === "aborted";
  return (
    <li class="card entry" data-rollout={r.id}>
      <div class="entry-head">
        <h2><a href={href("rollouts", r.id)}>{rolloutName(r)}</a></h2>
        <Pill state={r.state} />
        {r.security && <span class="badge"><Icon name="shield" />Security
        </span>}
        {r.kind !== "update" && <span class="badge"><Icon name="back" />
          {r.kind === "return" ? "Return" : "Rollback"}</span>}
        <span class="entry-share nums">
          {percent(r.counts.confirmed, all)}</span>
      </div>
      <p class="entry-status">{sentence(r.status)}</p>
      <MiniLanes rollout={r} />
      <p class="entry-foot muted">
        <span>{r.product} {r.version}</span>
        <span>by {r.created_by || "–"} <RelativeTime
          time={r.started ?? r.created} /></span>
        {over && <span>ended <RelativeTime time={r.changed} /></span>}
        {r.state === "running" && r.expected_finish && (
          <span>expected to finish <RelativeTime time={r.expected_finish} />
          </span>
        )}
        <Losses rollout={r} />
      </p>
    </li>
  );
}

const TABS = [
  { key: "active", title: "Active" },
  { key: "needs", title: "Needs you" },
  { key: "running", title: "Running and scheduled" },
  { key: "ended", title: "Ended" },
] as const;
type Tab = typeof TABS[number]["key"];

function inTab(tab: Tab, r: Rollout): boolean {
  const needs = NEEDS.includes(r.state) || r.needs_person === true;
  const active = ACTIVE.includes(r.state);
  return tab === "active" ? needs || active : tab === "needs" ? needs
    : tab === "running" ? active : !needs && !active;
}

function NothingHere({ tab, any }: { tab: Tab; any: boolean }) {
  const may = useMay();
  if (any) {
    return (
      <Empty icon="check" title={tab === "needs"
        ? "Nothing needs you" : tab === "ended" ? "None has ended yet"
        : "No rollout is under way"}>
        {tab === "needs"
          ? "A rollout comes here when it waits for approval, has " +
            "paused, or cannot go on by itself."
          : "It will be listed here."}
      </Empty>
    );
  }
  return (
    <Empty icon="rollouts" title="No rollout yet"
      commands={may.operate ? COMMANDS : undefined}>
      A rollout brings a release to devices in stages, advances on what they
      report, and stops by itself.
      {may.operate && <p><a href="#/rollouts/new">Make the first one here</a>
        , or with the tool:</p>}
    </Empty>
  );
}

export function Rollouts({ route }: { route: Route }) {
  const may = useMay();
  const [limit, setLimit] = useState(100);
  const product = route.query.get("product") ?? "";
  const list = useResource<List<Rollout>>(
    withQuery("/rollouts", { limit, product }),
    { on: ["rollout", "fleet"], everyMs: 2000 });
  const all = list.data?.items ?? [];
  const wish = route.query.get("show");
  const tab: Tab = TABS.find((t) => t.key === wish)?.key ?? "active";
  const rows = all.filter((r) => inTab(tab, r)).sort((a, b) =>
    Number(inTab("needs", b)) - Number(inTab("needs", a)) || b.id - a.id);
  const tabs = useCurrentInView(tab);
  const none = list.data !== null && all.length === 0;
  return (
    <>
      <PageHead title="Rollouts" actions={may.operate && (
        <a class="button button-primary" href="#/rollouts/new">
          <Icon name="plus" />New rollout</a>)} />
      <ErrorBox error={list.error} retry={list.reload} />
      {!none && (
        <nav class="tabs" aria-label="Rollouts by state" ref={tabs}>
          {TABS.map(({ key, title }) => {
            const n = all.filter((r) => inTab(key, r)).length;
            return (
              <a key={key} href={href("rollouts",
                { show: key === "active" ? "" : key, product })}
                aria-current={key === tab ? "page" : undefined}>
                {title}
                {n > 0 && <span class={`tab-n nums ${
                  key === "needs" ? "tab-n-hot" : ""}`}>{n}</span>}
              </a>
            );
          })}
        </nav>
      )}
      {list.loading && <Skeleton lines={6} />}
      {list.data && rows.length === 0 &&
        <NothingHere tab={tab} any={!none} />}
      <ul class="entries">
        {rows.map((r) => <RolloutCard key={r.id} rollout={r} />)}
      </ul>
      {list.data?.next && tab === "ended" && (
        <p class="more-follow">
          <Button onClick={() => setLimit(limit + 100)}>Show older</Button>
        </p>
      )}
    </>
  );
}
