// SPDX-License-Identifier: Apache-2.0
// The invented fleet of mock.mjs.
import { createHash } from "node:crypto";

const now = () => Math.floor(Date.now() / 1000);
const hex = (text) => createHash("sha256").update(text).digest("hex");

/** The same numbers at every start. */
function dice(seed) {
  let s = seed;
  return () => {
    s = (s * 1664525 + 1013904223) % 4294967296;
    return s / 4294967296;
  };
}

const ROOMS = ["kitchen", "hall", "office", "lab", "attic", "cellar", "gate"];
const CODES = [
  { number: 20, name: "health-check", meaning: "a health check did not pass on the new image", advice: "Look at the device's journal for the check's name; try the image on a bench device of this hardware." },
  { number: 21, name: "deadline", meaning: "the new image did not confirm itself in time", advice: "The network may be out of reach of the new image; see the last reset cause." },
  { number: 22, name: "watchdog", meaning: "the watchdog reset the new image", advice: "The image hangs: take its crash log from the device." },
  { number: 8, name: "signature", meaning: "the signature does not hold", advice: "The device trusts other keys: check its root version." },
  { number: 31, name: "no-space", meaning: "the slot is too small for the image", advice: "Make the image smaller, or exclude this hardware." },
];
const GATES = {
  passed: (name, value, wanted, text) => ({ name, state: "passed", value, wanted, text }),
  waiting: (name, value, wanted, text) => ({ name, state: "waiting", value, wanted, text }),
  failing: (name, value, wanted, text) => ({ name, state: "failing", value, wanted, text }),
};

const NO_COUNTS = {
  eligible: 0, untouched: 0, offered: 0, waiting: 0, downloading: 0,
  verifying: 0, installing: 0, rebooting: 0, testing: 0, confirmed: 0,
  returned: 0, failed: 0, refused: 0, silent: 0, quarantined: 0,
};

function release(product, version, sequence, days, more = {}) {
  const manifest = hex(product + version);
  return {
    manifest, product, version, sequence, created: now() - days * 86400,
    payload: hex(manifest), payload_size: 486_213 + sequence * 1811,
    image_size: 486_213 + sequence * 1811, envelope_size: 412,
    channels: [], stepping: false, security: false, notes: "", running: 0,
    sbom: false, min_version: null,
    signers: [{ kid: hex("k1").slice(0, 16), kind: "esp256", role: "release" }],
    ...more,
  };
}

function stage(percent, devices, state, more = {}) {
  return { percent, count: null, limit_bucket: percent * 100, devices, state,
    since: null, until: null, gates: [], confirmed: 0, failed: 0, ...more };
}

function rollout(id, more) {
  const counts = { ...NO_COUNTS, ...more.counts };
  return {
    id, name: "", product: "thermostat", version: "1.3.0",
    manifest: hex("thermostat1.3.0"), kind: "update", security: false,
    priority: 0, channel: "", strategy: "staged", state: "running",
    state_reason: "", state_by: "", status: "", created: now() - 9000,
    created_by: "ann", started: now() - 9000, changed: now() - 60,
    salt: String(id), stage: 0, expected_finish: null, stages: [],
    failure: { failures: 0, sample: 0, low: 0, high: 1 }, reasons: [],
    first_failed: null, blocked: { count: 0, reason: "" },
    waiting_for: { count: 0, devices: [] }, devices: [],
    bytes: { payload: 503_312, sent: 38_112_400, saved: 61_204_992 },
    plan: {
      product: "thermostat", version: "1.3.0", strategy: "staged",
      stages: [{ percent: 1 }, { percent: 10 }, { percent: 100 }],
      gates: { confirmed_percent: 95, min_sample: 5, soak_s: 3600,
        max_failed_percent: 10, min_failed: 2, manual: false },
      target: { query: "", channel: "", include: [], exclude: [] },
      on_failure: "pause",
    },
    policy: {}, approvals: { needed: 0, given: [] }, returns: [],
    returns_from: null, ...more, counts,
  };
}

