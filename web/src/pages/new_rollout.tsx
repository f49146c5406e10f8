// SPDX-License-Identifier: Apache-2.0
// A new rollout on one page: a release is enough, all else has defaults. Beside
// it, what the server says that it would do.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import {
  api, segment, withQuery, type List, type Plan, type Preview, type Product,
  type Release, type Rollout,
} from "../api";
import {
  Button, Card, Check, Command, Empty, ErrorBox, Field, PageHead, Segmented, Skeleton,
} from "../components/basics";
import { Icon } from "../components/Icon";
import { DayButtons, DurationField, NumberField } from "../components/Inputs";
import { PlanFile, PreviewPanel } from "../components/PreviewPanel";
import { QueryField, queryError } from "../components/QueryField";
import { GatesEditor, StagesEditor } from "../components/StagesEditor";
import {
  draftOf, emptyDraft, idsOf, newKey, planOf, type Draft,
} from "../draft";
import { count, dayOfYear } from "../format";
import { useAction, useResource, useSettled } from "../hooks";
import { gatesWords, planWords, rolloutName, windowWords } from "../plan";
import { go, type Route } from "../router";
import { useMay } from "../session";

type Change = (changes: Partial<Draft>) => void;
interface PartProps {
  draft: Draft;
  change: Change;
}

