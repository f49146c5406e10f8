// SPDX-License-Identifier: Apache-2.0
// An invented server: the answers of the operator API, so that pages can be
// worked on in all their states. Actions change it; it moves by itself.
// Scenarios: full (520 devices; rollouts waiting, paused, finished, to be
// approved, scheduled), empty (just installed).
import { makeWorld } from "./world.mjs";

const json = (answer, status, body, more = {}) => {
  const text = body === undefined ? "" : JSON.stringify(body);
  answer.writeHead(status, { "Content-Type": "application/json", ...more });
  answer.end(text);
};
const refuse = (answer, status, code, message) =>
  json(answer, status, { error: { code, message } });

async function readBody(request) {
  const pieces = [];
  for await (const piece of request) {
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}

const page = (items, query, key = "number") => {
  const limit = Number(query.get("limit") || 100);
  const after = Number(query.get("after") || 0);
  const from = after === 0 ? 0
    : items.findIndex((item) => item[key] === after) + 1;
  const shown = items.slice(from, from + limit);
  const more = from + limit < items.length;
  return { items: shown, next: more ? shown[shown.length - 1][key] : null };
};

export function mock(scenario) {
  const world = makeWorld(scenario);
  const streams = new Set();
  let signedIn = scenario !== "login";
  let number = 1;

  const publish = (type, data) => {
    for (const stream of streams) {
      stream.write(`id: ${number++}\nevent: ${type}\n` +
        `data: ${JSON.stringify(data)}\n\n`);
    }
  };
  world.publish = publish;
  setInterval(() => world.tick(), 3000).unref();
  const changed = (r) => {
    publish("rollout", { id: r.id, product: r.product, state: r.state });
    publish("fleet", {});
    return r;
  };
  const audit = (action, object, detail) => {
    world.note("ann", action, object, detail);
    publish("audit", { number: world.audit.length });
  };

  const routes = [
    ["GET", /^\/session$/, () => signedIn
      ? { name: "ann", role: "admin", scopes: [], csrf: "mock", kind: "session" }
      : [401, "not-authenticated", "not signed in"]],
    ["POST", /^\/session$/, ({ body }) => {
      if (body.password === "wrong") {
        return [401, "not-authenticated", "name or password is wrong"];
      }
      signedIn = true;
      return { name: "ann", role: "admin", csrf: "mock",
        must_set_password: body.code !== undefined };
    }],
    ["DELETE", /^\/session$/, () => {
      signedIn = false;
      return {};
    }],
    ["GET", /^\/server$/, () => world.server()],
    ["GET", /^\/fleet$/, () => world.fleet()],
    ["GET", /^\/fleet\/history$/, () => world.history()],
    ["GET", /^\/products$/, () => ({ items: world.products, next: null })],
    ["GET", /^\/codes$/, () => ({ items: world.codes, next: null })],
    ["GET", /^\/unmanaged$/, () => ({ items: [], next: null })],
    ["GET", /^\/devices$/, ({ query }) => page(world.find(query), query)],
    ["GET", /^\/devices\/([^/]+)$/, ({ args }) => world.device(args[0])],
    ["PATCH", /^\/devices\/([^/]+)$/, ({ args, body }) =>
      Object.assign(world.device(args[0]), body)],
    ["DELETE", /^\/devices\/([^/]+)$/, ({ args }) => {
      world.remove(args[0]);
      audit("device.remove", args[0], "");
      return {};
    }],
    ["GET", /^\/devices\/([^/]+)\/timeline$/, ({ args }) =>
      ({ items: world.timeline(args[0]) })],
    ["GET", /^\/devices\/([^/]+)\/events$/, ({ args }) =>
      ({ items: world.events(args[0]), next: null })],
    ["GET", /^\/devices\/([^/]+)\/why$/, ({ args }) => world.why(args[0])],
    ["GET", /^\/devices\/([^/]+)\/bucket$/, () => ({ bucket: 4711, stage: 2 })],
    ["POST", /^\/devices\/([^/]+)\/rollback$/, ({ args }) => {
      audit("device.rollback", args[0], "to 1.1.0");
      publish("device", { id: args[0] });
      return {};
    }],
    ["GET", /^\/rollouts$/, ({ query }) => page(world.rollouts.filter((r) =>
      (!query.get("state") || query.get("state").split(",").includes(r.state))
      && (!query.get("product") || r.product === query.get("product"))),
    query, "id")],
    ["POST", /^\/rollouts\/preview$/, ({ body }) => world.preview(body)],
    ["POST", /^\/rollouts$/, ({ body }) => {
      const r = world.create(body);
      audit("rollout.create", String(r.id), r.name);
      return changed(r);
    }],
    ["GET", /^\/rollouts\/(\d+)$/, ({ args }) => world.rollout(args[0])],
    ["PATCH", /^\/rollouts\/(\d+)$/, ({ args, body }) =>
      changed(Object.assign(world.rollout(args[0]), { name: body.name }))],
    ["GET", /^\/rollouts\/(\d+)\/plan$/, ({ args }) =>
      world.rollout(args[0])?.plan],
    ["GET", /^\/rollouts\/(\d+)\/devices$/, ({ args, query }) =>
      page(world.outcomes(args[0], query.get("outcome")), query)],
    ["GET", /^\/rollouts\/(\d+)\/return$/, ({ args }) =>
      world.returnPreview(args[0])],
    ["POST", /^\/rollouts\/(\d+)\/(\w+)$/, ({ args, query, body }) => {
      const r = world.rollout(args[0]);
      if (query.get("preview")) {
        return args[1] === "return" ? world.returnPreview(args[0])
          : world.touches(r, args[1]);
      }
      audit(`rollout.${args[1]}`, args[0], body.reason ?? "");
      return changed(world.act(r, args[1], body));
    }],
    ["GET", /^\/releases$/, ({ query }) => ({ items: world.releases.filter((r) =>
      !query.get("product") || r.product === query.get("product")),
    next: null })],
    ["GET", /^\/releases\/(\w+)$/, ({ args }) => world.release(args[0])],
    ["PATCH", /^\/releases\/(\w+)$/, ({ args, body }) =>
      Object.assign(world.release(args[0]), body)],
    ["POST", /^\/releases\/(\w+)\/promote$/, ({ args, body }) => {
      const r = world.release(args[0]);
      r.channels = [...new Set([...(r.channels ?? []), body.to])];
      return r;
    }],
    ["GET", /^\/releases\/(\w+)\/manifest$/, ({ args }) =>
      world.manifest(args[0])],
    ["GET", /^\/releases\/(\w+)\/sbom$/, ({ args }) =>
      world.release(args[0])?.sbom ? world.sbom()
        : [404, "not-found", "the release has no SBOM"]],
    ["GET", /^\/roots$/, () => ({ items: world.roots, next: null })],
    ["GET", /^\/audit$/, ({ query }) => page(world.audit.filter((line) =>
      (!query.get("action") || line.action.startsWith(query.get("action"))) &&
      (!query.get("actor") || line.actor === query.get("actor"))), query)],
    ["GET", /^\/audit\/verify$/, () => ({ ok: true,
      lines: world.audit.length, first_bad: null, head: "ab".repeat(32) })],
    ["GET", /^\/settings$/, () => world.settings],
    ["PATCH", /^\/settings$/, ({ body }) =>
      Object.assign(world.settings, body)],
    ["GET", /^\/users$/, () => ({ items: world.users, next: null })],
    ["POST", /^\/users$/, ({ body }) => {
      world.users.push({ ...body, password: undefined, disabled: false,
        created: world.now(), last_login: null });
      return body;
    }],
    ["PATCH", /^\/users\/([^/]+)$/, ({ args, body }) =>
      Object.assign(world.users.find((u) => u.name === args[0]), body)],
    ["DELETE", /^\/users\/([^/]+)$/, ({ args }) => {
      world.users = world.users.filter((u) => u.name !== args[0]);
      return {};
    }],
    ["POST", /^\/users\/([^/]+)\/login-code$/, () =>
      ({ code: "k7fm-2xqp-9wnd", expires: world.now() + 600 })],
    ["GET", /^\/tokens$/, () => ({ items: world.tokens, next: null })],
    ["POST", /^\/tokens$/, ({ body }) => {
      world.tokens.push({ id: number++, ...body, created: world.now(),
        created_by: "ann", last_use: null });
      return { token: "bwl_7Qm2vX9cL4tR8sW1yZ6aB3dE5fG0hJ" };
    }],
    ["DELETE", /^\/tokens\/(\w+)$/, ({ args }) => {
      world.tokens = world.tokens.filter((t) => String(t.id) !== args[0]);
      return {};
    }],
    ["GET", /^\/webhooks$/, () => ({ items: world.webhooks, next: null })],
    ["POST", /^\/webhooks$/, ({ body }) => {
      const hook = { id: number++, enabled: true, ...body, created: world.now() };
      world.webhooks.push(hook);
      return { ...hook, secret: "whsec_5tR8sW1yZ6aB3dE5fG0hJ7Qm2vX9cL4" };
    }],
    ["PATCH", /^\/webhooks\/(\d+)$/, ({ args, body }) => Object.assign(
      world.webhooks.find((h) => h.id === Number(args[0])), body)],
    ["DELETE", /^\/webhooks\/(\d+)$/, ({ args }) => {
      world.webhooks = world.webhooks.filter((h) => h.id !== Number(args[0]));
      return {};
    }],
    ["POST", /^\/webhooks\/(\d+)\/test$/, () => ({})],
    ["GET", /^\/webhooks\/(\d+)\/deliveries$/, () =>
      ({ items: world.deliveries(), next: null })],
  ];

  return async (request, answer) => {
    const url = new URL(request.url, "http://x");
    const path = url.pathname.replace("/api/v1", "");
    if (path === "/stream") {
      answer.writeHead(200, { "Content-Type": "text/event-stream" });
      answer.write(": hello\n\n");
      streams.add(answer);
      request.on("close", () => streams.delete(answer));
      return;
    }
    const body = await readBody(request);
    if (!signedIn && path !== "/session") {
      refuse(answer, 401, "not-authenticated", "not signed in");
      return;
    }
    for (const [method, pattern, handle] of routes) {
      const found = pattern.exec(path);
      if (found && method === request.method) {
        const args = found.slice(1).map(decodeURIComponent);
        const said = handle({ args, query: url.searchParams, body });
        if (said === undefined) {
          refuse(answer, 404, "not-found", `there is no ${path}`);
        } else if (Array.isArray(said)) {
          refuse(answer, ...said);
        } else {
          json(answer, request.method === "POST" ? 201 : 200, said);
        }
        return;
      }
    }
    refuse(answer, 404, "not-found", `${request.method} ${path}: not in the mock`);
  };
}