function someRollouts(devices) {
  const bad = devices.filter((d) => d.code).slice(0, 7);
  const t = now();
  const outcome = (d, i) => ({ id: d.id, name: d.name, outcome: d.state,
    code: d.code, meaning: CODES.find((c) => c.name === d.code)?.meaning ?? "",
    reset: "watchdog", version: "2.0.0", when: t - 4000 + i * 211, number: i + 1 });
  return [
    rollout(7, {
      name: "Spring release", stage: 1, state: "running",
      status: "Stage 2 of 3 waits: 41 of 42 devices have confirmed, and it soaks for another 24 min.",
      expected_finish: t + 4 * 3600,
      stages: [
        stage(1, 4, "done", { since: t - 9000, until: t - 5200, confirmed: 4,
          gates: [GATES.passed("sample", 4, 4, "4 of 4 devices have decided"), GATES.passed("confirmed", 100, 95, "100% are confirmed; 95% are needed"), GATES.passed("failed", 0, 10, "no failures"), GATES.passed("soak", 3600, 3600, "soaked for 1 h")] }),
        stage(10, 42, "running", { since: t - 5200, confirmed: 41,
          gates: [GATES.passed("sample", 42, 5, "42 devices have decided; 5 are needed"), GATES.passed("confirmed", 98, 95, "98% are confirmed; 95% are needed"), GATES.passed("failed", 1, 10, "1 of 42 failed: between 0.5% and 9.6%, below 10%"), GATES.waiting("soak", 2160, 3600, "soaks for another 24 min")], failed: 1 }),
        stage(100, 420, "waiting"),
      ],
      counts: { eligible: 420, untouched: 362, offered: 3, waiting: 4, downloading: 5, verifying: 1, installing: 1, rebooting: 1, testing: 1, confirmed: 41, returned: 1, silent: 0 },
      failure: { failures: 1, sample: 42, low: 0.005, high: 0.096 },
      waiting_for: { count: 4, devices: devices.filter((d) => d.silent).slice(0, 4).map((d) => ({ id: d.id, name: d.name, why: "silent", last_seen: d.last_seen })) },
      blocked: { count: 6, reason: "6 devices run 1.0.0 and must take 1.1.0 first" },
    }),
    rollout(6, {
      name: "Valve controller 2.0", product: "valve", version: "2.0.0",
      manifest: hex("valve2.0.0"), stage: 1, state: "paused",
      state_by: "bowline",
      state_reason: "paused by itself: 5 of 12 devices did not keep it (between 21% and 64%; the ceiling is 10%)",
      status: "Paused by itself 1 h ago: 5 of 12 devices did not keep it. Nobody is offered the release.",
      stages: [
        stage(1, 2, "done", { since: t - 86000, until: t - 80000, confirmed: 2, gates: [] }),
        stage(10, 12, "running", { since: t - 80000, confirmed: 6, failed: 5,
          gates: [GATES.passed("sample", 11, 5, "11 devices have decided; 5 are needed"), GATES.waiting("confirmed", 50, 95, "50% are confirmed; 95% are needed"), GATES.failing("failed", 42, 10, "5 of 12 failed: between 21% and 64%, the ceiling is 10%"), GATES.waiting("soak", 0, 3600, "begins when the others pass")] }),
        stage(100, 100, "waiting"),
      ],
      counts: { eligible: 100, untouched: 88, testing: 1, confirmed: 6, returned: 4, failed: 1, refused: 0 },
      failure: { failures: 5, sample: 12, low: 0.21, high: 0.64 },
      reasons: [
        { code: "watchdog", meaning: CODES[2].meaning, advice: CODES[2].advice, outcome: "returned", hardware: "rev-b", count: 4, first: { id: bad[0].id, name: bad[0].name, when: t - 7000 } },
        { code: "no-space", meaning: CODES[4].meaning, advice: CODES[4].advice, outcome: "failed", hardware: "rev-a", count: 1, first: { id: bad[1].id, name: bad[1].name, when: t - 6000 } },
      ],
      first_failed: { id: bad[0].id, name: bad[0].name, code: "watchdog", meaning: CODES[2].meaning, reset: "watchdog", when: t - 7000 },
      devices: bad.slice(0, 5).map(outcome),
    }),
    rollout(8, {
      name: "Gateway fix", product: "gateway", version: "4.2.1", security: true, manifest: hex("gateway4.2.1"),
      state: "approval", stage: 0, started: null, created_by: "bob",
      status: "Needs the approval of one person other than bob.",
      stages: [stage(100, 20, "waiting")], strategy: "immediate",
      counts: { eligible: 20, untouched: 20 },
      approvals: { needed: 1, given: [] },
    }),
    rollout(5, {
      name: "Night maintenance", product: "gateway", version: "4.2.0", manifest: hex("gateway4.2.0"),
      state: "scheduled", started: null, status: "Starts tonight at 02:00.",
      plan: { product: "gateway", version: "4.2.0", start_at: t + 8 * 3600 },
      stages: [stage(10, 2, "waiting"), stage(100, 20, "waiting")],
      counts: { eligible: 20, untouched: 20 },
    }),
    rollout(4, {
      name: "Winter release", version: "1.2.0", manifest: hex("thermostat1.2.0"),
      state: "finished", stage: 2, created: t - 40 * 86400, started: t - 40 * 86400, changed: t - 38 * 86400,
      status: "Finished: 396 of 402 devices run 1.2.0.",
      stages: [stage(1, 4, "done", { confirmed: 4, since: t - 40 * 86400, until: t - 39.9 * 86400 }), stage(10, 40, "done", { confirmed: 40, since: t - 39.9 * 86400, until: t - 39 * 86400 }), stage(100, 402, "done", { confirmed: 396, failed: 6, since: t - 39 * 86400, until: t - 38 * 86400 })],
      counts: { eligible: 402, confirmed: 396, returned: 3, failed: 2, refused: 1 },
      failure: { failures: 6, sample: 402, low: 0.007, high: 0.03 },
    }),
    rollout(3, {
      name: "First try", version: "1.1.1", manifest: hex("thermostat1.1.1"), state: "aborted", state_by: "bob",
      state_reason: "wrong image", stage: 0, status: "Aborted by bob: wrong image.",
      created: t - 60 * 86400, started: t - 60 * 86400, changed: t - 60 * 86400 + 900,
      stages: [stage(1, 4, "running", { confirmed: 1 }), stage(100, 380, "waiting")],
      counts: { eligible: 380, untouched: 378, confirmed: 1, failed: 1 },
    }),
  ];
}

