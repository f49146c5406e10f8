// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";

export function ReleasePage(_: { manifest: string }) {
  return <><PageHead title="Release" /><Skeleton /></>;
}
