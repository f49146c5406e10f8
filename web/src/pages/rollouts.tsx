// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";
import type { Route } from "../router";

export function Rollouts(_: { route: Route }) {
  return <><PageHead title="Rollouts" /><Skeleton /></>;
}
