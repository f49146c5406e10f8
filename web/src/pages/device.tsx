// SPDX-License-Identifier: Apache-2.0
// One device: why it runs what it runs, what it went through, what it told.
import { useState } from "preact/hooks";
import type {
  Device, DeviceEvent, List, ServerInfo, TimelineItem, Why,
} from "../api";
import { segment } from "../api";
import {
  Button, Card, Digest, ErrorBox, Facts, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { Battery, DeviceState } from "../components/device_columns";
import { Menu } from "../components/Menu";
import { Slots } from "../components/Slots";
import { Table, type Column } from "../components/Table";
import { Timeline } from "../components/Timeline";
import { Pill } from "../components/Pill";
import { dateTime, duration, sentence } from "../format";
import { useResource } from "../hooks";
import { useFocus } from "../live";
import { href } from "../router";
import { useMay } from "../session";
import { EditDevice, RemoveDevice, RollBack } from "./device_actions";

type Open = "edit" | "rollback" | "remove" | null;

function Actions({ device }: { device: Device }) {
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  if (!useMay().operate) {
    return null;
  }
  return (
    <>
      <Button onClick={() => setOpen("edit")}>Edit</Button>
      <Button icon="back" onClick={() => setOpen("rollback")}>Roll back</Button>
      <Menu icon="more" label="More" quiet>
        {(done) => (
          <button type="button" class="menu-item" onClick={() => {
            done();
            setOpen("remove");
          }}>Remove the device</button>
        )}
      </Menu>
      {open === "edit" && <EditDevice device={device} onClose={close} />}
      {open === "rollback" && <RollBack device={device} onClose={close} />}
      {open === "remove" && <RemoveDevice device={device} onClose={close} />}
    </>
  );
}

interface Fact {
  name?: string;
  what?: string;
  answer?: unknown;
  text?: string;
  sentence?: string;
}

/** Each predicate of the engine with its answer, in its order. */
function Predicates({ facts }: { facts: unknown[] }) {
  return (
    <ol class="predicates">
      {facts.map((fact, i) => {
        if (typeof fact !== "object" || fact === null) {
          return <li key={i}>{String(fact)}</li>;
        }
        const f = fact as Fact;
        const yes = f.answer === true || f.answer === "yes";
        const no = f.answer === false || f.answer === "no";
        return (
          <li key={i}>
            <Pill state={yes ? "passed" : no ? "failing" : "idle"}
              word={yes ? "yes" : no ? "no" : String(f.answer ?? "")} />
            <b>{f.name ?? f.what}</b>
            <span class="muted">{f.text ?? f.sentence ?? ""}</span>
          </li>
        );
      })}
    </ol>
  );
}

function WhyCard({ device }: { device: Device }) {
  const { data } = useResource<Why>(`/devices/${segment(device.id)}/why`,
    { on: ["device", "fleet"], everyMs: 3000 });
  const text = data?.sentence || device.why;
  const offer = device.offer;
  return (
    <Card class="why">
      <p class="why-sentence">{sentence(text)}</p>
      {offer && (
        <p class="muted">Offered {offer.version} by <a
          href={href("rollouts", offer.rollout)}>{offer.name ||
            `rollout ${offer.rollout}`}</a>{" "}
          <RelativeTime time={offer.since} />.</p>
      )}
      {device.quarantined_until ? (
        <p class="muted">It may try again at {
          dateTime(device.quarantined_until)}.</p>
      ) : null}
      {data && data.facts.length > 0 && (
        <details>
          <summary>How the server decided this</summary>
          <Predicates facts={data.facts} />
        </details>
      )}
    </Card>
  );
}

function Now({ device: d }: { device: Device }) {
  return (
    <Card title="Now" aside={<>seen <RelativeTime time={d.last_seen} /></>}>
      <Slots device={d} />
      <Facts items={[
        ["State", <DeviceState device={d} />],
        ["Should run", d.target ? <>
          <a href={href("releases", d.target.manifest)}>{d.target.version}</a>
          {d.updated && <span class="muted"> and does</span>}
        </> : <span class="muted">nothing else</span>],
        ...(d.code ? [["Last trouble", <code>{d.code}</code>] as
          [string, preact.ComponentChildren]] : []),
        ["Last reset", d.reset],
        ["Battery", <Battery device={d} />],
        ["Network", d.network ?? <span class="muted">not told</span>],
        ["Attempts", String(d.attempts ?? 0)],
      ]} />
    </Card>
  );
}

function Identity({ device: d }: { device: Device }) {
  const server = useResource<ServerInfo>("/server");
  const root = server.data?.root_version ?? null;
  return (
    <Card title="Identity and keys">
      <Facts items={[
        ["Id", <Digest hex={d.id} n={12} />],
        ["Product", <a href={href("devices", { product: d.product })}>
          {d.product}</a>],
        ["Hardware", d.hardware || "–"],
        ["Channel", d.channel || "stable"],
        ["Tags", d.tags.length === 0 ? "–" : (
          <span class="tags">{d.tags.map((t) =>
            <a class="tag" key={t} href={href("devices",
              { query: `tag = "${t}"` })}>{t}</a>)}</span>
        )],
        ["Root document", <>version {d.root_version}{root !== null &&
          (d.root_version >= root ? <span class="muted">, the newest</span>
            : <span class="muted">; the newest is {root}</span>)}</>],
        ["Sequence", `${d.sequence}, floor ${d.floor}`],
        ["Image", d.image ? <Digest hex={d.image} n={12} /> : "–"],
        ["First seen", d.first_seen ? dateTime(d.first_seen) : "never"],
        ...(typeof d.utc_offset === "number" ? [["Local time",
          `UTC${d.utc_offset < 0 ? "−" : "+"}${
            (Math.abs(d.utc_offset) / 60).toFixed(
              d.utc_offset % 60 === 0 ? 0 : 1)} h`] as [string, string]] : []),
      ]} />
    </Card>
  );
}

function Attributes({ device: d }: { device: Device }) {
  const items = Object.entries(d.attributes ?? {});
  return (
    <Card title="Attributes" aside="as the device reports them">
      {items.length === 0
        ? <p class="muted">It reports none. The firmware may tell up to 16, for
            queries of rollouts.</p>
        : <Facts items={items.map(([name, value]) => [name, String(value)])} />}
    </Card>
  );
}

const eventColumns: Column<DeviceEvent>[] = [
  { key: "state", title: "Event", main: true,
    cell: (e) => <Pill state={e.state} /> },
  { key: "version", title: "Version", cell: (e) => e.version ?? "–" },
  { key: "code", title: "Result", wide: true, cell: (e) =>
    e.code === "good" || e.code === "ok" ? <span class="muted">–</span>
      : <>{e.meaning ?? ""} <code>{e.code}</code></> },
  { key: "attempt", title: "Attempt", right: true, cell: (e) => e.attempt },
  { key: "boot", title: "Boot", right: true, minor: true, cell: (e) => e.boot },
  { key: "uptime", title: "Up for", right: true, minor: true,
    cell: (e) => duration(e.uptime) },
  { key: "reset", title: "Reset", minor: true, cell: (e) => e.reset },
  { key: "received", title: "Received", right: true, shrink: true,
    cell: (e) => <RelativeTime time={e.received} /> },
];

function Journal({ events }: { events: DeviceEvent[] }) {
  const [all, setAll] = useState(false);
  const newest = [...events].sort((a, b) =>
    b.received - a.received || b.number - a.number);
  const shown = all ? newest : newest.slice(0, 12);
  return (
    <Card flush={events.length > 0} title="Journal"
      aside="what the device itself noted">
      {events.length === 0
        ? <p class="muted">Nothing yet.</p>
        : <Table label="Journal" rows={shown} columns={eventColumns}
            rowKey={(e) => `${e.received}-${e.number}`} />}
      {newest.length > shown.length && (
        <div class="pager">
          <span class="muted">{shown.length} of {newest.length} events</span>
          <Button small onClick={() => setAll(true)}>All of them</Button>
        </div>
      )}
    </Card>
  );
}

export function DevicePage({ id }: { id: string }) {
  useFocus({ device: id });
  const at = `/devices/${segment(id)}`;
  const fresh = { on: ["device", "fleet"] as ("device" | "fleet")[],
    everyMs: 2000 };
  const { data: device, error, loading, reload } =
    useResource<Device>(at, fresh);
  const timeline = useResource<{ items: TimelineItem[] }>(
    device ? `${at}/timeline` : null, fresh);
  const events = useResource<List<DeviceEvent>>(
    device ? `${at}/events?limit=100` : null, fresh);
  return (
    <>
      <PageHead title={device?.name || device?.id || "Device"}
        above={<a href="#/devices">Devices</a>}
        actions={device && <Actions device={device} />}>
        {device && <>
          <DeviceState device={device} />
          <span>{device.product} {device.version}</span>
          <span>{device.hardware}</span>
        </>}
      </PageHead>
      <ErrorBox error={error} retry={reload} />
      {loading && <Skeleton lines={8} />}
      {device && (
        <div class="stack">
          <WhyCard device={device} />
          <div class="grid-2">
            <Now device={device} />
            <Card title="Timeline">
              <ErrorBox error={timeline.error} />
              {timeline.loading && <Skeleton />}
              {timeline.data && (timeline.data.items.length > 0
                ? <Timeline items={timeline.data.items} />
                : <p class="muted">No update has begun yet.</p>)}
            </Card>
            <Identity device={device} />
            <Attributes device={device} />
          </div>
          {events.data && <Journal events={events.data.items} />}
        </div>
      )}
    </>
  );
}
