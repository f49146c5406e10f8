// SPDX-License-Identifier: Apache-2.0
// Below the devices: those that update with a client of their own, which no
// rollout waits for. Not there until the first has asked.
import { useEffect, useState } from "preact/hooks";
import { withQuery } from "../api";
import type { List, Unmanaged } from "../types";
import { sentence } from "../format";
import { useResource } from "../hooks";
import { href } from "../router";
import { Card, ErrorBox, RelativeTime } from "./basics";
import { Pager, Table, type Column } from "./Table";

const PAGE = 25;
const dash = <span class="muted">–</span>;

const columns: Column<Unmanaged>[] = [
  { key: "name", title: "Name", main: true,
    cell: (u) => u.name.replace(/^(device|mac|cert):/, "") },
  { key: "product", title: "Product",
    cell: (u) => `${u.product} · ${u.channel}` },
  { key: "client", title: "Client", cell: (u) => u.client },
  { key: "version", title: "Says it runs",
    cell: (u) => u.runs ?? u.version ?? dash },
  { key: "got", title: "Was sent", cell: (u) => u.got === null ? dash
    : u.got.rollout === null ? u.got.version ?? dash
      : <a href={href("rollouts", String(u.got.rollout))}>{u.got.version}</a> },
  { key: "why", title: "Last answer", wide: true,
    cell: (u) => <span class="why-cell">{sentence(u.why)}</span> },
  { key: "last_seen", title: "Seen", right: true, shrink: true,
    cell: (u) => <RelativeTime time={u.last_seen} /> },
];

export function UnmanagedDevices({ product }: { product: string }) {
  const [before, setBefore] = useState<string[]>([]);
  const [after, setAfter] = useState("");
  useEffect(() => {
    setBefore([]);
    setAfter("");
  }, [product]);
  const { data, error, reload } = useResource<List<Unmanaged>>(
    withQuery("/unmanaged", { product, after, limit: PAGE }),
    { on: ["fleet"], everyMs: 3000 });
  const back = () => {
    setAfter(before[before.length - 1] ?? "");
    setBefore(before.slice(0, -1));
  };
  if (error) {
    // Of a product that is not there the list above says so.
    return error.status === 404 ? null
      : <ErrorBox error={error} retry={reload} />;
  }
  if (!data || (data.items.length === 0 && after === "")) {
    return null;
  }
  return (
    <Card flush title="Devices with a client of their own">
      <p class="muted card-lead">They update by esp_https_ota, httpUpdate or the like,
        say of themselves who they are, and report nothing: no rollout waits for
        them.</p>
      <Table label="Unmanaged devices" rows={data.items} columns={columns}
        rowKey={(u) => u.number} />
      <Pager shown={data.items.length} what="devices" first={after === ""}
        last={data.next === null} onFirst={() => {
          setBefore([]);
          setAfter("");
        }} onBack={back} onNext={() => {
          if (data.next !== null) {
            setBefore([...before, after]);
            setAfter(String(data.next));
          }
        }} />
    </Card>
  );
}
