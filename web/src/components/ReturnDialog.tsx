// SPDX-License-Identifier: Apache-2.0
// Bringing devices back to what they ran before: which, to what, and the
// permits that a version rule asks for.
import { useState } from "preact/hooks";
import { api, segment, type ReturnPreview, type Rollout } from "../api";
import { count, number, sentence } from "../format";
import { useAction, useResource } from "../hooks";
import { rolloutName } from "../plan";
import { go, href } from "../router";
import { Button, ErrorBox, Skeleton } from "./basics";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";

type Permit = ReturnPreview["to"][number]["permit"];

const SAY: Record<Permit, { text: string; icon: IconName; tone: string }> = {
  "not-needed": { text: "no permit needed", icon: "check", tone: "good" },
  given: { text: "permit given", icon: "check", tone: "good" },
  needed: { text: "needs a signed permit", icon: "key", tone: "wait" },
  "below-security-floor": {
    text: "below the security floor: never", icon: "cross", tone: "bad",
  },
};

async function asBase64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  bytes.forEach((byte) => {
    text += String.fromCharCode(byte);
  });
  return btoa(text);
}

function Target({ to, given, onPermit }: {
  to: ReturnPreview["to"][number]; given: boolean;
  onPermit: (permit: string) => void;
}) {
  const say = SAY[given ? "given" : to.permit] ?? SAY.needed;
  const id = `permit-${to.manifest.slice(0, 12)}`;
  return (
    <li class="return-to">
      <span class="return-version"><Icon name="back" />
        <b>{to.version}</b></span>
      <span class="nums">{count(to.devices, "device")}</span>
      <span class={`return-permit tone-${say.tone}`}>
        <Icon name={say.icon} />{say.text}</span>
      {to.permit === "needed" && !given && (
        <label class="return-file" for={id}>
          Permit file for {to.version}
          <input type="file" id={id} onChange={(e) => {
            const file = e.currentTarget.files?.[0];
            if (file) {
              void asBase64(file).then(onPermit);
            }
          }} />
        </label>
      )}
    </li>
  );
}

function Impossible({ list }: { list: ReturnPreview["impossible"] }) {
  if (list.length === 0) {
    return null;
  }
  return (
    <div>
      <h3>Cannot return</h3>
      <ul class="plain-list">
        {list.map((group) => (
          <li key={group.why}>
            <b class="nums">{number(group.count)}</b> {sentence(group.why)}{" "}
            <span class="muted">{group.examples.slice(0, 3).map((d, i) => (
              <span key={d.id}>{i > 0 && ", "}
                <a href={href("devices", d.id)}>{d.name || d.id}</a></span>
            ))}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function ReturnDialog({ rollout, onClose, onDone }: {
  rollout: Rollout; onClose: () => void; onDone: () => void;
}) {
  const path = `/rollouts/${segment(rollout.id)}/return`;
  const preview = useResource<ReturnPreview>(path);
  const [permits, setPermits] = useState<Record<string, string>>({});
  const [busy, run] = useAction();
  const p = preview.data;
  const missing = (p?.to ?? []).filter((to) => to.permit === "needed"
    && !permits[to.manifest]);
  const possible = (p?.to ?? []).some((to) =>
    to.permit !== "below-security-floor" && (to.permit !== "needed"
      || permits[to.manifest]));
  const act = async () => {
    let made: number | undefined;
    const list = Object.entries(permits)
      .map(([manifest, permit]) => ({ manifest, permit }));
    const good = await run(async () => {
      const after = await api.post<Rollout>(path,
        list.length > 0 ? { permits: list } : {});
      made = after.kind === "return" ? after.id
        : after.returns?.[after.returns.length - 1];
    }, "Devices return");
    if (good) {
      onDone();
      onClose();
      if (made !== undefined && made !== rollout.id) {
        go("rollouts", made);
      }
    }
  };
  return (
    <Dialog title={`Return the devices of ${rolloutName(rollout)}?`} wide
      onClose={onClose}>
      {preview.loading && <Skeleton lines={3} />}
      <ErrorBox error={preview.error} />
      {p && (
        <>
          <p class="touches">{sentence(p.sentence)}</p>
          {p.to.length > 0 && (
            <ul class="return-list">
              {p.to.map((to) => (
                <Target key={to.manifest} to={to}
                  given={permits[to.manifest] !== undefined}
                  onPermit={(permit) =>
                    setPermits({ ...permits, [to.manifest]: permit })} />
              ))}
            </ul>
          )}
          {missing.length > 0 && (
            <p class="hint">
              A permit is signed with the release keys, away from this server:
              {" "}<code>bowline permit</code>. Devices without one stay as
              they are.
            </p>
          )}
          <Impossible list={p.impossible} />
        </>
      )}
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" busy={busy} icon="back"
          disabled={!p || !possible} onClick={() => void act()}>
          Return {p ? count(p.devices, "device") : "devices"}
        </Button>
      </footer>
    </Dialog>
  );
}
