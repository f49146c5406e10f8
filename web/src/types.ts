// SPDX-License-Identifier: Apache-2.0
// What the operator API answers: server/openapi.json. Times are seconds since
// 1970, ids and digests lower-case hex.

export type Role = "viewer" | "operator" | "approver" | "admin";
export type Time = number | null;

export interface List<T> {
  items: T[];
  next: number | string | null;
}

export interface Session {
  name: string;
  role: Role;
  scopes?: string[];
  csrf?: string;
  expires?: Time;
  kind?: "session" | "token";
  must_set_password?: boolean;
}

export interface ServerInfo {
  version: string;
  root_version: number | null;
  devices: number;
  time: number;
  started: number;
  tickets: boolean;
  database_bytes?: number;
  payload_bytes?: number;
  clock_speed?: number;
}

// --- Rollouts -------------------------------------------------------------

export type RolloutState =
  | "approval" | "scheduled" | "running" | "paused" | "aborted" | "finished";
export type RolloutKind = "update" | "rollback" | "return";
export type GateName = "sample" | "confirmed" | "failed" | "soak" | "manual";
export type GateState = "passed" | "waiting" | "failing";

export interface Gate {
  name: GateName;
  state: GateState;
  value: number;
  wanted: number;
  text: string;
}

export interface Stage {
  percent: number | null;
  count: number | null;
  limit_bucket: number;
  devices: number;
  state: "done" | "running" | "waiting";
  since: Time;
  until: Time;
  gates: Gate[];
  confirmed: number;
  failed: number;
}

export interface Counts {
  eligible: number;
  untouched: number;
  offered: number;
  waiting: number;
  downloading: number;
  verifying: number;
  installing: number;
  rebooting: number;
  testing: number;
  confirmed: number;
  returned: number;
  failed: number;
  refused: number;
  silent: number;
  quarantined: number; // part of failed, returned, refused
  held?: number; // not begun, their turn: a window, the rate, downloads
}

export interface Reason {
  code: string;
  meaning: string;
  advice: string;
  outcome: string;
  hardware: string;
  count: number;
  first: { id: string; name: string; when: Time };
}

export interface Outcome {
  id: string;
  name: string;
  outcome: string;
  code: string;
  meaning: string;
  reset: string;
  version: string;
  when: Time;
}

export interface Gates {
  confirmed_percent?: number;
  min_sample?: number;
  soak_s?: number;
  max_failed_percent?: number;
  min_failed?: number;
  manual?: boolean;
}

export interface Plan {
  product: string;
  version?: string;
  manifest?: string;
  name?: string;
  strategy?: "staged" | "canary" | "immediate";
  stages?: { percent?: number; count?: number; gates?: Gates }[];
  gates?: Gates;
  target?: {
    query?: string;
    channel?: string;
    include?: string[];
    exclude?: string[];
  };
  start_at?: number;
  deadline?: number;
  windows?: { days: string[]; from: string; to: string }[];
  consent?: boolean;
  min_battery_percent?: number;
  metered?: boolean;
  roaming?: boolean;
  rate_per_hour?: number;
  max_downloads?: number;
  priority?: number;
  security?: boolean;
  on_failure?: "pause" | "return";
  retry?: { attempts?: number; quarantine_s?: number };
  permits?: { manifest: string; permit: string }[];
  permit?: string;
}

