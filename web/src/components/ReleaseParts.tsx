// SPDX-License-Identifier: Apache-2.0
// What the list and the page of a release both say.
import type { Release } from "../api";
import { Icon } from "./Icon";

export interface Signer {
  kid: string;
  kind: string;
  role: string;
}

/** A server may tell only the key's id. */
export const signersOf = (r: Release): Signer[] =>
  ((r.signers ?? []) as (Signer | string)[]).map((s) =>
    typeof s === "string" ? { kid: s, kind: "", role: "" } : s);

export const runningOf = (r: Release): number =>
  r.running ?? (typeof r.devices === "number" ? r.devices : 0);

export interface Payload {
  component: string;
  uri: string;
  sha256: string;
  size: number;
}

export function payloadsOf(r: Release): Payload[] {
  if (Array.isArray(r.payloads)) {
    return r.payloads as Payload[];
  }
  return r.payload ? [{ component: "", uri: `payloads/${r.payload}`,
    sha256: r.payload, size: r.payload_size ?? 0 }] : [];
}

export const payloadBytes = (r: Release): number =>
  payloadsOf(r).reduce((sum, p) => sum + p.size, 0);

export function ReleaseBadges({ release }: { release: Release }) {
  return (
    <>
      {release.security && (
        <span class="badge"><Icon name="shield" />Security</span>
      )}
      {release.stepping && (
        <span class="badge" title="Devices below it get it first">
          <Icon name="up" />Stepping stone</span>
      )}
    </>
  );
}
