// SPDX-License-Identifier: Apache-2.0
// The parts of a plan that may also change while its rollout runs: when, on
// the device, when it goes wrong, pace.
import type { ComponentChildren } from "preact";
import { newKey, planOf, type Draft } from "../draft";
import { count } from "../format";
import { planWords, windowWords } from "../plan";
import { Button, Check, Field, Segmented } from "./basics";
import { marks, useWrong, WrongText } from "../wrong";
import { Icon } from "./Icon";
import { DayButtons, DurationField, NumberField } from "./Inputs";

export type Change = (changes: Partial<Draft>) => void;
export interface PartProps {
  draft: Draft;
  change: Change;
}

/** A part that is folded: its title and, in words, what it says now. */
export function Fold({ title, says, open, children }: {
  title: string; says: string; open?: boolean; children: ComponentChildren;
}) {
  return (
    <details class="card part-of-form" open={open}>
      <summary>
        <h2>{title}</h2>
        <span class="part-of-form-says muted">{says}</span>
        <Icon name="down" />
      </summary>
      <div class="part-of-form-body">{children}</div>
    </details>
  );
}

function Window({ n, value, put, remove }: {
  n: number; value: Draft["windows"][number];
  put: (changes: Partial<Draft["windows"][number]>) => void;
  remove: () => void;
}) {
  const name = `window ${n}`;
  const id = `window-${n}`;
  const wrong = useWrong(id);
  return (
    <div class="window-row" role="group" aria-label={name}>
      <DayButtons days={value.days} name={name}
        onChange={(days) => put({ days })} />
      <span class="window-times">
        <input type="time" aria-label={`${name} from`} value={value.from}
          {...marks(id, wrong)}
          onInput={(e) => put({ from: e.currentTarget.value })} />
        <span class="muted">to</span>
        <input type="time" aria-label={`${name} to`} value={value.to}
          {...marks(id, wrong)}
          onInput={(e) => put({ to: e.currentTarget.value })} />
        <Button small kind="quiet" icon="trash" label={`Remove ${name}`}
          onClick={remove} />
      </span>
      <WrongText id={id} text={wrong} />
    </div>
  );
}

function Windows({ draft, change }: PartProps) {
  const put = (i: number, changes: Partial<Draft["windows"][number]>) =>
    change({ windows: draft.windows.map((w, k) =>
      (k === i ? { ...w, ...changes } : w)) });
  return (
    <div class="form-stack">
      {draft.windows.map((w, i) => (
        <Window key={w.key} n={i + 1} value={w}
          put={(changes) => put(i, changes)} remove={() => change({
            windows: draft.windows.filter((_, k) => k !== i) })} />
      ))}
      <Button small icon="plus" disabled={draft.windows.length >= 8}
        onClick={() => change({ windows: [...draft.windows, {
          key: newKey(), days: ["mon", "tue", "wed", "thu", "fri"],
          from: "02:00", to: "05:00",
        }] })}>Add a window</Button>
      <p class="hint">In each device's own local time. Without windows: at any
        time.</p>
    </div>
  );
}

function Start({ draft, change }: PartProps) {
  return (
    <div class="form-grid">
      <div class="field">
        <span class="label">Start</span>
        <Segmented name="start" legend="Start" value={draft.start}
          choices={[{ value: "now", label: "At once" },
            { value: "at", label: "Later" }]}
          onChange={(start) => change({ start })} />
      </div>
      {draft.start === "at" && (
        <Field label="Start at" for="start-at" hint="Your local time">
          <input id="start-at" type="datetime-local"
            value={draft.startAt} onInput={(e) =>
              change({ startAt: e.currentTarget.value })} />
        </Field>
      )}
    </div>
  );
}

/** `begun`: it has started, its start time is past. */
export function When({ draft, change, begun }: PartProps & {
  begun?: boolean;
}) {
  const says = [
    begun ? "" : draft.start === "at" && draft.startAt
      ? `from ${draft.startAt.replace("T", " ")}` : "at once",
    draft.windows.length > 0 ? draft.windows.map(windowWords).join("; ")
      : "any time",
    draft.deadline ? `forced from ${draft.deadline.replace("T", " ")}` : "",
  ].filter(Boolean).join(" · ");
  return (
    <Fold title="When" says={says}>
      <div class="form-stack">
        {!begun && <Start draft={draft} change={change} />}
        <div><span class="label">Windows</span>
          <Windows draft={draft} change={change} /></div>
        <div class="form-grid">
          <Field label="Deadline (optional)" for="deadline"
            hint={"After it, windows, consent, battery and network rules " +
              "count no more."}>
            <input id="deadline" type="datetime-local" value={draft.deadline}
              onInput={(e) => change({ deadline: e.currentTarget.value })} />
          </Field>
        </div>
      </div>
    </Fold>
  );
}