export interface Rollout {
  id: number;
  name: string;
  product: string;
  version: string;
  manifest: string;
  kind: RolloutKind;
  security: boolean;
  priority: number;
  channel: string;
  strategy: string;
  state: RolloutState;
  state_reason: string;
  state_by: string;
  status: string;
  created: number;
  created_by: string;
  started: Time;
  changed: number;
  salt: string;
  stage: number;
  needs_person?: boolean; // it goes no further without
  expected_finish: Time;
  stages: Stage[];
  counts: Counts;
  failure: { failures: number; sample: number; low: number; high: number };
  reasons?: Reason[];
  first_failed?: {
    id: string; name: string; code: string; meaning: string; reset: string;
    when: Time;
  } | null;
  blocked: { count: number; reason: string };
  waiting_for: {
    count: number;
    devices: { id: string; name: string; why: string; last_seen: Time }[];
  };
  devices?: Outcome[];
  bytes?: {
    payload: number; sent: number; saved: number; delta_saved?: number;
    delta_devices?: number;
  };
  plan?: Plan;
  policy?: Record<string, unknown>;
  approvals?: {
    needed: number;
    given: { by: string; when: number; note: string }[];
  };
  returns?: number[];
  returns_from?: number | null;
}

export interface PreviewGroup {
  why: string;
  sentence: string;
  count: number;
  examples: { id: string; name: string }[];
}

export interface Preview {
  devices: number;
  stages: { percent: number | null; count: number | null; devices: number }[];
  bytes: number;
  payload_bytes: number;
  delta_devices?: number;
  delta_saved?: number;
  seconds: number | null;
  versions: { version: string; devices: number }[];
  hardware: { hardware: string; devices: number }[];
  refused: PreviewGroup[];
  waiting: PreviewGroup[];
  overlaps: { id: number; name: string; sentence: string }[];
  approval: boolean;
  warnings: string[];
  sentence: string;
}

export interface ReturnPreview {
  devices: number;
  to: {
    version: string;
    manifest: string;
    devices: number;
    permit: "not-needed" | "given" | "needed" | "below-security-floor";
  }[];
  impossible: {
    why: string; count: number; examples: { id: string; name: string }[];
  }[];
  sentence: string;
}

export interface Touches {
  touches: number;
  sentence: string;
  warnings?: string[]; // of a plan that is not begun
}

// --- Devices --------------------------------------------------------------

export type DeviceState =
  | "idle" | "offered" | "waiting" | "downloading" | "verifying"
  | "installing" | "rebooting" | "testing" | "confirmed" | "returned"
  | "failed" | "refused";

export interface Slot {
  slot: "A" | "B";
  version: string;
  manifest: string | null;
  state: "running" | "trial" | "previous" | "empty" | "unknown";
}

export interface Device {
  id: string;
  name: string;
  product: string;
  tags: string[];
  hardware: string;
  version: string;
  sequence: number;
  manifest: string | null;
  image: string | null;
  slot: "A" | "B" | null;
  confirmed: boolean;
  state: DeviceState;
  code: string | null;
  reset: string;
  progress: { done: number; total: number } | null;
  wait: string | null;
  last_seen: Time;
  first_seen: Time;
  root_version: number;
  floor: number;
  history: string | null;
  target: {
    version: string; manifest: string; rollout: number | null; kind: string;
  } | null;
  updated: boolean;
  why: string;
  why_code?: string;
  channel?: string;
  attributes?: Record<string, string>;
  battery?: number | null;
  power?: boolean | null;
  network?: "metered" | "roaming" | "unmetered" | null;
  utc_offset?: number | null;
  tries?: number | null;
  attempts?: number;
  quarantined_until?: Time;
  silent?: boolean;
  slots?: Slot[];
  offer?: {
    rollout: number; name: string; version: string; since: number;
  } | null;
  previous_version?: string | null;
}

export interface TimelineItem {
  state: string;
  since: number;
  until: Time;
  seconds: number;
  version: string;
  rollout: number | null;
  code: string | null;
  meaning: string | null;
}

export interface DeviceEvent {
  number: number;
  boot: number;
  uptime: number;
  received: number;
  state: string;
  code: string;
  meaning?: string;
  sequence: number;
  version?: string | null;
  attempt: number;
  reset: string;
}

export interface Why {
  why: string;
  why_code: string;
  sentence: string;
  facts: unknown[];
}

// --- Fleet ----------------------------------------------------------------

