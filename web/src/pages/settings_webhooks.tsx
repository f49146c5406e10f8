// SPDX-License-Identifier: Apache-2.0
// Webhooks: the server tells others what happened, signed and retried.
import { useEffect, useState } from "preact/hooks";
import type { Delivery, List, Webhook } from "../api";
import { api } from "../api";
import {
  Button, Card, Check, Command, Empty, ErrorBox, Field, RelativeTime, Skeleton,
} from "../components/basics";
import { Confirm, Dialog } from "../components/Dialog";
import { Pill } from "../components/Pill";
import { Table, type Column } from "../components/Table";
import { useAction, useResource } from "../hooks";

const EVENTS: [string, string][] = [
  ["rollout.*", "made, approved, advanced, paused, resumed, ended"],
  ["release.*", "published, promoted"],
  ["device.*", "registered, changed, rolled back, removed"],
  ["user.*", "made, changed, removed"],
  ["token.*", "made, revoked"],
];

function NewWebhook({ onClose, made }:
  { onClose: () => void; made: (hook: Webhook) => void }) {
  const [url, setUrl] = useState("https://");
  const [events, setEvents] = useState<string[]>(["rollout.*"]);
  const [busy, run] = useAction();
  return (
    <Dialog title="A new webhook" onClose={onClose}>
      <form class="form" onSubmit={(e) => {
        e.preventDefault();
        void run(async () =>
          made(await api.post<Webhook>("/webhooks", { url, events })));
      }}>
        <Field label="Address" for="hook-url"
          hint="Gets a POST with JSON, signed in the header Bowline-Signature.">
          <input id="hook-url" type="url" required value={url}
            onInput={(e) => setUrl(e.currentTarget.value)} />
        </Field>
        <fieldset class="field">
          <legend class="label">Events (none: all of them)</legend>
          {EVENTS.map(([event, what]) => (
            <Check key={event} id={`event-${event}`}
              checked={events.includes(event)}
              onChange={(on) => setEvents(on ? [...events, event]
                : events.filter((s) => s !== event))}>
              <code>{event}</code> <span class="muted">{what}</span>
            </Check>
          ))}
        </fieldset>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>Add webhook</Button>
        </footer>
      </form>
    </Dialog>
  );
}

const DELIVERY: Record<Delivery["state"], [string, string]> = {
  delivered: ["confirmed", "delivered"],
  waiting: ["waiting", "tries again"],
  failed: ["failed", "given up"],
};

const deliveryColumns: Column<Delivery>[] = [
  { key: "type", title: "Event", main: true,
    cell: (d) => <code>{d.type}</code> },
  { key: "state", title: "Result", cell: (d) =>
    <Pill state={DELIVERY[d.state][0]} word={DELIVERY[d.state][1]} /> },
  { key: "error", title: "Answer", wide: true, cell: (d) => d.error ||
    (d.status ? `${d.status}, after ${d.ms} ms` : "none yet") },
  { key: "tries", title: "Tries", right: true, cell: (d) => d.tries },
  { key: "next", title: "Next try", right: true, cell: (d) => d.next
    ? <RelativeTime time={d.next} /> : <span class="muted">–</span> },
  { key: "created", title: "When", right: true, shrink: true,
    cell: (d) => <RelativeTime time={d.created} /> },
];

/** Deliveries come without a notice of their own. */
function usePoll(reload: () => void): void {
  useEffect(() => {
    const timer = window.setInterval(reload, 3000);
    return () => window.clearInterval(timer);
  }, []);
}

function Deliveries({ hook }: { hook: Webhook }) {
  const { data, error, loading, reload } = useResource<List<Delivery>>(
    `/webhooks/${hook.id}/deliveries?limit=50`, { on: ["audit"] });
  usePoll(reload);
  const [busy, run] = useAction();
  return (
    <Card flush title={`Deliveries to ${hook.url}`} aside={
      <Button small busy={busy} onClick={() => void run(
        () => api.post(`/webhooks/${hook.id}/test`), "A test is on its way")
        .then(reload)}>Send a test</Button>
    }>
      <ErrorBox error={error} />
      {loading && <div class="pad"><Skeleton /></div>}
      {data && data.items.length === 0
        && <p class="pad muted">Nothing was sent in the last 7 days.</p>}
      {data && data.items.length > 0 && <Table label="Deliveries"
        rows={data.items} columns={deliveryColumns} rowKey={(d) => d.id} />}
    </Card>
  );
}

export function Webhooks() {
  const { data, error, loading, reload } = useResource<List<Webhook>>(
    "/webhooks?limit=1000", { on: ["audit"] });
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Webhook | null>(null);
  const [removing, setRemoving] = useState<Webhook | null>(null);
  const [shown, setShown] = useState<number | null>(null);
  const [, run] = useAction();
  const log = data?.items.find((h) => h.id === shown);
  const columns: Column<Webhook>[] = [
    { key: "url", title: "Address", main: true, cell: (h) => h.url },
    { key: "events", title: "Events", cell: (h) => (
      <span class="tags">{(h.events.length > 0 ? h.events : ["all"]).map((e) =>
        <span class="tag" key={e}>{e}</span>)}</span>) },
    { key: "state", title: "State", cell: (h) => h.enabled
      ? <Pill state="confirmed" word="on" />
      : <Pill state="aborted" word="off" /> },
    { key: "actions", title: "", right: true, shrink: true, wide: true,
      cell: (h) => (
      <span class="actions">
        <Button small expanded={shown === h.id} onClick={() =>
          setShown(shown === h.id ? null : h.id)}>Log</Button>
        <Button small onClick={() => void run(() =>
          api.patch(`/webhooks/${h.id}`, { enabled: !h.enabled }))
          .then(reload)}>{!h.enabled ? "Turn on" : "Turn off"}</Button>
        <Button small kind="quiet" icon="trash" label={`Remove ${h.url}`}
          onClick={() => setRemoving(h)} />
      </span>
    ) },
  ];
  return (
    <div class="stack">
      <Card flush title="Webhooks" aside={
        <Button small icon="plus" onClick={() => setAdding(true)}>New webhook
        </Button>
      }>
        <ErrorBox error={error} retry={reload} />
        {loading && <div class="pad"><Skeleton /></div>}
        {data && data.items.length === 0 && (
          <Empty icon="hook" title="No webhooks"><p>A webhook tells your chat,
            pager or CI when a rollout advances, pauses or ends.</p></Empty>
        )}
        {data && data.items.length > 0 && <Table label="Webhooks"
          rows={data.items} columns={columns} rowKey={(h) => h.id} />}
      </Card>
      {log && <Deliveries key={log.id} hook={log} />}
      {adding && <NewWebhook onClose={() => setAdding(false)} made={(hook) => {
        setAdding(false);
        setMade(hook);
        reload();
      }} />}
      {made && (
        <Dialog title="The webhook's secret" onClose={() => setMade(null)} wide>
          <p>It is shown this once. With it the receiver checks that a delivery
            is from this server.</p>
          <Command text={made.secret ?? ""} />
          <footer><Button kind="primary" onClick={() => setMade(null)}>Done
          </Button></footer>
        </Dialog>
      )}
      {removing && (
        <Confirm title="Remove the webhook" button="Remove" danger
          onClose={() => setRemoving(null)} work={async () => {
            await api.remove(`/webhooks/${removing.id}`);
            reload();
          }}>
          <p class="touches">{removing.url} is told nothing more; what waits to
            be sent again is dropped.</p>
        </Confirm>
      )}
    </div>
  );
}
