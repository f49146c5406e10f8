// SPDX-License-Identifier: Apache-2.0
// All devices: search, filters, chosen columns; what is shown is in the
// address. Pages go forward by the server's `next`, so that a million devices
// cost what a hundred do.
import { useEffect, useState } from "preact/hooks";
import type { Device, Fleet, List } from "../api";
import { withQuery } from "../api";
import {
  Button, Card, Empty, ErrorBox, PageHead, Skeleton,
} from "../components/basics";
import { deviceColumns, OPTIONAL, type ColumnKey } from
  "../components/device_columns";
import { FilterText } from "../components/FilterText";
import { Icon } from "../components/Icon";
import { Menu } from "../components/Menu";
import { Pager, Table } from "../components/Table";
import { UnmanagedDevices } from "../components/UnmanagedDevices";
import { newerFirst } from "../components/VersionsChart";
import { count } from "../format";
import { useResource } from "../hooks";
import { replaceQuery, type Route } from "../router";
import { DEVICE_STATES, look } from "../states";

const FILTERS = ["search", "product", "state", "version", "query", "rollout",
  "outcome", "attention"] as const;
const DEFAULT_COLUMNS: ColumnKey[] =
  ["product", "state", "version", "slot", "network", "battery", "why",
    "last_seen"];
const PAGE = 50;

function QueryHelp() {
  return (
    <Menu icon="help" label="How to write a query" quiet>
      {() => (
        <div class="query-help">
          <p><b>Which devices?</b> Names, comparisons, and, or, not.</p>
          <ul>
            <li><code>hardware = rev-b and not tag = lab</code></li>
            <li><code>version &lt; 1.4.0</code></li>
            <li><code>region in (eu, "us-east")</code></li>
            <li><code>name ~ "kitchen-*"</code></li>
          </ul>
          <p class="muted">id, name, product, hardware, version, channel, tag,
            state, slot, sequence, and each attribute that devices report. What
            a device has not told makes a comparison false.</p>
        </div>
      )}
    </Menu>
  );
}

function ColumnsMenu({ chosen }: { chosen: ColumnKey[] }) {
  const toggle = (key: ColumnKey, on: boolean) => {
    const next = OPTIONAL.map((c) => c.key)
      .filter((k) => k === key ? on : chosen.includes(k));
    replaceQuery({ cols: next.join(",") === DEFAULT_COLUMNS.join(",")
      ? null : next.join(",") || "none" });
  };
  return (
    <Menu icon="columns" text="Columns">
      {() => OPTIONAL.map(({ key, title }) => (
        <label key={key} class="menu-item">
          <input type="checkbox" checked={chosen.includes(key)}
            onChange={(e) => toggle(key, e.currentTarget.checked)} />
          {title}
        </label>
      ))}
    </Menu>
  );
}

interface SelectProps {
  name: string;
  label: string;
  value: string;
  options: [string, string][];
}

function FilterSelect({ name, label, value, options }: SelectProps) {
  const known = options.some(([v]) => v === value);
  return (
    <select aria-label={label} class={value ? "chosen" : ""} value={value}
      onChange={(e) =>
        replaceQuery({ [name]: e.currentTarget.value, after: null })}>
      <option value="">{label}: any</option>
      {value && !known && <option value={value}>{value}</option>}
      {options.map(([v, text]) => <option key={v} value={v}>{text}</option>)}
    </select>
  );
}

function Filters({ query, fleet, columns }: {
  query: URLSearchParams; fleet: Fleet | null; columns: ColumnKey[];
}) {
  const value = (name: string) => query.get(name) ?? "";
  const [asking, setAsking] = useState(value("query") !== "");
  const versions = [...new Set((fleet?.versions ?? [])
    .filter((v) => !value("product") || v.product === value("product"))
    .map((v) => v.version))].filter(Boolean).sort(newerFirst);
  const any = FILTERS.some((name) => query.has(name));
  return (
    <div class="filters" role="search" aria-label="Devices">
      <FilterText name="search" label="Name or id" value={value("search")} />
      <FilterSelect name="product" label="Product" value={value("product")}
        options={(fleet?.products ?? []).map((p) => [p.name, p.name])} />
      <FilterSelect name="state" label="State" value={value("state")}
        options={[...DEVICE_STATES, "silent"].map(
          (s) => [s, look(s).word] as [string, string])} />
      <FilterSelect name="version" label="Version" value={value("version")}
        options={versions.map((v) => [v, v])} />
      <button type="button" aria-pressed={query.has("attention")}
        class={`button ${query.has("attention") ? "chosen" : ""}`}
        onClick={() => replaceQuery({
          attention: query.has("attention") ? null : 1, after: null })}>
        <Icon name="alert" />Needs a person
      </button>
      <Button icon="filter" expanded={asking} onClick={() => {
        setAsking(!asking);
        if (asking) {
          replaceQuery({ query: null, after: null });
        }
      }}>Query</Button>
      <ColumnsMenu chosen={columns} />
      {any && (
        <Button kind="quiet" icon="cross" onClick={() => {
          setAsking(false);
          replaceQuery(Object.fromEntries(
            [...FILTERS, "after"].map((name) => [name, null])));
        }}>Clear</Button>
      )}
      {asking && (
        <div class="query-row">
          <FilterText mono name="query" value={value("query")}
            label='Query, as: hardware = "rev-b" and version < 1.4.0' />
          <QueryHelp />
        </div>
      )}
    </div>
  );
}

