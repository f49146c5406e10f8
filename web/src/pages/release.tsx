// SPDX-License-Identifier: Apache-2.0
// One release: what is in it, who signed it, who runs it, where it may go.
import { useState } from "preact/hooks";
import {
  api, segment, withQuery, type Device, type List, type Release,
} from "../api";
import {
  Button, Bytes, Card, Check, CopyButton, Digest, ErrorBox, Facts, Field,
  PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { DeltasCard } from "../components/Deltas";
import { Confirm } from "../components/Dialog";
import { Icon } from "../components/Icon";
import { Pill } from "../components/Pill";
import {
  payloadsOf, ReleaseBadges, runningOf, signersOf, type Payload, type Signer,
} from "../components/ReleaseParts";
import { Table, type Column } from "../components/Table";
import { Tree } from "../components/Tree";
import { count, number } from "../format";
import { useResource } from "../hooks";
import { href } from "../router";
import { useMay } from "../session";

const KINDS: Record<string, string> = {
  esp256: "ESP256 (ECDSA P-256)", ed25519: "Ed25519",
  hss: "HSS-LMS (post-quantum)",
};
const CHANNELS = ["dev", "beta", "stable"];

const SIGNER_COLUMNS: Column<Signer>[] = [
  { key: "kid", title: "Key", main: true, cell: (s) =>
    <span class="signer"><Icon name="key" /><Digest hex={s.kid} n={16} />
    </span> },
  { key: "kind", title: "Kind", cell: (s) => KINDS[s.kind] ?? s.kind ?? "–" },
  { key: "role", title: "Role", cell: (s) => s.role || "–" },
];

const PAYLOAD_COLUMNS: Column<Payload>[] = [
  { key: "component", title: "Component", main: true, cell: (p) =>
    p.component || "image" },
  { key: "size", title: "Size", right: true, cell: (p) =>
    <Bytes n={p.size} /> },
  { key: "sha256", title: "SHA-256", wide: true, cell: (p) => (
    <span class="hash"><code>{p.sha256}</code>
      <CopyButton text={p.sha256} label="Copy the SHA-256" /></span>
  ) },
];

interface Part {
  name: string;
  version: string;
  license: string;
  supplier: string;
}

/** CycloneDX, SPDX, or a plain list: what most tools write. */
function sbomParts(sbom: unknown): Part[] {
  const doc = (sbom ?? {}) as Record<string, unknown>;
  const list = (doc.components ?? doc.packages
    ?? (Array.isArray(sbom) ? sbom : [])) as Record<string, unknown>[];
  const text = (value: unknown): string =>
    typeof value === "string" ? value : "";
  const named = (value: unknown): string => text(value) ||
    text((value as { name?: unknown } | null | undefined)?.name);
  const license = (value: unknown): string => Array.isArray(value)
    ? value.map((l: { expression?: string;
      license?: { id?: string; name?: string } } | null) => l?.expression
        ?? l?.license?.id ?? l?.license?.name ?? "").filter(Boolean)
      .join(", ") : text(value);
  return !Array.isArray(list) ? [] : list.map((part) => ({
    name: text(part.name) || text(part.SPDXID),
    version: text(part.version) || text(part.versionInfo),
    license: license(part.licenses) || license(part.licenseConcluded)
      || license(part.license),
    supplier: named(part.supplier) || named(part.publisher)
      || text(part.purl),
  }));
}

const PART_COLUMNS: Column<Part>[] = [
  { key: "name", title: "Component", main: true, cell: (p) => p.name || "–" },
  { key: "version", title: "Version", cell: (p) => p.version || "–" },
  { key: "license", title: "License", cell: (p) => p.license || "–" },
  { key: "supplier", title: "From", cell: (p) => p.supplier || "–" },
];

function Sbom({ release }: { release: Release }) {
  const path = `/releases/${segment(release.manifest)}/sbom`;
  const sbom = useResource<unknown>(release.sbom ? path : null);
  if (!release.sbom) {
    return null;
  }
  const parts = sbom.data ? sbomParts(sbom.data) : [];
  return (
    <Card flush title="What it is made of (SBOM)" aside={
      <span class="actions">
        {sbom.data !== null && <span>{count(parts.length, "component")}</span>}
        <a class="button small" href={`/api/v1${path}`} download={
          `${release.product}-${release.version}-sbom.json`}>
          <Icon name="download" />JSON</a>
      </span>}>
      {sbom.loading && <div class="card-part"><Skeleton /></div>}
      {sbom.error && <div class="card-part"><ErrorBox error={sbom.error} />
      </div>}
      {parts.length > 0 && (
        <Table label="Components" rows={parts} columns={PART_COLUMNS}
          rowKey={(p) => `${p.name} ${p.version}`} />
      )}
    </Card>
  );
}

function Manifest({ release }: { release: Release }) {
  const m = useResource<Record<string, unknown>>(
    `/releases/${segment(release.manifest)}/manifest`);
  return (
    <Card title="Manifest" aside="signed, and checked again by each device">
      {m.loading && <Skeleton lines={5} />}
      <ErrorBox error={m.error} retry={m.reload} />
      {m.data && <Tree value={m.data} />}
    </Card>
  );
}

function Running({ release }: { release: Release }) {
  const n = runningOf(release);
  const query = { product: release.product, version: release.version };
  const list = useResource<List<Device>>(n > 0
    ? withQuery("/devices", { ...query, limit: 8 }) : null,
  { on: ["fleet"], everyMs: 5000 });
  const devices = list.data?.items ?? [];
  return (
    <Card title="Runs on" aside={n > 0 && (
      <a href={href("devices", query)}>All {number(n)}</a>)}>
      <p class="running-n"><b class="nums">{number(n)}</b>{" "}
        {n === 1 ? "device" : "devices"}</p>
      {devices.length > 0 && (
        <ul class="running-list">
          {devices.map((d) => (
            <li key={d.id}>
              <a href={href("devices", d.id)}>{d.name || d.id}</a>
              <Pill state={d.state} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Promote({ release, onClose, onDone }: {
  release: Release; onClose: () => void; onDone: () => void;
}) {
  const has = release.channels ?? [];
  const [to, setTo] = useState(CHANNELS.find((c) => !has.includes(c))
    ?? "stable");
  const limits = has.length === 0;
  const path = `/releases/${segment(release.manifest)}`;
  return (
    <Confirm title={limits ? `Limit ${release.version} to a channel`
      : `Promote ${release.version}`} button={limits ? `Limit to ${to}`
      : `Promote to ${to}`} disabled={to.trim() === ""} onClose={onClose}
      done={limits ? `Limited to ${to}` : `Promoted to ${to}`}
      work={() => (limits ? api.patch(path, { channels: [to.trim()] })
        : api.post(`${path}/promote`, { to: to.trim() })).then(onDone)}>
      <p class="touches">{limits
        ? `${release.version} goes to devices of any channel now. Afterwards ` +
          `only devices of channel ${to || "…"} may get it.`
        : `Devices of channel ${to || "…"} may get ${release.version}, too; ` +
          `now those of ${has.join(", ")}.`} No device updates by this alone:
        a rollout does that.</p>
      <Field label="Channel" for="promote-to">
        <input id="promote-to" list="promote-channels" value={to}
          autocapitalize="none" spellcheck={false}
          onInput={(e) => setTo(e.currentTarget.value)} />
        <datalist id="promote-channels">
          {CHANNELS.map((c) => <option key={c} value={c} />)}
        </datalist>
      </Field>
    </Confirm>
  );
}

function Edit({ release, onClose, onDone }: {
  release: Release; onClose: () => void; onDone: () => void;
}) {
  const [security, setSecurity] = useState(release.security ?? false);
  const [stepping, setStepping] = useState(release.stepping ?? false);
  const [notes, setNotes] = useState(release.notes ?? "");
  const [channels, setChannels] =
    useState((release.channels ?? []).join(" "));
  const list = channels.split(/[\s,]+/).filter(Boolean);
  return (
    <Confirm title={`Change ${release.version}`} button="Save"
      done="Saved" onClose={onClose} work={() => api.patch(
        `/releases/${segment(release.manifest)}`,
        { security, stepping, notes, channels: list }).then(onDone)}>
      <div class="form-stack">
        <Check id="edit-security" checked={security} onChange={setSecurity}>
          A security release
        </Check>
        <div>
          <Check id="edit-stepping" checked={stepping} onChange={setStepping}>
            A stepping stone: devices below it get it first
          </Check>
          {stepping && !release.stepping && (
            <p class="note"><Icon name="alert" /><span>From now on each device
              below {release.version} gets it before anything newer, in every
              rollout of {release.product}.</span></p>
          )}
        </div>
        <Field label="Channels" for="edit-channels"
          hint="None: devices of any channel may get it.">
          <input id="edit-channels" value={channels} placeholder="any"
            autocapitalize="none" spellcheck={false}
            onInput={(e) => setChannels(e.currentTarget.value)} />
        </Field>
        <Field label="Notes" for="edit-notes">
          <textarea id="edit-notes" rows={4} value={notes}
            onInput={(e) => setNotes(e.currentTarget.value)} />
        </Field>
      </div>
    </Confirm>
  );
}

function Actions({ release, onDone }:
  { release: Release; onDone: () => void }) {
  const may = useMay();
  const [open, setOpen] = useState<"promote" | "edit" | null>(null);
  const close = () => setOpen(null);
  if (!may.operate) {
    return null;
  }
  return (
    <>
      <a class="button button-primary" href={href("rollouts", "new",
        { release: release.manifest })}>
        <Icon name="play" />Start a rollout</a>
      <Button icon="up" onClick={() => setOpen("promote")}>{
        release.channels?.length ? "Promote" : "Limit to a channel"}</Button>
      <Button icon="settings" onClick={() => setOpen("edit")}>Change</Button>
      {open === "promote" && (
        <Promote release={release} onClose={close} onDone={onDone} />
      )}
      {open === "edit" && (
        <Edit release={release} onClose={close} onDone={onDone} />
      )}
    </>
  );
}

function Whole({ release }: { release: Release }) {
  const r = release;
  const payloads = payloadsOf(r);
  return (
    <div class="columns">
      <div class="stack">
        {r.notes && <Card title="Notes"><p class="notes">{r.notes}</p></Card>}
        <Card flush title="Signed by">
          <Table label="Signatures" rows={signersOf(r)}
            columns={SIGNER_COLUMNS} rowKey={(s) => s.kid} />
        </Card>
        {payloads.length > 0 && (
          <Card flush title="Payloads">
            <Table label="Payloads" rows={payloads} columns={PAYLOAD_COLUMNS}
              rowKey={(p) => p.component + p.sha256} />
          </Card>
        )}
        <DeltasCard release={r} />
        <Sbom release={r} />
        <Manifest release={r} />
      </div>
      <div class="stack">
        <Running release={r} />
        <Card title="Facts">
          <Facts items={[
            ["Product", <a href={href("releases", { product: r.product })}>
              {r.product}</a>],
            ["Sequence", <span class="nums">{r.sequence}</span>],
            ["Published", <RelativeTime time={r.created} />],
            ["Channels", r.channels?.length ? r.channels.join(", ")
              : "any device's"],
            ["Minimum version", r.min_version || "none"],
            ["Manifest", <Digest hex={r.manifest} n={12} />],
            ["Envelope", <Bytes n={r.envelope_size ?? 0} />],
            ["Rollouts", <a href={href("rollouts",
              { product: r.product })}>of {r.product}</a>],
          ]} />
        </Card>
      </div>
    </div>
  );
}

export function ReleasePage({ manifest }: { manifest: string }) {
  const r = useResource<Release>(`/releases/${segment(manifest)}`,
    { on: ["release", "fleet"], everyMs: 3000 });
  const release = r.data;
  return (
    <>
      <PageHead title={release ? `${release.product} ${release.version}`
        : "Release"} above={<a href="#/releases">Releases</a>}
        actions={release && <Actions release={release} onDone={r.reload} />}>
        {release && <ReleaseBadges release={release} />}
        {release && (release.channels?.length
          ? release.channels.map((c) => <span key={c} class="tag">{c}</span>)
          : <span class="tag">any channel</span>)}
      </PageHead>
      <ErrorBox error={r.error} retry={r.reload} />
      {r.loading && <Skeleton lines={8} />}
      {release && <Whole release={release} />}
    </>
  );
}