function someDevices() {
  const roll = dice(7);
  const pick = (list) => list[Math.floor(roll() * list.length)];
  const devices = [];
  const add = (product, i, versions) => {
    const id = hex(`${product}${i}`).slice(0, 32);
    const version = pick(versions);
    const r = roll();
    const state = r < 0.88 ? "confirmed" : pick(["idle", "downloading",
      "testing", "waiting", "returned", "failed", "refused"]);
    const silent = roll() < 0.02;
    const bad = ["returned", "failed", "refused"].includes(state);
    const battery = product === "thermostat" ? Math.floor(15 + roll() * 85) : null;
    const slot = pick(["A", "B"]);
    devices.push({
      number: devices.length + 1, id,
      name: `${product}-${pick(ROOMS)}-${String(i).padStart(3, "0")}`, product,
      tags: roll() < 0.2 ? [pick(["lab", "pilot", "vip"])] : [],
      hardware: pick(["rev-a", "rev-b", "rev-b", "rev-c"]), version,
      sequence: 12, manifest: hex(product + version), image: hex(version),
      slot, confirmed: state !== "testing", state,
      code: bad ? pick(CODES).name : null, reset: bad ? "watchdog" : "power-on",
      progress: state === "downloading" ? { done: Math.floor(roll() * 500_000), total: 503_312 } : null,
      wait: state === "waiting" ? pick(["window", "battery", "consent", "network"]) : null,
      last_seen: now() - Math.floor(silent ? 90_000 + roll() * 900_000 : roll() * 1700),
      first_seen: now() - Math.floor((30 + roll() * 300) * 86400),
      root_version: roll() < 0.97 ? 3 : 2, floor: 11,
      history: bad ? "returned from 1.3.0: watchdog" : null,
      target: { version: "1.3.0", manifest: hex("thermostat1.3.0"), rollout: 7, kind: "rollout" },
      updated: version === "1.3.0", channel: roll() < 0.1 ? "beta" : "",
      attributes: { region: pick(["eu-north", "eu-south", "us-east"]), site: pick(ROOMS), firmware_flavour: "standard" },
      battery, power: battery === null || roll() < 0.3,
      network: pick(["unmetered", "unmetered", "metered", "roaming", null]),
      utc_offset: 60, tries: state === "testing" ? 2 : null,
      attempts: bad ? 2 : 0, quarantined_until: bad && roll() < 0.3 ? now() + 50_000 : null,
      silent, why: silent ? "it is silent: expected back 20 h ago and not seen since"
        : bad ? "it tried this release twice and did not keep it"
        : version === "1.3.0" ? "it runs what it should" : "its turn has not come: rollout 3 is at stage 2 of 4, for 10 percent of the devices; this one comes with stage 3, for 50 percent of the devices",
      why_code: silent ? "silent" : bad ? "tried" : version === "1.3.0" ? "runs" : "stage",
      offer: state === "downloading" ? { rollout: 7, name: "Spring release", version: "1.3.0", since: now() - 400 } : null,
      previous_version: "1.1.0",
      slots: [
        { slot: "A", version: slot === "A" ? version : "1.1.0", manifest: hex("a"), state: slot === "A" ? (state === "testing" ? "trial" : "running") : "previous" },
        { slot: "B", version: slot === "B" ? version : "1.1.0", manifest: hex("b"), state: slot === "B" ? (state === "testing" ? "trial" : "running") : "previous" },
      ],
    });
  };
  for (let i = 1; i <= 400; i++) {
    add("thermostat", i, i <= 45 ? ["1.3.0"] : ["1.2.0", "1.2.0", "1.2.0", "1.2.0", "1.1.0", "1.0.0"]);
  }
  for (let i = 1; i <= 100; i++) {
    add("valve", i, i <= 8 ? ["2.0.0"] : ["1.9.2", "1.9.2", "1.9.0"]);
  }
  for (let i = 1; i <= 20; i++) {
    add("gateway", i, ["4.1.0"]);
  }
  devices[2].name = "<img src=x onerror=alert(1)>";
  devices[2].attributes.note = "<script>alert(2)</script>";
  return devices;
}

