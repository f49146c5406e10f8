// SPDX-License-Identifier: Apache-2.0
import { PageHead, Skeleton } from "../components/basics";

export function DevicePage(_: { id: string }) {
  return <><PageHead title="Device" /><Skeleton /></>;
}
