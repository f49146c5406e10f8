// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";
import type { Route } from "../router";

export function Releases(_: { route: Route }) {
  return <><PageHead title="Releases" /><Skeleton /></>;
}
