// SPDX-License-Identifier: Apache-2.0
// Who did what. Each line carries a hash over the one before it, so that
// nothing can be taken out or changed unseen; the server checks the chain.
import { useEffect, useState } from "preact/hooks";
import type { AuditCheck, AuditLine, List } from "../api";
import { withQuery } from "../api";
import {
  Card, Digest, Empty, ErrorBox, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { FilterText } from "../components/FilterText";
import { Icon } from "../components/Icon";
import { Menu } from "../components/Menu";
import { Pager, Table, type Column } from "../components/Table";
import { dateTime, number } from "../format";
import { useResource } from "../hooks";
import { isTrying } from "../patience";
import { href, replaceQuery, type Route } from "../router";

const PAGE = 50;

/** What the line is about, as a link where there is a page for it. */
function Subject({ line }: { line: AuditLine }) {
  const kind = line.action.split(/[.-]/)[0];
  if (!line.object) {
    return <span class="muted">–</span>;
  }
  if (kind === "rollout" && /^\d+$/.test(line.object)) {
    return <a href={href("rollouts", line.object)}>rollout {line.object}</a>;
  }
  if (kind === "device" && /^[0-9a-f]{32}$/.test(line.object)) {
    return <a href={href("devices", line.object)}>
      <code>{line.object.slice(0, 12)}</code></a>;
  }
  if (kind === "release" && /^[0-9a-f]{64}$/.test(line.object)) {
    return <a href={href("releases", line.object)}>
      <code>{line.object.slice(0, 12)}</code></a>;
  }
  return <span>{line.object}</span>;
}

const columns: Column<AuditLine>[] = [
  { key: "number", title: "#", right: true, shrink: true,
    cell: (l) => <span class="muted">{l.number ?? ""}</span> },
  { key: "time", title: "When", shrink: true,
    cell: (l) => <span title={dateTime(l.time)}>
      <RelativeTime time={l.time} /></span> },
  { key: "actor", title: "Who", cell: (l) => l.actor === "bowline"
    ? <span class="by-itself"><Icon name="knot" />by itself</span> : l.actor },
  { key: "action", title: "What", main: true,
    cell: (l) => <code>{l.action}</code> },
  { key: "object", title: "On", cell: (l) => <Subject line={l} /> },
  { key: "detail", title: "Detail", wide: true,
    cell: (l) => l.detail
      ? <span class="audit-detail">{l.detail}</span> : null },
  { key: "hash", title: "Hash", shrink: true, minor: true,
    cell: (l) => l.hash ? <Digest hex={l.hash} n={8} /> : "" },
];

function Chain() {
  const { data, error } = useResource<AuditCheck>("/audit/verify");
  if (!data) {
    return <span class="muted">{error && !isTrying(error) ? ""
      : "Checking the chain…"}</span>;
  }
  return data.ok ? (
    <span class="pill tone-good" data-chain="ok">
      <Icon name="shield" />chain verified, {number(data.lines)} lines
    </span>
  ) : (
    <span class="pill tone-bad" data-chain="broken">
      <Icon name="alert" />chain broken at line {data.first_bad}
    </span>
  );
}

export function Audit({ route }: { route: Route }) {
  const { query } = route;
  const after = query.get("after") ?? "";
  const filter = {
    action: query.get("action"), actor: query.get("actor"),
  };
  const [before, setBefore] = useState<string[]>([]);
  useEffect(() => setBefore([]), [filter.action, filter.actor]);
  const { data, error, loading, reload } = useResource<List<AuditLine>>(
    withQuery("/audit", { ...filter, after, limit: PAGE, order: "newest" }),
    { on: ["audit"] });
  const filtered = filter.action !== null || filter.actor !== null;
  return (
    <>
      <PageHead title="Audit" actions={
        <Menu icon="download" text="Export">
          {(close) => ["jsonl", "csv"].map((format) => (
            <a key={format} class="menu-item" download onClick={close}
              href={`/api/v1/audit/export?format=${format}`}>
              As {format.toUpperCase()}</a>
          ))}
        </Menu>
      }><Chain /></PageHead>
      <div class="filters" role="search" aria-label="Audit log">
        <FilterText name="actor" label="Who" value={filter.actor ?? ""} />
        <FilterText name="action" label="What, as rollout-pause"
          value={filter.action ?? ""} />
      </div>
      <ErrorBox error={error} retry={reload} />
      <Card flush>
        {loading && <div class="pad"><Skeleton lines={8} /></div>}
        {data && data.items.length === 0 && (
          <Empty icon="audit" title={filtered ? "No line is like that"
            : "Nothing was done yet"}>
            <p>Each change by a person, a token or the server itself stands
              here.</p>
          </Empty>
        )}
        {data && data.items.length > 0 && (
          <>
            <Table label="Audit log" rows={data.items} columns={columns}
              rowKey={(l) => l.number ?? `${l.time}${l.action}${l.object}`} />
            <Pager shown={data.items.length} what="lines"
              first={after === ""} last={data.next === null}
              onFirst={() => {
                setBefore([]);
                replaceQuery({ after: null });
              }}
              onBack={() => {
                replaceQuery({ after: before[before.length - 1] ?? null });
                setBefore(before.slice(0, -1));
              }}
              onNext={() => {
                setBefore([...before, after]);
                replaceQuery({ after: data.next });
              }} />
          </>
        )}
      </Card>
    </>
  );
}
