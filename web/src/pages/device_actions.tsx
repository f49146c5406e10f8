// SPDX-License-Identifier: Apache-2.0
// What may be done to one device. Each dialog says whom it touches.
import { useState } from "preact/hooks";
import type { Device, List, Release } from "../api";
import { api, segment, withQuery } from "../api";
import { Button, Command, Field } from "../components/basics";
import { Confirm, Dialog } from "../components/Dialog";
import { toast } from "../components/Toast";
import { useAction, useResource } from "../hooks";
import { refreshAll } from "../live";
import { go } from "../router";

interface Props {
  device: Device;
  onClose: () => void;
}

const nameOf = (d: Device): string => d.name || d.id.slice(0, 12);

export function EditDevice({ device, onClose }: Props) {
  const [name, setName] = useState(device.name);
  const [tags, setTags] = useState(device.tags.join(", "));
  const [channel, setChannel] = useState(device.channel ?? "");
  const [busy, run] = useAction();
  const save = async () => {
    const list = tags.split(",").map((t) => t.trim()).filter(Boolean);
    if (await run(() => api.patch(`/devices/${segment(device.id)}`,
      { name, tags: list, channel }), "Saved")) {
      refreshAll();
      onClose();
    }
  };
  return (
    <Dialog title={`Edit ${nameOf(device)}`} onClose={onClose}>
      <form class="form" onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}>
        <Field label="Name" for="edit-name">
          <input id="edit-name" value={name} maxLength={64}
            onInput={(e) => setName(e.currentTarget.value)} />
        </Field>
        <Field label="Tags" for="edit-tags" hint="Divided by commas.">
          <input id="edit-tags" value={tags}
            onInput={(e) => setTags(e.currentTarget.value)} />
        </Field>
        <Field label="Channel" for="edit-channel"
          hint="Which releases it may get; empty is stable.">
          <input id="edit-channel" value={channel} maxLength={31}
            onInput={(e) => setChannel(e.currentTarget.value)} />
        </Field>
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>Save</Button>
        </footer>
      </form>
    </Dialog>
  );
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}

export function RollBack({ device, onClose }: Props) {
  const releases = useResource<List<Release>>(
    withQuery("/releases", { product: device.product, limit: 100 }));
  const older = (releases.data?.items ?? []).filter(
    (r) => r.product === device.product && r.sequence < device.sequence)
    .sort((a, b) => b.sequence - a.sequence);
  const [version, setVersion] = useState(device.previous_version ?? "");
  const [permit, setPermit] = useState("");
  const known = older.some((r) => r.version === version);
  const to = (known && version) || older[0]?.version || "";
  if (releases.data && older.length === 0) {
    return (
      <Dialog title={`Roll back ${nameOf(device)}`} onClose={onClose}>
        <p>There is no release of {device.product} older than what it runs
          {device.version && ` (${device.version})`}.</p>
        <footer><Button onClick={onClose}>Close</Button></footer>
      </Dialog>
    );
  }
  return (
    <Confirm title={`Roll back ${nameOf(device)}`} button="Roll back" danger
      disabled={permit === ""} onClose={onClose}
      done={`${nameOf(device)} goes back to ${to} at its next poll`}
      work={() => api.post(`/devices/${segment(device.id)}/rollback`,
        { version: to, permit })}>
      <p class="touches">It touches this one device: it goes from{" "}
        {device.version || "what it runs"} to {to} at its next poll, and stays
        there until another rollout wants it.</p>
      <Field label="To version" for="rollback-version">
        <select id="rollback-version" value={to}
          onChange={(e) => setVersion(e.currentTarget.value)}>
          {older.map((r) =>
            <option key={r.manifest} value={r.version}>{r.version}</option>)}
        </select>
      </Field>
      <p class="hint">A device only goes back with a permit that is signed by
        the release key, which is never on the server. Where that key is, this
        command does it all:</p>
      <Command text={`bowline device rollback ${device.id} --to ${to}`} />
      <Field label="Or hand in a permit file" for="rollback-permit">
        <input id="rollback-permit" type="file" onChange={(e) => {
          const file = e.currentTarget.files?.[0];
          if (file && file.size <= 4096) {
            void base64Of(file).then(setPermit);
          } else if (file) {
            toast("that file is too large for a permit", "bad");
          }
        }} />
      </Field>
    </Confirm>
  );
}

export function RemoveDevice({ device, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const word = nameOf(device);
  return (
    <Confirm title={`Remove ${word}`} button="Remove" danger onClose={onClose}
      disabled={typed !== word} done={`${word} is removed`}
      work={async () => {
        await api.remove(`/devices/${segment(device.id)}`);
        go("devices");
      }}>
      <p class="touches">It touches this one device: its token is void at once,
        its history is gone. It keeps running what it runs, and gets no more
        updates until it is registered again.</p>
      <Field label={`Type its name: ${word}`} for="remove-name">
        <input id="remove-name" autocomplete="off" value={typed}
          onInput={(e) => setTyped(e.currentTarget.value)} />
      </Field>
    </Confirm>
  );
}
