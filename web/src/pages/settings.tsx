// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";

export function Settings(_: { part: string }) {
  return <><PageHead title="Settings" /><Skeleton /></>;
}
