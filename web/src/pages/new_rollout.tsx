// SPDX-License-Identifier: Apache-2.0
// A new rollout on one page: a release is enough, all else has defaults. Beside
// it, what the server says that it would do.
import { useEffect, useMemo, useState } from "preact/hooks";
import {
  api, ApiError, segment, withQuery, type List, type Plan, type Preview, type Product,
  type Release, type Rollout,
} from "../api";
import {
  Button, Card, Command, Empty, ErrorBox, Field, PageHead, Skeleton,
} from "../components/basics";
import { Icon } from "../components/Icon";
import {
  Failing, OnDevice, Pace, When, type Change, type PartProps,
} from "../components/PlanParts";
import { PlanFile, PreviewPanel } from "../components/PreviewPanel";
import { QueryField, queryError } from "../components/QueryField";
import { GatesEditor, StagesEditor } from "../components/StagesEditor";
import { draftOf, emptyDraft, idsOf, planOf, type Draft } from "../draft";
import { count, dayOfYear } from "../format";
import { useAction, useResource, useSettled } from "../hooks";
import { gatesWords, rolloutName } from "../plan";
import { go, type Route } from "../router";
import { useMay } from "../session";
import { unfoldInvalid, WrongField, wrongOf } from "../wrong";

const AGAIN = " (again)"; // of a clone: it names what it was cloned from

/** As the page counts: "stages[0].percent" is in "Stage 1". */
const inPageWords = (error: ApiError | null): ApiError | null =>
  error && new ApiError(error.status, error.code, error.message.replace(
    /stages\[(\d+)\][.:]?\s*/g, (_, n: string) => `Stage ${Number(n) + 1}: `));

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
            name: draft.name.endsWith(AGAIN) ? "" : draft.name,
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
      name: `${rolloutName(r)}${AGAIN}`,
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
  const ofQuery = queryError(preview.error?.message);
  // The server names one error: another must not hide that of the query.
  const query = preview.error?.code === "plan" && !ofQuery
    ? plan.target?.query : undefined;
  const alone = useResource<Preview>(query ? "/rollouts/preview" : null,
    { post: { product: plan.product, manifest: plan.manifest,
      target: { query } } });
  const wrong = ofQuery
    ?? (query ? queryError(alone.error?.message) : null);
  const field = preview.error?.code === "plan"
    ? wrongOf(preview.error.message) : null;
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
    <WrongField value={field}>
    <form class="new-rollout" onInvalidCapture={unfoldInvalid}
      onSubmit={(e) => {
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
            error={ofQuery ? null : inPageWords(preview.error)}
            stale={ofQuery !== null} />
          {wrong && <p class="muted">The query has an error{wrong.at > 0
            && ` at character ${wrong.at}`}; nothing can be said yet.</p>}
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
    </WrongField>
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
