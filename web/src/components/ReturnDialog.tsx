// SPDX-License-Identifier: Apache-2.0
// Bringing devices back to what they ran before: which, to what, and the
// permits that a version rule asks for.
import { useState } from "preact/hooks";
import {
  api, segment, type ApiError, type ReturnPreview, type Rollout,
} from "../api";
import { count, number, sentence } from "../format";
import { asError, useResource } from "../hooks";
import { rolloutName } from "../plan";
import { go, href } from "../router";
import { Button, Command, ErrorBox, Skeleton } from "./basics";
import { Dialog } from "./Dialog";
import { Icon, type IconName } from "./Icon";
import { toast } from "./Toast";

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

function Target({ product, to, chosen, onPermit }: {
  product: string; to: ReturnPreview["to"][number]; chosen: boolean;
  onPermit: (permit: string) => void;
}) {
  const say = SAY[to.permit] ?? SAY.needed;
  const id = `permit-${to.manifest.slice(0, 12)}`;
  return (
    <li class="return-to">
      <span class="return-version"><Icon name="back" />
        <b>{to.version}</b></span>
      <span class="nums">{count(to.devices, "device")}</span>
      <span class={`return-permit tone-${say.tone}`}>
        <Icon name={say.icon} />{say.text}</span>
      {to.permit === "needed" && (
        <div class="return-file">
          <Command text={`bowline permit ${to.version} --product ${product
            } -o ${to.version}.permit`} />
        </div>
      )}
      {(to.permit === "needed" || chosen) && (
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
  const [permits, setPermits] = useState<Record<string, string>>({});
  const list = Object.entries(permits)
    .map(([manifest, permit]) => ({ manifest, permit }));
  const body = list.length > 0 ? { permits: list } : {};
  const preview = useResource<ReturnPreview>(`${path}?preview=1`,
    { post: body });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const p = preview.data;
  const missing = (p?.to ?? []).some((to) => to.permit === "needed");
  const going = (p?.to ?? []).filter((to) => to.permit === "given"
    || to.permit === "not-needed").reduce((n, to) => n + to.devices, 0);
  const act = async () => {
    setBusy(true);
    setError(null);
    try {
      const after = await api.post<Rollout>(path, body);
      const made = after.kind === "return" ? after.id
        : after.returns?.[after.returns.length - 1];
      toast("Devices return", "good");
      onDone();
      onClose();
      if (made !== undefined && made !== rollout.id) {
        go("rollouts", made);
      }
    } catch (fault) {
      setError(asError(fault));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Return the devices of ${rolloutName(rollout)}?`} wide danger
      onClose={onClose}>
      {preview.loading && <Skeleton lines={3} />}
      <ErrorBox error={error ?? preview.error} />
      {p && (
        <>
          <p class="touches">{sentence(p.sentence)}</p>
          {p.to.length > 0 && (
            <ul class="return-list">
              {p.to.map((to) => (
                <Target key={to.manifest} to={to} product={rollout.product}
                  chosen={permits[to.manifest] !== undefined}
                  onPermit={(permit) =>
                    setPermits({ ...permits, [to.manifest]: permit })} />
              ))}
            </ul>
          )}
          {missing && (
            <>
              <p class="hint">
                A permit is signed with the release keys, which are not on this
                server. Where they are, the command above writes the file to
                choose here; this one does it all at once:
              </p>
              <Command text={`bowline rollout return ${rollout.id}`} />
            </>
          )}
          <Impossible list={p.impossible} />
        </>
      )}
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="danger" busy={busy} icon="back"
          disabled={going === 0 || preview.error !== null}
          onClick={() => void act()}>
          Return {going > 0 ? count(going, "device") : "devices"}
        </Button>
      </footer>
    </Dialog>
  );
}
