// SPDX-License-Identifier: Apache-2.0
// All releases, by product: what there is, who runs it, and where it may go.
import { withQuery, type List, type Release } from "../api";
import {
  Bytes, Card, Empty, ErrorBox, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { Icon } from "../components/Icon";
import { payloadBytes, ReleaseBadges, runningOf, signersOf } from
  "../components/ReleaseParts";
import { Table, type Column } from "../components/Table";
import { count, number } from "../format";
import { useResource } from "../hooks";
import { href, type Route } from "../router";
import { useMay } from "../session";

const COMMANDS = [
  "bowline release firmware.bin --version 1.0.0",
  "bowline publish",
];

const COLUMNS: Column<Release>[] = [
  { key: "version", title: "Version", main: true, cell: (r) => (
    <span class="release-name">
      <a href={href("releases", r.manifest)}>{r.version}</a>
      <ReleaseBadges release={r} />
    </span>
  ) },
  { key: "channels", title: "Channels", cell: (r) => r.channels?.length
    ? <span class="tags">{r.channels.map((c) =>
      <span key={c} class="tag">{c}</span>)}</span>
    : <span class="muted">any</span> },
  { key: "running", title: "Devices that run it", right: true, cell: (r) =>
    runningOf(r) > 0
      ? <a href={href("devices", { product: r.product, version: r.version })}>
        {number(runningOf(r))}</a> : <span class="muted">0</span> },
  { key: "sequence", title: "Sequence", right: true, cell: (r) =>
    <span class="nums">{r.sequence}</span> },
  { key: "size", title: "Payload", right: true, cell: (r) =>
    <Bytes n={payloadBytes(r)} /> },
  { key: "signers", title: "Signed by", cell: (r) =>
    count(signersOf(r).length, "key") },
  { key: "created", title: "Published", cell: (r) =>
    <RelativeTime time={r.created} /> },
];

function byProduct(list: Release[]): [string, Release[]][] {
  const groups = new Map<string, Release[]>();
  for (const r of list) {
    groups.set(r.product, [...(groups.get(r.product) ?? []), r]);
  }
  for (const group of groups.values()) {
    group.sort((a, b) => b.sequence - a.sequence);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}

function Product({ name, releases }: { name: string; releases: Release[] }) {
  const may = useMay();
  const newest = releases[0];
  const running = releases.reduce((sum, r) => sum + runningOf(r), 0);
  return (
    <Card flush class="release-list" title={<a class="plain-link" href={href("releases",
      { product: name })}>{name}</a>} aside={
      <span class="actions">
        <span>{count(releases.length, "release")}, {
          count(running, "device")}</span>
        {may.operate && newest && (
          <a class="button small" href={href("rollouts", "new",
            { release: newest.manifest })}>
            <Icon name="play" />Roll out {newest.version}</a>
        )}
      </span>}>
      <Table label={`Releases of ${name}`} rows={releases} columns={COLUMNS}
        rowKey={(r) => r.manifest} />
    </Card>
  );
}

export function Releases({ route }: { route: Route }) {
  const product = route.query.get("product") ?? "";
  const list = useResource<List<Release>>(
    withQuery("/releases", { product, limit: 500 }),
    { on: ["release", "fleet"], everyMs: 3000 });
  const groups = byProduct(list.data?.items ?? []);
  return (
    <>
      <PageHead title="Releases" above={product
        ? <a href="#/releases">All products</a> : undefined} />
      <ErrorBox error={list.error} retry={list.reload} />
      {list.loading && <Skeleton lines={6} />}
      {list.data && groups.length === 0 && (
        <Empty icon="releases" title="No release yet" commands={COMMANDS}>
          A release is a signed manifest with its image. It is made and signed
          where the keys are, never on this server:
        </Empty>
      )}
      <div class="stack">
        {groups.map(([name, releases]) =>
          <Product key={name} name={name} releases={releases} />)}
      </div>
    </>
  );
}
