// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";

export function FleetPage() {
  return <><PageHead title="Fleet" /><Skeleton /></>;
}