/** A part that is folded: its title and, in words, what it says now. */
function Fold({ title, says, open, children }: {
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

function What({ draft, change, products, releases, known }: PartProps & {
  products: Product[]; releases: Release[]; known: boolean;
}) {
  const chosen = releases.find((r) => r.manifest === draft.manifest);
  return (
    <Card title="What">
      <div class="form-grid">
        <Field label="Product" for="product">
          <select id="product" value={draft.product} onChange={(e) => change({
            product: e.currentTarget.value, manifest: "", version: "",
          })}>
            {draft.product === "" && <option value="">Choose one</option>}
            {products.map((p) => <option key={p.name} value={p.name}>{p.name}
            </option>)}
          </select>
        </Field>
        <Field label="Release" for="release">
          <select id="release" value={draft.manifest}
            onChange={(e) => change({ manifest: e.currentTarget.value })}>
            {releases.length === 0 && <option value="">None yet</option>}
            {releases.map((r, i) => (
              <option key={r.manifest} value={r.manifest}>
                {r.version}{i === 0 ? " (newest)" : ""}
                {r.security ? ", security" : ""}
                {r.stepping ? ", stepping stone" : ""}
                {r.channels?.length ? `, ${r.channels.join(" ")}` : ""}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Name" for="name">
          <input id="name" value={draft.name} maxLength={120}
            placeholder={chosen ? `${draft.product} ${chosen.version}` : ""}
            onInput={(e) => change({ name: e.currentTarget.value })} />
        </Field>
      </div>
      {draft.product !== "" && known && releases.length === 0 && (
        <div class="form-stack chosen-release">
          <p class="hint">{draft.product} has no release yet. Make and publish
            one:</p>
          <Command text="bowline release firmware.bin --version 1.0.0" />
          <Command text="bowline publish" />
        </div>
      )}
      {chosen && (
        <p class="hint chosen-release">
          Sequence {chosen.sequence}, published {dayOfYear(chosen.created)}
          {chosen.notes ? `. ${chosen.notes}` : ""}
        </p>
      )}
    </Card>
  );
}

function Who({ draft, change, error, channels }: PartProps & {
  error: ReturnType<typeof queryError>; channels: string[];
}) {
  return (
    <Card title="Who">
      <div class="form-stack">
        <QueryField value={draft.query} error={error}
          onChange={(query) => change({ query })} />
        <div class="form-grid">
          <Field label="Channel" for="channel">
            <input id="channel" list="channels" value={draft.channel}
              placeholder="any" autocapitalize="none" spellcheck={false}
              onInput={(e) => change({ channel: e.currentTarget.value })} />
            <datalist id="channels">
              {channels.map((c) => <option key={c} value={c} />)}
            </datalist>
          </Field>
        </div>
        <details class="help" open={draft.include + draft.exclude !== ""}>
          <summary><Icon name="filter" />Lists of devices{
            draft.include + draft.exclude !== "" && `: ${
              count(idsOf(draft.include).length, "id")} included, ${
              idsOf(draft.exclude).length} excluded`}</summary>
          <div class="help-body form-grid">
            {(["include", "exclude"] as const).map((name) => (
              <Field key={name} for={name} label={name === "include"
                ? "Only these" : "Never these"}
                hint="Device ids, one a line">
                <textarea id={name} rows={3} class="mono" spellcheck={false}
                  value={draft[name]} onInput={(e) =>
                    change({ [name]: e.currentTarget.value })} />
              </Field>
            ))}
          </div>
        </details>
      </div>
    </Card>
  );
}

function Windows({ draft, change }: PartProps) {
  const put = (i: number, changes: Partial<Draft["windows"][number]>) =>
    change({ windows: draft.windows.map((w, k) =>
      (k === i ? { ...w, ...changes } : w)) });
  return (
    <div class="form-stack">
      {draft.windows.map((w, i) => {
        const name = `window ${i + 1}`;
        return (
          <div key={w.key} class="window-row" role="group" aria-label={name}>
            <DayButtons days={w.days} name={name}
              onChange={(days) => put(i, { days })} />
            <span class="window-times">
              <input type="time" aria-label={`${name} from`} value={w.from}
                onInput={(e) => put(i, { from: e.currentTarget.value })} />
              <span class="muted">to</span>
              <input type="time" aria-label={`${name} to`} value={w.to}
                onInput={(e) => put(i, { to: e.currentTarget.value })} />
              <Button small kind="quiet" icon="trash"
                label={`Remove ${name}`} onClick={() => change({
                  windows: draft.windows.filter((_, k) => k !== i) })} />
            </span>
          </div>
        );
      })}
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

function When({ draft, change }: PartProps) {
  const says = [
    draft.start === "at" && draft.startAt
      ? `from ${draft.startAt.replace("T", " ")}` : "at once",
    draft.windows.length > 0 ? draft.windows.map(windowWords).join("; ")
      : "any time",
    draft.deadline ? `forced from ${draft.deadline.replace("T", " ")}` : "",
  ].filter(Boolean).join(" · ");
  return (
    <Fold title="When" says={says}>
      <div class="form-stack">
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

function OnDevice({ draft, change }: PartProps) {
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

function Failing({ draft, change }: PartProps) {
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

function Pace({ draft, change }: PartProps) {
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
        <Check id="security" checked={draft.security}
          onChange={(security) => change({ security })}>
          A security release: goes before rollouts that are not
        </Check>
      </div>
    </Fold>
  );
}

function Stages({ draft, change, preview }: PartProps & {
  preview: Preview | null;
}) {
  return (
    <Card title="Stages">
      <div class="form-stack">
        <StagesEditor draft={draft} change={change} preview={preview} />
        <details class="help">
          <summary><Icon name="filter" />A stage passes when: {
            gatesWords(planOf(draft).gates).join("; ")}</summary>
          <div class="help-body">
            <GatesEditor id="gates" gates={draft.gates} all={null}
              onChange={(gates) => change({ gates })} />
          </div>
        </details>
      </div>
    </Card>
  );
}

/** The draft of the address: a release, or a rollout to clone. */
function useFirstDraft(route: Route): { draft: Draft | null;
  error: ReturnType<typeof useResource>["error"] } {
  const clone = route.query.get("clone");
  const from = useResource<Rollout>(clone
    ? `/rollouts/${segment(clone)}` : null);
  return useMemo(() => {
    const base = emptyDraft();
    if (!clone) {
      return { error: null, draft: { ...base,
        product: route.query.get("product") ?? "",
        manifest: route.query.get("release") ?? "",
        query: route.query.get("query") ?? "" } };
    }
    const r = from.data;
    return { error: from.error, draft: r ? {
      ...draftOf({ ...r.plan, product: r.product } as Plan,
        Date.now() / 1000),
      manifest: r.manifest, version: r.version,
      name: `${rolloutName(r)} (again)`,
    } : null };
  }, [clone, from.data, from.error]);
}

function Form({ first, products }: { first: Draft; products: Product[] }) {
  const [draft, setDraft] = useState(first);
  const change: Change = (changes) =>
    setDraft((now) => ({ ...now, ...changes }));
  const list = useResource<List<Release>>(draft.product
    ? withQuery("/releases", { product: draft.product, limit: 200 }) : null,
  { on: ["release"] });
  const releases = useMemo(() => (list.data?.items ?? [])
    .filter((r) => r.product === draft.product)
    .sort((a, b) => b.sequence - a.sequence), [list.data, draft.product]);
  const release = releases.find((r) => r.manifest === draft.manifest);

  // A release given in the address names its product; a product, its newest.
  const linked = useResource<Release>(!draft.product && draft.manifest
    ? `/releases/${segment(draft.manifest)}` : null);
  useEffect(() => {
    if (linked.data) {
      change({ product: linked.data.product,
        security: linked.data.security ?? false });
    } else if (!draft.product && !draft.manifest && products[0]) {
      change({ product: products[0].name });
    }
  }, [linked.data, draft.product]);
  useEffect(() => {
    const newest = releases[0];
    if (newest && !draft.manifest) {
      change({ manifest: newest.manifest,
        security: newest.security ?? false });
    }
  }, [releases, draft.manifest]);

  const text = useSettled(JSON.stringify(planOf(draft)), 350);
  const plan = useMemo(() => JSON.parse(text) as Plan, [text]);
  const ready = Boolean(plan.product && plan.manifest);
  const preview = useResource<Preview>(ready ? "/rollouts/preview" : null,
    { post: plan });
  const wrong = queryError(preview.error?.message);
  const [busy, run] = useAction();
  const start = () => void run(async () => {
    const made = await api.post<Rollout>("/rollouts", planOf(draft));
    go("rollouts", made.id);
  });
  const channels = [...new Set(["stable", "beta", "dev",
    ...releases.flatMap((r) => r.channels ?? [])])];
  const word = preview.data?.approval ? "Ask for approval"
    : draft.start === "at" ? "Schedule rollout" : "Start rollout";
  const blocked = !ready || !release || preview.error !== null;
  const parts = { draft, change };
  return (
    <form class="new-rollout" onSubmit={(e) => {
      e.preventDefault();
      start();
    }}>
      <div class="stack">
        <What {...parts} products={products} releases={releases}
          known={list.data !== null} />
        <Who {...parts} error={wrong} channels={channels} />
        <Stages {...parts} preview={preview.data} />
        <When {...parts} />
        <OnDevice {...parts} />
        <Failing {...parts} />
        <Pace {...parts} />
      </div>
      <aside class="preview-side" aria-label="Preview">
        <Card title="What it would do">
          <PreviewPanel preview={preview.data} loading={preview.loading}
            error={wrong ? null : preview.error} stale={wrong !== null} />
          {wrong && <p class="muted">The query has an error at character {
            wrong.at}; nothing can be said yet.</p>}
          <div class="start">
            <Button kind="primary" type="submit" icon="play" busy={busy}
              disabled={blocked}>{word}</Button>
          </div>
          <PlanFile plan={plan} version={release?.version ?? ""} />
        </Card>
      </aside>
      <div class="start-bar">
        <span>{preview.data && !preview.error
          ? count(preview.data.devices, "device") : ""}</span>
        <Button kind="primary" type="submit" icon="play" busy={busy}
          disabled={blocked}>{word}</Button>
      </div>
    </form>
  );
}

function Nothing() {
  return (
    <Empty icon="releases" title="No product yet" commands={[
      "bowline product add", "bowline release firmware.bin --version 1.0.0",
      "bowline publish"]}>
      A rollout brings a signed release to the devices of a product.
    </Empty>
  );
}

export function NewRollout({ route }: { route: Route }) {
  const may = useMay();
  const products = useResource<List<Product>>("/products?limit=500");
  const first = useFirstDraft(route);
  const list = products.data?.items;
  return (
    <>
      <PageHead title="New rollout"
        above={<a href="#/rollouts">Rollouts</a>} />
      <ErrorBox error={products.error ?? first.error} />
      {!may.operate ? (
        <Empty icon="key" title="You may look, not start">
          Starting a rollout needs the role operator or admin.
        </Empty>
      ) : !list || !first.draft
        ? !products.error && !first.error && <Skeleton lines={8} />
        : list.length === 0 ? <Nothing />
        : <Form first={first.draft} products={list} />}
    </>
  );
}