export interface Fleet {
  sentence: string;
  level: "good" | "watch" | "bad" | "empty";
  devices: number;
  seen: number;
  silent: number;
  updated_percent: number | null;
  products: {
    name: string; devices: number;
    running: number | { version: string; devices: number }[];
    newest: string | null;
  }[];
  versions: { product: string; version: string; devices: number }[];
  states: Record<string, number>;
  rollouts: Rollout[];
  attention: {
    id: string; name: string; product: string; why: string; code: string;
    since: Time;
  }[];
  attention_count: number;
  time: number;
  deltas?: {
    enabled: boolean; saved: number; installs: number; saved_today: number;
    installs_today: number;
  };
}

export interface FleetHistory {
  times: number[];
  series: { version: string; values: (number | null)[] }[];
}

export interface Product {
  name: string;
  vendor_domain: string;
  vendor_id: string;
  class_id: string;
  class?: string;
  devices?: number;
  unmanaged?: boolean;
  unmanaged_devices?: number;
}

/** A device that updates with a client of its own. */
export interface Unmanaged {
  number: number;
  id: string;
  name: string;
  product: string;
  channel: string;
  client: string;
  version: string | null;
  chip: string | null;
  runs: string | null;
  got: {
    version: string | null; rollout: number | null; when: number;
    bytes: number;
  } | null;
  status: number;
  why: string;
  asked: number;
  first_seen: number;
  last_seen: number;
}

// --- Releases -------------------------------------------------------------

export interface Release {
  manifest: string;
  product: string;
  version: string;
  sequence: number;
  created: number;
  payload?: string;
  payload_size?: number;
  image_size?: number;
  envelope_size?: number;
  channels?: string[];
  stepping?: boolean;
  security?: boolean;
  notes?: string;
  running?: number;
  sbom?: boolean;
  signers?: { kid: string; kind: string; role: string }[];
  min_version?: string | null;
  [more: string]: unknown;
}

export interface Root {
  version: number;
  created?: number;
  added?: number;
  current?: boolean;
  digest?: string;
  roles?: {
    role: string;
    threshold: number;
    keys: { kid: string; kind: string }[];
  }[];
  keys?: { kid: string; kind: string; roles?: string[] }[];
  floor?: number;
  ceiling?: number;
  [more: string]: unknown;
}

// --- Operators ------------------------------------------------------------

export interface User {
  name: string;
  role: Role;
  disabled: boolean;
  created: number;
  last_login: Time;
  password?: boolean; // is there one?
  sessions?: number;
  csrf?: string; // new, when one changed oneself
}

export interface Token {
  id: number | string;
  name: string;
  role: Role;
  scopes: string[];
  created: number;
  created_by?: string;
  expires: Time;
  last_use: Time;
}

export interface Webhook {
  id: number;
  url: string;
  events: string[]; // "rollout.pause", "rollout.*"; none: all
  enabled: boolean;
  created: number;
  created_by: string;
  secret?: string; // when it was made, once
}

export interface Delivery {
  id: number;
  event: string;
  type: string;
  state: "waiting" | "delivered" | "failed";
  created: number;
  tries: number;
  next: Time;
  last: Time;
  status: number; // of HTTP; 0: no answer
  error: string;
  ms: number;
}

export interface AuditLine {
  number?: number;
  time: number;
  actor: string;
  action: string;
  object: string;
  detail: string;
  hash?: string;
}

export interface AuditCheck {
  ok: boolean;
  lines: number;
  first_bad: number | null;
  head: string;
}

export interface Settings {
  four_eyes: boolean;
  approvals?: number;
  deltas?: boolean;
}

/** A patch from one image to a release's payload. */
export interface Delta {
  number: number;
  from: string | null;
  base: string;
  ram: number;
  state: string;
  reason: string;
  offered: boolean;
  size: number;
  full_size: number;
  devices: number;
  installed: number;
  failed: number;
  saved: number;
}

export interface Deltas {
  items: Delta[];
  saved: number;
  enabled: boolean;
}

export interface StatusCode {
  number: number;
  name: string;
  meaning: string;
  advice: string;
}
