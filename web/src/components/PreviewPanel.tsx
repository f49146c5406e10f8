// SPDX-License-Identifier: Apache-2.0
// What a plan would do: who, how many bytes, how long; who would be refused or
// wait, and why. Asked of the server while one types.
import type { ApiError, Plan, Preview, PreviewGroup } from "../api";
import { bytes, count, duration, number, percent, sentence } from "../format";
import { stageWord, tidyPlan } from "../plan";
import { href } from "../router";
import { Command, CopyButton, ErrorBox, Note, Skeleton } from "./basics";
import { Icon, type IconName } from "./Icon";

function Amounts({ title, items, whole }: {
  title: string; items: { name: string; n: number }[]; whole: number;
}) {
  if (items.length === 0) {
    return null;
  }
  const shown = items.slice(0, 6);
  const rest = items.slice(6).reduce((sum, item) => sum + item.n, 0);
  return (
    <div class="amounts">
      <h3>{title}</h3>
      <ul>
        {[...shown, ...(rest > 0 ? [{ name: "others", n: rest }] : [])]
          .map(({ name, n }) => (
            <li key={name}>
              <span class="amount-name">{name || "not told"}</span>
              <span class="amount-track" aria-hidden="true">
                <span style={{ width: `${(100 * n) / Math.max(1, whole)}%` }} />
              </span>
              <span class="nums">{number(n)}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}

function Groups({ title, list, icon, tone }: {
  title: string; list: PreviewGroup[]; icon: IconName; tone: string;
}) {
  if (list.length === 0) {
    return null;
  }
  const all = list.reduce((sum, group) => sum + group.count, 0);
  return (
    <div class={`groups tone-${tone}`}>
      <h3><Icon name={icon} />{title} <span class="nums">{number(all)}</span>
      </h3>
      <ul>
        {list.map((group) => (
          <li key={group.why}>
            <b class="nums">{number(group.count)}</b>
            <span>{sentence(group.sentence)}
              {group.examples.length > 0 && (
                <span class="muted"> {group.examples.slice(0, 3)
                  .map((d, i) => (
                    <span key={d.id}>{i > 0 && ", "}
                      <a href={href("devices", d.id)}>{d.name
                        || d.id.slice(0, 8)}</a></span>
                  ))}{group.count > Math.min(3, group.examples.length)
                  && ", …"}</span>
              )}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function StageBars({ preview }: { preview: Preview }) {
  const most = Math.max(1, ...preview.stages.map((s) => s.devices));
  return (
    <ol class="preview-stages" aria-label="Stages">
      {preview.stages.map((stage, i) => (
        <li key={i}>
          <span class="preview-stage-name">{stageWord({
            percent: stage.percent ?? undefined,
            count: stage.count ?? undefined,
          })}</span>
          <span class="amount-track" aria-hidden="true">
            <span style={{ width: `${Math.max(1,
              (100 * stage.devices) / most)}%` }} />
          </span>
          <span class="nums">{count(stage.devices, "device")}</span>
        </li>
      ))}
    </ol>
  );
}

function Remarks({ preview }: { preview: Preview }) {
  return (
    <>
      {preview.warnings.map((text) => (
        <Note key={text}>{sentence(text)}</Note>
      ))}
      {preview.overlaps.map((o) => (
        <div key={o.id} class="note note-plain"><Icon name="rollouts" />
          <p>{sentence(o.sentence)}{" "}
            <a href={href("rollouts", o.id)}>{o.name
              || `Rollout ${o.id}`}</a></p></div>
      ))}
      {preview.approval && (
        <div class="note note-plain"><Icon name="eye" />
          <p>It waits until somebody else approves it.</p></div>
      )}
    </>
  );
}

/** Not meant is not refused. */
const leftOut = (g: PreviewGroup): boolean =>
  g.why === "target" || g.why === "channel";

function Whole({ preview }: { preview: Preview }) {
  const all = preview.devices;
  return (
    <>
      <p class="preview-sentence">{sentence(preview.sentence)}</p>
      <dl class="preview-figures">
        <div><dt>Devices</dt><dd class="nums">{number(all)}</dd></div>
        <div><dt>To send</dt><dd class="nums">{bytes(preview.bytes)}</dd></div>
        <div><dt>Takes about</dt><dd class="nums">{
          preview.seconds === null ? "–" : duration(preview.seconds)}</dd></div>
      </dl>
      <StageBars preview={preview} />
      {preview.stages.some((s) => (s.percent ?? 100) < 100) && (
        <p class="hint">Which devices a percentage holds, a hash of each
          decides: their number comes near it, not to the device.</p>
      )}
      <Remarks preview={preview} />
      <Groups title="Would be refused" icon="bar" tone="refused"
        list={preview.refused.filter((g) => !leftOut(g))} />
      <Groups title="Left out by the query" icon="filter" tone="none"
        list={preview.refused.filter(leftOut)} />
      <Groups title="Would wait" list={preview.waiting} icon="clock"
        tone="wait" />
      <div class="amounts-row">
        <Amounts title="They run now" whole={all} items={preview.versions
          .map((v) => ({ name: v.version, n: v.devices }))} />
        <Amounts title="Hardware" whole={all} items={preview.hardware
          .map((h) => ({ name: h.hardware, n: h.devices }))} />
      </div>
      <p class="hint">One image is {bytes(preview.payload_bytes)}; {
        percent(preview.bytes, Math.max(1, preview.payload_bytes * all))} of
        full images is to be sent{preview.delta_devices
          ? `: for ${count(preview.delta_devices, "device")} a patch is ready`
          : ""}.</p>
    </>
  );
}

/** Stale: of a plan before this one, which has an error. */
export function PreviewPanel({ preview, error, loading, stale }: {
  preview: Preview | null; error: ApiError | null; loading: boolean;
  stale: boolean;
}) {
  return (
    <div class="preview" aria-busy={loading}>
      <ErrorBox error={error} />
      {loading && !preview && !error && <Skeleton lines={5} />}
      {preview && !error && !stale && <Whole preview={preview} />}
      {!preview && !error && !loading && !stale && (
        <p class="muted">Choose a release to see whom it would reach.</p>
      )}
    </div>
  );
}

export function PlanFile({ plan, version }: { plan: Plan; version: string }) {
  const { manifest: _, ...rest } = plan;
  const named = version ? { ...rest, version } : plan;
  const { product, version: v, name, ...others } = named;
  const text = JSON.stringify(
    tidyPlan({ product, version: v, name, ...others } as Plan), null, 2);
  return (
    <details class="help plan-file">
      <summary><Icon name="copy" />The same as a file</summary>
      <div class="help-body">
        <Command text="bowline rollout apply rollout.json" />
        <div class="command">
          <pre tabIndex={0} aria-label="rollout.json"><code>{text}</code></pre>
          <CopyButton text={`${text}\n`} label="Copy the file" />
        </div>
      </div>
    </details>
  );
}