export function makeWorld(scenario) {
  const empty = scenario === "empty";
  const devices = empty ? [] : someDevices();
  const world = { now, codes: CODES, devices, publish: () => undefined };
  world.rollouts = empty ? [] : someRollouts(devices);
  world.releases = empty ? [] : [
    release("thermostat", "1.3.0", 14, 3, { notes: "Faster start; the display no longer flickers at dusk.", sbom: true, channels: ["dev", "beta"], running: 46, signers: [{ kid: hex("k1").slice(0, 16), kind: "esp256", role: "release" }, { kid: hex("k2").slice(0, 16), kind: "hss", role: "release" }] }),
    release("thermostat", "1.2.0", 12, 41, { running: 250, channels: ["dev", "beta", "stable"] }),
    release("thermostat", "1.1.0", 10, 90, { running: 58, stepping: true }),
    release("thermostat", "1.0.0", 8, 200, { running: 46 }),
    release("valve", "2.0.0", 22, 2, { running: 6, min_version: "1.9.0" }),
    release("valve", "1.9.2", 20, 30, { running: 61 }),
    release("gateway", "4.2.1", 42, 0, { security: true, notes: "Closes a hole in the local pairing." }),
    release("gateway", "4.1.0", 40, 100, { running: 20 }),
  ];
  world.products = empty ? [] : ["thermostat", "valve", "gateway"].map((name) => ({ name, vendor_domain: "example.com", vendor_id: hex("v").slice(0, 32), class_id: hex(name).slice(0, 32) }));
  world.roots = empty ? [] : [3, 2, 1].map((version) => ({
    version, added: now() - (4 - version) * 40 * 86400, current: version === 3, floor: 8, ceiling: 100,
    roles: [
      { role: "root", threshold: 2, keys: ["r1", "r2", "r3"].map((k) => ({ kid: hex(k).slice(0, 16), kind: "esp256" })) },
      { role: "release", threshold: version === 3 ? 2 : 1, keys: [{ kid: hex("k1").slice(0, 16), kind: "esp256" }, { kid: hex("k2").slice(0, 16), kind: "hss" }] },
      { role: "ticket", threshold: 1, keys: [{ kid: hex("t1").slice(0, 16), kind: "ed25519" }] },
    ],
  }));
  world.settings = { four_eyes: true, approvals: 1 };
  world.users = [
    { name: "ann", role: "admin", disabled: false, created: now() - 9e6, last_login: now() - 60 },
    { name: "bob", role: "operator", disabled: false, created: now() - 8e6, last_login: now() - 90_000 },
    { name: "cleo", role: "approver", disabled: false, created: now() - 7e6, last_login: now() - 900_000 },
    { name: "dan", role: "viewer", disabled: true, created: now() - 6e6, last_login: null },
  ];
  world.tokens = empty ? [] : [
    { id: 1, name: "ci-publish", role: "operator", scopes: ["publish"], created: now() - 5e6, created_by: "ann", expires: now() + 9e6, last_use: now() - 3600 },
    { id: 2, name: "grafana", role: "viewer", scopes: ["read"], created: now() - 5e6, created_by: "ann", expires: null, last_use: now() - 12 },
  ];
  world.webhooks = empty ? [] : [{ id: 1, url: "https://hooks.example.com/bowline", events: ["rollout.*"], enabled: true, created_by: "ann", created: now() - 4e6 }];
  world.deliveries = () => [0, 1, 2, 3].map((i) => ({ id: 40 - i, event: `audit-${90 - i}`, type: "rollout.advance", state: i === 2 ? "waiting" : "delivered", created: now() - i * 4000, tries: i === 2 ? 3 : 1, next: i === 2 ? now() + 40 : null, last: now() - i * 4000, status: i === 2 ? 503 : 200, error: i === 2 ? "the receiver answered 503" : "", ms: 84 }));
  world.audit = [];
  world.note = (actor, action, object, detail) => world.audit.unshift({
    number: world.audit.length + 1, time: now(), actor, action, object, detail,
    hash: hex(`${world.audit.length}${action}`) });
  if (!empty) {
    for (let i = 0; i < 230; i++) {
      const [actor, action, object, detail] = [
        ["ann", "rollout.create", "7", "thermostat 1.3.0 staged 1 10 100"],
        ["bowline", "rollout.advance", "7", "stage 2: 4 of 4 devices confirmed, soaked 1 h"],
        ["bowline", "rollout.pause", "6", "5 of 12 failed: between 21% and 64%, the ceiling is 10%"],
        ["bob", "device.add", hex(String(i)).slice(0, 32), "valve-attic-017"],
        ["ci-publish", "release.add", hex("x" + i).slice(0, 16), "thermostat 1.3.0"],
      ][i % 5];
      world.note(actor, action, object, detail);
      world.audit[0].time = now() - (230 - i) * 4111;
    }
  }

  world.server = () => ({ version: "0.1.0", root_version: empty ? null : 3,
    devices: devices.length, time: now(), started: now() - 432_000,
    tickets: !empty, database_bytes: 48_211_968, payload_bytes: 20_312_000 });
  const tally = (key) => devices.reduce((all, d) => {
    all[d[key]] = (all[d[key]] ?? 0) + 1;
    return all;
  }, {});
  world.fleet = () => {
    const versions = {};
    for (const d of devices) {
      const key = `${d.product}\n${d.version}`;
      versions[key] = (versions[key] ?? 0) + 1;
    }
    const bad = devices.filter((d) => d.code || d.silent);
    return {
      sentence: empty ? "No devices yet. Attach the first one and it shows up here."
        : "One rollout paused itself: 5 of 12 valves did not keep 2.0.0. 11 devices of 520 are silent; the rest is well.",
      level: empty ? "empty" : "watch", devices: devices.length,
      seen: devices.length, silent: devices.filter((d) => d.silent).length,
      updated_percent: empty ? null : 73,
      products: world.products.map((p) => ({ name: p.name, devices: devices.filter((d) => d.product === p.name).length, running: 1, newest: world.releases.find((r) => r.product === p.name)?.version ?? null })),
      versions: Object.entries(versions).map(([key, n]) => ({ product: key.split("\n")[0], version: key.split("\n")[1], devices: n })),
      states: tally("state"),
      rollouts: world.rollouts.filter((r) => !["finished", "aborted"].includes(r.state)),
      attention: bad.slice(0, 20).map((d) => ({ id: d.id, name: d.name, product: d.product, why: d.why, code: d.code ?? "silent", since: d.last_seen })),
      attention_count: bad.length, time: now(),
      deltas: { enabled: true, saved: 3_120_000_000, installs: 4210,
        saved_today: 48_200_000, installs_today: 65 },
    };
  };
  world.history = () => {
    const times = Array.from({ length: 96 }, (_, i) => now() - (95 - i) * 900);
    const grow = (from, to) => times.map((_, i) => Math.round(from + (to - from) / (1 + Math.exp(-(i - 60) / 8))));
    const newest = grow(0, 46);
    return { times: empty ? [] : times, series: empty ? [] : [
      { version: "1.3.0", values: newest },
      { version: "1.2.0", values: newest.map((n) => 296 - n) },
      { version: "1.1.0", values: times.map(() => 58) },
      { version: "1.0.0", values: times.map(() => 46) },
    ] };
  };
  world.find = (query) => {
    const word = (query.get("search") ?? "").toLowerCase();
    const sort = query.get("sort") ?? "name";
    const key = sort.replace(/^-/, "");
    const list = devices.filter((d) =>
      (!query.get("product") || d.product === query.get("product")) &&
      (!query.get("state") || (query.get("state") === "silent" ? d.silent : d.state === query.get("state"))) &&
      (!query.get("version") || d.version === query.get("version")) &&
      (!query.get("attention") || d.code || d.silent) &&
      (!word || d.name.toLowerCase().includes(word) || d.id.startsWith(word)));
    list.sort((a, b) => String(a[key] ?? "").localeCompare(String(b[key] ?? ""), "en", { numeric: true }));
    return sort.startsWith("-") ? list.reverse() : list;
  };
  world.device = (id) => devices.find((d) => d.id === id);
  world.remove = (id) => devices.splice(devices.findIndex((d) => d.id === id), 1);
  world.why = (id) => ({ why: "stage", why_code: "stage", sentence: world.device(id)?.why, facts: [
    { name: "seen", answer: true, text: "it was seen 3 min ago" },
    { name: "matches", answer: true, text: "the query of Spring release takes it in" },
    { name: "stage", answer: false, text: "bucket 4711; stage 2 reaches to 1000" },
  ] });
  world.timeline = (id) => {
    const d = world.device(id);
    const steps = [["offered", 4], ["waiting", 1900], ["downloading", 41], ["verifying", 1], ["installing", 7], ["rebooting", 9], ["testing", 62], [d?.state === "returned" ? "returned" : "confirmed", null]];
    let t = now() - 7400;
    return steps.map(([state, seconds]) => {
      const item = { state, since: t, until: seconds === null ? null : t + seconds, seconds: seconds ?? now() - t, version: "1.3.0", rollout: 7, code: state === "returned" ? "watchdog" : null, meaning: state === "returned" ? CODES[2].meaning : null };
      t += seconds ?? 0;
      return item;
    });
  };
  world.events = (id) => world.timeline(id).map((item, i) => ({ number: i + 1, boot: 3, uptime: 400 + i * 30, received: item.since, state: item.state, code: item.code ?? "ok", sequence: 14, attempt: 1, reset: "power-on" })).reverse();
  world.rollout = (id) => world.rollouts.find((r) => r.id === Number(id));
  world.release = (m) => world.releases.find((r) => r.manifest === m);
  world.manifest = (m) => {
    const r = world.release(m);
    return r && { manifest_version: 1, sequence: r.sequence, version: r.version, vendor_id: hex("v").slice(0, 32), class_id: hex(r.product).slice(0, 32), component: ["app"], digest: r.manifest, image: { digest: r.payload, size: r.image_size }, payloads: [{ uri: `#payloads/${r.payload}`, size: r.payload_size }], conditions: r.min_version ? [`version >= ${r.min_version}`] : [], signatures: r.signers };
  };
  world.sbom = () => ({ bomFormat: "CycloneDX", specVersion: "1.5", components: [{ name: "zephyr", version: "3.7.0", licenses: [{ license: { id: "Apache-2.0" } }] }, { name: "mbedtls", version: "3.6.2", licenses: [{ license: { id: "Apache-2.0" } }] }] });
  world.outcomes = (id, outcome) => (world.rollout(id)?.devices ?? []).filter((d) => !outcome || d.outcome === outcome);
  world.touches = (r, action) => ({ touches: 12, sentence: {
    pause: `No device is offered ${r.version} any more; the 12 that are under way finish what they began`,
    resume: `${r.counts.untouched} devices of stage ${r.stage + 1} may be offered ${r.version} again`,
    advance: `Stage ${r.stage + 2} begins: 378 more devices are offered ${r.version}`,
    abort: "The rollout ends. 12 devices that have not yet installed it keep what they run",
    retry: "5 devices may try again",
  }[action] ?? "It touches nobody" });
  world.returnPreview = (id) => ({ devices: 6, to: [{ version: "1.9.2", manifest: hex("valve1.9.2"), devices: 5, permit: "needed" }, { version: "1.9.0", manifest: hex("valve1.9.0"), devices: 1, permit: "below-security-floor" }], impossible: [{ why: "it has told no previous version", count: 1, examples: [] }], sentence: `6 devices of rollout ${id} would go back to what they ran before.` });
  const NEXT = { approve: "running", deny: "aborted", pause: "paused", resume: "running", abort: "aborted" };
  world.act = (r, action, body) => {
    r.state = NEXT[action] ?? r.state;
    r.changed = now();
    if (action === "advance" && r.stage + 1 < r.stages.length) {
      r.stages[r.stage].state = "done";
      r.stages[++r.stage].state = "running";
    }
    r.state_by = "ann";
    r.state_reason = action === "pause" ? body.reason ?? "by hand" : "";
    r.status = `${action} by ann just now.`;
    return r;
  };
  world.create = (body) => {
    const r = rollout(world.rollouts.length + 10, { ...body, plan: body, counts: { eligible: 400, untouched: 400 }, stages: (body.stages ?? [{ percent: 100 }]).map((s, i) => ({ ...stage(s.percent ?? 0, s.count ?? 4 * (s.percent ?? 1), i === 0 ? "running" : "waiting"), count: s.count ?? null, percent: s.percent ?? null })), status: "Just started." });
    world.rollouts.unshift(r);
    return r;
  };
  world.preview = (body) => body.target?.query?.includes("!!")
    ? [422, "query", "target.query: character 1: a name is expected"] : ({
      devices: 400, stages: (body.stages ?? [{ percent: 1 }, { percent: 10 }, { percent: 100 }]).map((s) => ({ percent: s.percent ?? null, count: s.count ?? null, devices: s.count ?? 4 * (s.percent ?? 0) })),
      bytes: 81_204_992, payload_bytes: 503_312, seconds: 9 * 3600,
      versions: [{ version: "1.2.0", devices: 296 }, { version: "1.1.0", devices: 58 }, { version: "1.0.0", devices: 46 }],
      hardware: [{ hardware: "rev-b", devices: 210 }, { hardware: "rev-a", devices: 95 }, { hardware: "rev-c", devices: 95 }],
      refused: [{ why: "min-version", sentence: "runs a version below 1.1.0, which the release needs", count: 46, examples: devices.slice(0, 2).map((d) => ({ id: d.id, name: d.name })) }],
      waiting: [{ why: "silent", sentence: "has not been seen for a while", count: 8, examples: [] }],
      overlaps: [{ id: 7, name: "Spring release", sentence: "Spring release wants 400 of these devices, too; this one is newer and goes first" }],
      approval: true, warnings: ["One stage only: a bad release would reach every device at once."],
      sentence: `354 of 400 devices would get ${body.version ?? "1.3.0"}: 4 in stage 1, 42 in stage 2, the rest in stage 3.` });
  world.tick = () => {
    const r = world.rollouts.find((x) => x.id === 7 && x.state === "running");
    if (r && r.counts.untouched > 0) {
      r.counts.untouched--;
      r.counts.confirmed++;
      r.stages[r.stage].confirmed = Math.min(r.stages[r.stage].devices, r.stages[r.stage].confirmed + 1);
      world.publish("rollout", { id: 7, product: r.product, state: r.state, what: "counts" });
    }
    world.publish("fleet", {});
  };
  return world;
}
