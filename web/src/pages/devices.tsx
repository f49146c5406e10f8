// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";
import type { Route } from "../router";

export function Devices(_: { route: Route }) {
  return <><PageHead title="Devices" /><Skeleton /></>;
}
