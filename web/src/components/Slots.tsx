// SPDX-License-Identifier: Apache-2.0
// The two slots of a device, drawn: which one runs, what the other holds.
import type { Device, Slot } from "../types";
import { href } from "../router";
import { Icon, type IconName } from "./Icon";

const WORDS: Record<Slot["state"], { text: string; icon: IconName }> = {
  running: { text: "running", icon: "play" },
  trial: { text: "on trial", icon: "clock" },
  previous: { text: "to fall back on", icon: "back" },
  empty: { text: "empty", icon: "dash" },
  unknown: { text: "not told", icon: "dash" },
};

/** Of a server that tells no slots: what is known of the running one. */
function slotsOf(d: Device): Slot[] {
  if (d.slots && d.slots.length > 0) {
    return d.slots;
  }
  const slot = (name: "A" | "B"): Slot => d.slot === name
    ? { slot: name, version: d.version, manifest: d.manifest,
        state: d.confirmed ? "running" : "trial" }
    : { slot: name, version: "", manifest: null, state: "unknown" };
  return [slot("A"), slot("B")];
}

export function Slots({ device }: { device: Device }) {
  return (
    <div class="slots">
      {slotsOf(device).map((slot) => {
        const word = WORDS[slot.state];
        const target = slot.manifest
          ? href("releases", slot.manifest) : undefined;
        return (
          <div key={slot.slot} class={`slot slot-${slot.state}`}
            data-slot={slot.slot}>
            <span class="slot-name">{slot.slot}</span>
            <span class="slot-version">
              {!slot.version ? <span class="muted">–</span>
                : target ? <a href={target}>{slot.version}</a> : slot.version}
            </span>
            <span class="slot-state">
              <Icon name={word.icon} />{word.text}
              {slot.state === "trial" && typeof device.tries === "number" &&
                `, ${device.tries} tries left`}
            </span>
          </div>
        );
      })}
    </div>
  );
}
