// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";
import type { Route } from "../router";

export function Audit(_: { route: Route }) {
  return <><PageHead title="Audit" /><Skeleton /></>;
}
