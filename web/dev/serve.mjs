// SPDX-License-Identifier: Apache-2.0
// For work on the pages: builds on each request of "/", and answers the API
// with an invented fleet (mock.mjs). Never part of bowlined.
//   node dev/serve.mjs [--port 5173] [--scenario full|empty]
//                      [--server http://127.0.0.1:PORT --token FILE]
// With --server the API is a real bowlined's; the token is put into requests.
import http from "node:http";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { files, options } from "../build.mjs";
import { mock } from "./mock.mjs";

const given = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const port = Number(given("port", 5173));
const upstream = given("server", "");
const token = given("token", "") && readFileSync(given("token"), "utf8").trim();
const types = {
  "": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

const esbuild = await import("esbuild");
const context = await esbuild.context(options());
const table = new Map();

async function rebuild() {
  const built = await context.rebuild();
  table.clear();
  for (const { path, content } of files(built.outputFiles)) {
    table.set(path, content);
  }
}

function forward(request, answer) {
  const to = new URL(request.url, upstream);
  const headers = { ...request.headers, host: to.host };
  if (token) {
    headers.authorization = `Bearer ${token}`;
  }
  const onward = http.request(to, { method: request.method, headers }, (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  onward.on("error", (fault) => {
    answer.writeHead(502);
    answer.end(String(fault));
  });
  request.pipe(onward);
}

const respond = mock(given("scenario", "full"));

http.createServer(async (request, answer) => {
  const path = new URL(request.url, "http://x").pathname;
  if (path.startsWith("/api/")) {
    if (upstream && !(token && path === "/api/v1/session")) {
      forward(request, answer);
    } else {
      respond(request, answer);
    }
    return;
  }
  try {
    if (path === "/") {
      await rebuild();
    }
  } catch (fault) {
    answer.writeHead(500, { "Content-Type": "text/plain" });
    answer.end(String(fault));
    return;
  }
  const content = table.get(path);
  answer.writeHead(content ? 200 : 404, {
    "Content-Type": types[path === "/" ? "" : extname(path)] ?? "text/plain",
    "Content-Security-Policy": policy,
    "Cache-Control": "no-store",
  });
  answer.end(content ?? "no such file");
}).listen(port, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${port}/  (name: ann, any password)`));
