// SPDX-License-Identifier: Apache-2.0
// The fleet: is all well, what goes on, which devices need a person?
import type { Fleet, Rollout, ServerInfo } from "../api";
import {
  Bytes, Card, Empty, ErrorBox, Figure, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { Bar } from "../components/Bar";
import { Icon, type IconName } from "../components/Icon";
import { RolloutCard } from "../components/RolloutCard";
import { Table, type Column } from "../components/Table";
import { newerFirst, VersionsChart } from "../components/VersionsChart";
import { count, number, sentence } from "../format";
import { useResource } from "../hooks";
import { href } from "../router";
import { DEVICE_STATES, type Tone } from "../states";

const LEVELS: Record<Fleet["level"], { tone: Tone; icon: IconName;
  word: string }> = {
  good: { tone: "good", icon: "check", word: "All is well" },
  watch: { tone: "wait", icon: "eye", word: "Worth a look" },
  bad: { tone: "bad", icon: "alert", word: "Needs a person" },
  empty: { tone: "none", icon: "knot", word: "Nothing here yet" },
};

const UNDERWAY = ["offered", "waiting", "downloading", "verifying",
  "installing", "rebooting", "testing"];

function Health({ fleet }: { fleet: Fleet }) {
  const level = LEVELS[fleet.level] ?? LEVELS.watch;
  return (
    <div class={`health tone-${level.tone}`} data-level={fleet.level}>
      <span class="health-mark"><Icon name={level.icon} title={level.word} />
      </span>
      <p class="health-text">{sentence(fleet.sentence)}</p>
    </div>
  );
}

function Figures({ fleet }: { fleet: Fleet }) {
  const underway = UNDERWAY.reduce(
    (sum, state) => sum + (fleet.states[state] ?? 0), 0);
  return (
    <div class="figures">
      <Figure value={number(fleet.devices)} label="devices"
        href={href("devices")}
        note={fleet.seen < fleet.devices
          ? `${number(fleet.devices - fleet.seen)} never seen` : undefined} />
      <Figure label="run what they should"
        value={fleet.updated_percent === null ? "–"
          : `${Math.floor(fleet.updated_percent)}%`} />
      <Figure value={number(underway)} label="updating now" />
      <Figure value={number(fleet.silent)} label="silent"
        href={href("devices", { state: "silent" })} />
      <Figure value={number(fleet.attention_count)} label="need a person"
        href={href("devices", { attention: 1 })} />
    </div>
  );
}

/** What patches saved; nothing where none was ever used. */
function Patches({ fleet }: { fleet: Fleet }) {
  const d = fleet.deltas;
  if (!d || d.installs === 0) {
    return null;
  }
  return (
    <p class="muted patches" data-patches={d.installs}>
      Patches saved <strong><Bytes n={d.saved} /></strong> of downloads in{" "}
      {count(d.installs, "update")}
      {d.installs_today > 0
        ? <>; today <Bytes n={d.saved_today} /> in {number(d.installs_today)}
          </>
        : "; none today"}.{!d.enabled && " They are switched off now."}
    </p>
  );
}

const NEED = ["paused", "approval", "running", "scheduled"];

/** What waits for a person first. */
const byNeed = (a: Rollout, b: Rollout): number =>
  Number(b.needs_person ?? false) - Number(a.needs_person ?? false) ||
  NEED.indexOf(a.state) - NEED.indexOf(b.state) || b.id - a.id;

type Attention = Fleet["attention"][number];

const attentionColumns: Column<Attention>[] = [
  { key: "name", title: "Device", main: true,
    cell: (d) => <a href={href("devices", d.id)}>{d.name || d.id}</a> },
  { key: "why", title: "Why", wide: true,
    cell: (d) => sentence(d.why) },
  { key: "product", title: "Product", cell: (d) => d.product },
  { key: "since", title: "Since", cell: (d) => <RelativeTime time={d.since} />,
    right: true, shrink: true },
];

const SHOWN = 8;

function AttentionCard({ fleet }: { fleet: Fleet }) {
  const shown = fleet.attention.slice(0, SHOWN);
  const more = fleet.attention_count > shown.length;
  return (
    <Card flush={fleet.attention.length > 0} title="Devices that need a person"
      aside={fleet.attention_count > 0 &&
        <a href={href("devices", { attention: 1 })}>
          {more ? `All ${number(fleet.attention_count)}` : "As a list"}</a>}>
      {fleet.attention.length === 0
        ? <p class="muted">None. Devices that failed, came back or went silent
            stand here, each with its reason.</p>
        : <Table label="Devices that need a person" rows={shown}
            columns={attentionColumns} rowKey={(d) => d.id} />}
    </Card>
  );
}

function Products({ fleet }: { fleet: Fleet }) {
  return (
    <Card title="Products">
      <ul class="products">
        {fleet.products.map((p) => {
          const versions = fleet.versions.filter((v) => v.product === p.name)
            .sort((a, b) => newerFirst(a.version, b.version));
          // The strongest colour is the newest release's, run or not.
          const from = versions.some((v) => v.version === p.newest) ? 1 : 2;
          return (
            <li key={p.name}>
              <div class="products-head">
                <a href={href("devices", { product: p.name })}>{p.name}</a>
                <span class="muted">{count(p.devices, "device")}
                  {p.newest && <> · newest <a href={
                    href("releases", { product: p.name })}>{p.newest}</a></>}
                </span>
              </div>
              <div class="bar" role="img" aria-label={`${p.name}: ${
                versions.map((v) => `${v.devices} run ${v.version || "?"}`)
                  .join(", ")}`}>
                {versions.map((v, i) => (
                  <span key={v.version} title={`${v.version}: ${v.devices}`}
                    class={`bar-part chart-fill-${Math.min(i + from, 8)}`}
                    style={{ flexGrow: v.devices }} />
                ))}
              </div>
              <ul class="legend">
                {versions.slice(0, 6).map((v, i) => (
                  <li key={v.version}>
                    <a href={href("devices",
                      { product: p.name, version: v.version })}>
                      <span class={`swatch chart-fill-${i + from}`} />
                      {v.version || "not told"}
                      <span class="muted nums">{number(v.devices)}</span>
                    </a>
                  </li>
                ))}
                {versions.length > 6 &&
                  <li class="muted">{versions.length - 6} more</li>}
              </ul>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function States({ fleet }: { fleet: Fleet }) {
  return (
    <Card title="What devices do">
      <Bar legend label="Devices by state" whole={fleet.devices}
        parts={DEVICE_STATES.map((state) => ({
          state, n: fleet.states[state] ?? 0, href: href("devices", { state }),
        }))} />
    </Card>
  );
}

function FirstSteps({ server }: { server: ServerInfo | null }) {
  const origin = window.location.origin;
  return (
    <Card>
      <Empty title={server?.root_version
        ? "The server is ready for its first device"
        : "A new server: three steps to the first device"}
        commands={[
          ...(server?.root_version ? [] : [
            "bowline init --from /srv/bowline --product my-product " +
              "--vendor example.com\nbowline publish /srv/bowline/root-1.cbor" +
              "\nbowline product add",
            "bowline release firmware-1.0.0.bin\nbowline publish",
          ]),
          "bowline device add --name first -o first.token",
          "bowline-device provision --dir first --id <id> --server " +
            `${origin} \\\n    --ca /srv/bowline/ca.pem --root ` +
            "/srv/bowline/root-1.cbor \\\n    --factory releases/my-product-" +
            "1.0.0.suit --token-file first.token\n" +
            "bowline-device run --dir first",
        ]}>
        <p>These commands attach a virtual device. It shows up here as soon as
          it has asked the server for the first time.</p>
      </Empty>
    </Card>
  );
}

export function FleetPage() {
  const { data: fleet, error, loading, reload } =
    useResource<Fleet>("/fleet", { on: ["fleet", "rollout"], everyMs: 2000 });
  const { data: server } = useResource<ServerInfo>("/server");
  const empty = fleet?.level === "empty" || fleet?.devices === 0;
  return (
    <>
      <PageHead title="Fleet" />
      <ErrorBox error={error} retry={reload} />
      {loading && <Skeleton lines={8} />}
      {fleet && (
        <div class="stack">
          <Health fleet={fleet} />
          {empty ? <FirstSteps server={server} /> : <Figures fleet={fleet} />}
          <Patches fleet={fleet} />
          {fleet.rollouts.length > 0 && (
            <section aria-labelledby="running">
              <h2 class="section-title" id="running">Rollouts that go on</h2>
              <div class="grid-2 grid-even">
                {[...fleet.rollouts].sort(byNeed).map((r) =>
                  <RolloutCard key={r.id} rollout={r} />)}
              </div>
            </section>
          )}
          {!empty && (
            <>
              <VersionsChart products={fleet.products.map((p) => p.name)}
                preset={[...fleet.products].sort(
                  (a, b) => b.devices - a.devices)[0]?.name} />
              <AttentionCard fleet={fleet} />
              <div class="grid-2">
                <Products fleet={fleet} />
                <States fleet={fleet} />
              </div>
            </>
          )}
        </div>
      )}
    </>
  );
}
