// SPDX-License-Identifier: Apache-2.0
// The server and its people: one tab a subject.
import type { ComponentChildren } from "preact";
import type { ServerInfo, Settings as Wishes } from "../api";
import { api } from "../api";
import {
  Card, Check, Bytes, ErrorBox, Facts, Field, PageHead, RelativeTime, Skeleton,
} from "../components/basics";
import { ThemeChoice } from "../components/PersonMenu";
import { dateTime, number } from "../format";
import { useAction, useCurrentInView, useResource } from "../hooks";
import { useMay, useSession } from "../session";
import { PasswordForm } from "./new_password";
import { Keys } from "./settings_keys";
import { Tokens } from "./settings_tokens";
import { Users } from "./settings_users";
import { Webhooks } from "./settings_webhooks";

function About() {
  const { data, error, loading } = useResource<ServerInfo>("/server",
    { on: ["fleet"], everyMs: 5000 });
  return (
    <Card title="This server">
      <ErrorBox error={error} />
      {loading && <Skeleton />}
      {data && (
        <Facts items={[
          ["Version", `bowlined ${data.version}`],
          ["Address", window.location.origin],
          ["Started", <RelativeTime time={data.started} />],
          ["Time", dateTime(data.time)],
          ["Devices", number(data.devices)],
          ["Root document", data.root_version === null
            ? "none yet" : `version ${data.root_version}`],
          ["Tickets", data.tickets
            ? "its ticket key is trusted by the root document"
            : "its ticket key is not in the root document: devices get no " +
              "offers"],
          ...(data.clock_speed && data.clock_speed > 1
            ? [["Clock", `runs ${data.clock_speed} times faster: for tests`] as
              [string, ComponentChildren]] : []),
          ...(data.database_bytes ? [["Database",
            <Bytes n={data.database_bytes} />] as
              [string, ComponentChildren]] : []),
          ...(data.payload_bytes ? [["Payloads",
            <Bytes n={data.payload_bytes} />] as
              [string, ComponentChildren]] : []),
          ["API", <a href="/api/v1/openapi.json">openapi.json</a>],
          ["Licences", <a href={document.body.dataset.licenses}>
            of the packages in this page</a>],
        ]} />
      )}
    </Card>
  );
}

function FourEyes() {
  const { data, error, loading, reload } = useResource<Wishes>("/settings");
  const { admin } = useMay();
  const [busy, run] = useAction();
  const change = async (wish: Partial<Wishes>) => {
    await run(() => api.patch("/settings", wish), "Saved");
    reload();
  };
  return (
    <Card title="Four eyes">
      <ErrorBox error={error} />
      {loading && <Skeleton lines={2} />}
      {data && (
        <div class="form">
          <Check id="four-eyes" checked={data.four_eyes}
            disabled={!admin || busy}
            onChange={(on) => void change({ four_eyes: on })}>
            A rollout, and a return, waits until somebody else approves it
            <span class="hint check-hint">Who made it can never approve it. A
              pause and an abort need nobody.</span>
          </Check>
          {data.four_eyes && data.approvals !== undefined && (
            <Field label="How many must approve" for="approvals">
              <input id="approvals" type="number" min={1} max={5}
                value={data.approvals} disabled={!admin || busy}
                onChange={(e) => void change(
                  { approvals: Number(e.currentTarget.value) })} />
            </Field>
          )}
          {!admin && <p class="hint">Only an admin changes this.</p>}
        </div>
      )}
    </Card>
  );
}

function Patches() {
  const { data, error, loading, reload } = useResource<Wishes>("/settings");
  const { admin } = useMay();
  const [busy, run] = useAction();
  const change = async (on: boolean) => {
    await run(() => api.patch("/settings", { deltas: on }), "Saved");
    reload();
  };
  return (
    <Card title="Patches">
      <ErrorBox error={error} />
      {loading && <Skeleton lines={2} />}
      {data && (
        <div class="form">
          <Check id="deltas" checked={data.deltas ?? false}
            disabled={!admin || busy} onChange={(on) => void change(on)}>
            Make patches, and offer them to devices that take them
            <span class="hint check-hint">A patch is a small way from what a
              device runs to what it shall run. After any failure the device
              fetches the whole payload.</span>
          </Check>
          {!admin && <p class="hint">Only an admin changes this.</p>}
        </div>
      )}
    </Card>
  );
}

function Account() {
  const { session } = useSession();
  return (
    <div class="grid-2">
      <Card title="Password">
        <PasswordForm first={session.must_set_password === true} />
      </Card>
      <div class="stack">
        <Card title="You">
          <Facts items={[
            ["Name", session.name],
            ["Role", session.role],
            ["Session ends", session.expires
              ? <RelativeTime time={session.expires} /> : "–"],
          ]} />
        </Card>
        <Card title="Theme"><ThemeChoice name="account-theme" /></Card>
      </div>
    </div>
  );
}

const TABS: { part: string; title: string; admin?: boolean;
  page: () => ComponentChildren }[] = [
  { part: "about", title: "Server",
    page: () => <div class="grid-2"><About />
      <div class="stack"><FourEyes /><Patches /></div></div> },
  { part: "account", title: "Your account", page: () => <Account /> },
  { part: "keys", title: "Roots and keys", page: () => <Keys /> },
  { part: "users", title: "Users", admin: true, page: () => <Users /> },
  { part: "tokens", title: "Tokens", admin: true, page: () => <Tokens /> },
  { part: "webhooks", title: "Webhooks", admin: true,
    page: () => <Webhooks /> },
];

export function Settings({ part }: { part: string }) {
  const { admin } = useMay();
  const shown = TABS.filter((tab) => admin || !tab.admin);
  const tab = shown.find((t) => t.part === part) ?? shown[0];
  const tabs = useCurrentInView(tab);
  return (
    <>
      <PageHead title="Settings" />
      <nav class="tabs" aria-label="Settings" ref={tabs}>
        {shown.map((t) => (
          <a key={t.part} href={`#/settings/${t.part}`}
            aria-current={t === tab ? "page" : undefined}>{t.title}</a>
        ))}
      </nav>
      {tab?.page()}
    </>
  );
}