export function OnDevice({ draft, change }: PartProps) {
  const says = [
    draft.consent ? "asks a person" : "",
    draft.battery ? `battery ${draft.battery}%` : "",
    draft.metered ? "" : "not metered", draft.roaming ? "" : "not roaming",
  ].filter(Boolean).join(" · ") || "no conditions";
  return (
    <Fold title="On the device" says={says}>
      <div class="form-stack">
        <Check id="consent" checked={draft.consent}
          onChange={(consent) => change({ consent })}>
          A person at the device must agree
        </Check>
        <Check id="metered" checked={!draft.metered}
          onChange={(on) => change({ metered: !on })}>
          Not over metered links
        </Check>
        <Check id="roaming" checked={!draft.roaming}
          onChange={(on) => change({ roaming: !on })}>
          Not while roaming
        </Check>
        <div class="form-grid">
          <NumberField id="battery" label="Battery, at least" unit="%"
            max={100} value={draft.battery} placeholder="any"
            onChange={(battery) => change({ battery })}
            hint="Devices on external power need not wait." />
        </div>
      </div>
    </Fold>
  );
}

export function Failing({ draft, change }: PartProps) {
  const words = planWords(planOf(draft));
  const said = words.filter(([name]) => name === "Too many failures"
    || name === "A device that fails").map(([, lines]) => lines.join(", "))
    .join(" · ");
  const says = said.charAt(0).toLowerCase() + said.slice(1);
  return (
    <Fold title="When it goes wrong" says={says}>
      <div class="form-stack">
        <div class="field">
          <span class="label">Too many failures</span>
          <Segmented name="on-failure" legend="Too many failures"
            value={draft.onFailure}
            choices={[{ value: "pause", label: "Pause" },
              { value: "return", label: "Pause and return devices" }]}
            onChange={(onFailure) => change({ onFailure })} />
          {draft.onFailure === "return" && (
            <p class="hint">Devices refuse an older release unless a signed
              permit allows it{draft.permits.length > 0
                ? `; the plan has ${count(draft.permits.length, "permit")}.`
                : <>. Permits are made where the release keys are:{" "}
                  <code>bowline rollout start --on-failure return</code></>}
            </p>
          )}
        </div>
        <div class="form-grid">
          <NumberField id="attempts" label="Tries of a device" min={1}
            max={10} value={draft.attempts} placeholder="2"
            onChange={(attempts) => change({ attempts })} />
          <DurationField id="quarantine" label="Then quarantine"
            value={draft.quarantine} standard={86400}
            onChange={(quarantine) => change({ quarantine })} />
        </div>
      </div>
    </Fold>
  );
}

/** `fixed`: whether it is for security stays. */
export function Pace({ draft, change, fixed }: PartProps & {
  fixed?: boolean;
}) {
  const says = [
    draft.rate ? `${draft.rate} an hour` : "as fast as devices ask",
    draft.downloads ? `${draft.downloads} downloads at once` : "",
    draft.priority ? `priority ${draft.priority}` : "",
    draft.security ? "security" : "",
  ].filter(Boolean).join(" · ");
  return (
    <Fold title="Pace and priority" says={says}>
      <div class="form-stack">
        <div class="form-grid">
          <NumberField id="rate" label="New devices an hour" value={draft.rate}
            placeholder="no limit" onChange={(rate) => change({ rate })} />
          <NumberField id="downloads" label="Downloads at once"
            value={draft.downloads} placeholder="the server's limit"
            onChange={(downloads) => change({ downloads })} />
          <NumberField id="priority" label="Priority" min={-100} max={100}
            value={draft.priority} placeholder="0"
            onChange={(priority) => change({ priority })} />
        </div>
        {!fixed && (
          <Check id="security" checked={draft.security}
            onChange={(security) => change({ security })}>
            A security release: goes before rollouts that are not
          </Check>
        )}
      </div>
    </Fold>
  );
}
