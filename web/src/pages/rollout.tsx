// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";
import type { Route } from "../router";

export function RolloutPage(_: { id: string; route: Route }) {
  return <><PageHead title="Rollout" /><Skeleton /></>;
}