/** Which pages were seen, to go back: the server only knows forward. */
function usePages(after: string, key: string) {
  const [before, setBefore] = useState<string[]>([]);
  useEffect(() => setBefore([]), [key]);
  return {
    next: (to: number | string) => {
      setBefore([...before, after]);
      replaceQuery({ after: to });
    },
    back: () => {
      replaceQuery({ after: before[before.length - 1] ?? null });
      setBefore(before.slice(0, -1));
    },
    first: () => {
      setBefore([]);
      replaceQuery({ after: null });
    },
  };
}

function Outcome({ query }: { query: URLSearchParams }) {
  const rollout = query.get("rollout");
  if (!rollout) {
    return null;
  }
  return (
    <span>Of <a href={`#/rollouts/${encodeURIComponent(rollout)}`}>
      rollout {rollout}</a>
      {query.get("outcome") && `: ${look(query.get("outcome") ?? "").word}`}
    </span>
  );
}

export function Devices({ route }: { route: Route }) {
  const { query } = route;
  const after = query.get("after") ?? "";
  const sort = query.get("sort") ?? "";
  const cols = query.get("cols");
  const columns = cols === null
    ? DEFAULT_COLUMNS.filter((key) => key !== "product" || !query.has(key))
    : cols.split(",") as ColumnKey[];
  const filter = Object.fromEntries(
    FILTERS.map((name) => [name, query.get(name)]));
  const path = withQuery("/devices", { ...filter, sort, after, limit: PAGE });
  const { data, error, loading, reload } = useResource<List<Device>>(
    path, { on: ["fleet"], everyMs: 3000 });
  const fleet = useResource<Fleet>("/fleet", { on: ["fleet"], everyMs: 10_000 });
  const pages = usePages(after, JSON.stringify([filter, sort]));
  const filtered = FILTERS.some((name) => query.has(name));
  const [last, setLast] = useState<List<Device> | null>(null);
  if (data && data !== last) {
    setLast(data);
  }
  const shown = data ?? (error ? null : last);
  const badQuery = error !== null && query.has("query") &&
    (error.status === 400 || error.status === 422);
  return (
    <>
      <PageHead title="Devices" actions={
        <Menu icon="download" text="Export">
          {(close) => ["csv", "jsonl"].map((format) => (
            <a key={format} class="menu-item" download onClick={close}
              href={`/api/v1${withQuery("/export/devices",
                { ...filter, format })}`}>
              {filtered ? "These" : "All devices"} as {format === "csv"
                ? "CSV" : "JSON lines"}</a>
          ))}
        </Menu>
      }>
        {fleet.data && <span>{count(fleet.data.devices, "device")}</span>}
        <Outcome query={query} />
      </PageHead>
      <Filters query={query} fleet={fleet.data} columns={columns} />
      {badQuery
        ? <p class="field-error query-error" role="alert">{error.message}</p>
        : <ErrorBox error={error} retry={reload} />}
      <div class="stack">
        <Card flush>
          {loading && !shown && <div class="pad"><Skeleton lines={10} /></div>}
          {shown && shown.items.length === 0 && (
            filtered ? (
              <Empty icon="search" title="No device is like that">
                <p>Change or clear the filters.</p>
              </Empty>
            ) : (
              <Empty icon="devices" title="No devices yet" commands={[
                "bowline device add --name first -o first.token"]}>
                <p>Each device has an id and a token of its own. It stands here
                  from the moment it is registered.</p>
              </Empty>
            ))}
          {shown && shown.items.length > 0 && (
            <>
              <Table label="Devices" rows={shown.items} rowKey={(d) => d.id}
                columns={deviceColumns(columns)} sort={sort || undefined}
                onSort={(next) => replaceQuery({ sort: next, after: null })} />
              <Pager shown={shown.items.length} what="devices"
                first={after === ""} last={shown.next === null}
                onFirst={pages.first} onBack={pages.back}
                onNext={() => shown.next !== null && pages.next(shown.next)} />
            </>
          )}
        </Card>
        <UnmanagedDevices product={query.get("product") ?? ""} />
      </div>
    </>
  );
}

