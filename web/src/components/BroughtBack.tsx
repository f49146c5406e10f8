// SPDX-License-Identifier: Apache-2.0
// A rollout that was returned: its devices were confirmed once, and are (or
// go) back now. That does not change what it counts, so it is said beside.
import { segment, type ReturnPreview, type Rollout } from "../api";
import { count, number } from "../format";
import { useResource } from "../hooks";
import { href } from "../router";
import { Icon } from "./Icon";

/** How many still run it and could be brought back; null: nobody asked. */
export function useLeft(rollout: Rollout): number | null {
  const returned = (rollout.returns ?? []).length > 0;
  const { data } = useResource<ReturnPreview>(returned
    ? `/rollouts/${segment(rollout.id)}/return` : null,
  { on: ["rollout", "fleet"], everyMs: 2000 });
  return data?.devices ?? null;
}

export function BroughtBack({ rollout, left }:
  { rollout: Rollout; left: number | null }) {
  const ids = rollout.returns ?? [];
  if (ids.length === 0) {
    return null;
  }
  const once = rollout.counts.confirmed;
  return (
    <p class="brought-back">
      <Icon name="back" />
      <span>{left === null ? "Its devices were brought back by "
        : `${number(Math.max(0, once - left))} of ${count(once, "device")} ` +
          "that had confirmed it went back, by "}
        {ids.map((id, i) => (
          <span key={id}>{i > 0 && ", "}
            <a href={href("rollouts", id)}>Rollout {id}</a></span>
        ))}</span>
    </p>
  );
}
