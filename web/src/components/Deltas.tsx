// SPDX-License-Identifier: Apache-2.0
// The patches that lead to a release: from what devices run, how small, how
// many use them, and what that saved.
import { useState } from "preact/hooks";
import { api, segment, type Delta, type Deltas, type Release } from "../api";
import { bytes, count, number, percent } from "../format";
import { useAction, useResource } from "../hooks";
import { useMay } from "../session";
import { Button, Bytes, Card, ErrorBox, Skeleton } from "./basics";
import { Confirm } from "./Dialog";
import { Pill } from "./Pill";
import { Table, type Column } from "./Table";

const fromOf = (d: Delta): string => d.from ?? `${d.base.slice(0, 12)}…`;
const ramOf = (d: Delta): string => `${d.ram / 1024} KB`;

const COLUMNS: Column<Delta>[] = [
  { key: "from", title: "From", main: true, cell: fromOf },
  { key: "ram", title: "Memory", right: true, cell: ramOf },
  { key: "state", title: "State", cell: (d) => (
    <span title={d.reason}><Pill state={d.state} /></span>
  ) },
  { key: "size", title: "Size", right: true, cell: (d) => d.size > 0
    ? <Bytes n={d.size} /> : "–" },
  { key: "share", title: "Of the payload", right: true, cell: (d) =>
    d.size > 0 ? percent(d.size, d.full_size) : "–" },
  { key: "devices", title: "For devices", right: true, cell: (d) =>
    number(d.devices) },
  { key: "installed", title: "Installed", right: true, cell: (d) =>
    number(d.installed) },
  { key: "failed", title: "Failed", right: true, cell: (d) =>
    number(d.failed) },
  { key: "saved", title: "Saved", right: true, cell: (d) => d.saved > 0
    ? <Bytes n={d.saved} /> : "–" },
];

function Withdraw({ delta, onClose, onDone }: {
  delta: Delta; onClose: () => void; onDone: () => void;
}) {
  return (
    <Confirm title={`Withdraw the patch from ${fromOf(delta)}`}
      button="Withdraw" done="Withdrawn" onClose={onClose}
      work={() => api.post(`/deltas/${delta.number}/withdraw`)
        .then(onDone)}>
      <p class="touches">Devices on {fromOf(delta)} fetch the whole payload
        of {bytes(delta.full_size)} instead of {bytes(delta.size)}. No update
        stops by this.</p>
    </Confirm>
  );
}

const waits = (d: Delta): boolean =>
  d.state === "queued" || d.state === "making";

function orders(busy: boolean, remake: (d: Delta) => void,
  withdraw: (d: Delta) => void): Column<Delta> {
  return {
    key: "orders", title: "", shrink: true, cell: (d) => (
      <span class="actions">
        {!waits(d) && (
          <Button small disabled={busy} onClick={() => remake(d)}
            label={`Remake the patch from ${fromOf(d)}, ${ramOf(d)}`}>
            Remake</Button>
        )}
        {d.state !== "withdrawn" && (
          <Button small disabled={busy} onClick={() => withdraw(d)}
            label={`Withdraw the patch from ${fromOf(d)}, ${ramOf(d)}`}>
            Withdraw</Button>
        )}
      </span>
    ),
  };
}

const Reasons = ({ items }: { items: Delta[] }) => {
  const told = items.filter((d) => d.reason !== "");
  return told.length === 0 ? null : (
    <ul class="card-part hint">
      {told.map((d) => (
        <li key={d.number}>{fromOf(d)}, {ramOf(d)}: {d.reason}</li>
      ))}
    </ul>
  );
};

export function DeltasCard({ release }: { release: Release }) {
  const list = useResource<Deltas>(
    `/releases/${segment(release.manifest)}/deltas`,
    { on: ["release", "fleet"], everyMs: 5000 });
  const may = useMay();
  const [busy, run] = useAction();
  const [leaving, setLeaving] = useState<Delta | null>(null);
  const data = list.data;
  const items = data?.items ?? [];
  const remake = (d: Delta) => void run(() =>
    api.post(`/deltas/${d.number}/remake`), "It is made anew")
    .then(list.reload);
  if (data && items.length === 0 && data.enabled) {
    return null;
  }
  return (
    <Card flush title="Patches" aside={data && (
      <span>{count(items.length, "patch", "patches")}; {
        bytes(data.saved)} saved</span>
    )}>
      {list.loading && <div class="card-part"><Skeleton /></div>}
      {list.error && <div class="card-part"><ErrorBox error={list.error} />
      </div>}
      {data && !data.enabled && (
        <p class="card-part">Patches are switched off in the settings: every
          device fetches the whole payload.</p>
      )}
      {items.length > 0 && (
        <Table label="Patches" rows={items} rowKey={(d) => d.number}
          columns={may.operate
            ? [...COLUMNS, orders(busy, remake, setLeaving)] : COLUMNS} />
      )}
      <Reasons items={items} />
      {leaving && (
        <Withdraw delta={leaving} onDone={list.reload}
          onClose={() => setLeaving(null)} />
      )}
    </Card>
  );
}
