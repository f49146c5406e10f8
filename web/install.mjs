// SPDX-License-Identifier: Apache-2.0
// Brings web/node_modules to what package-lock.json says, by `npm ci`, and
// says plainly what to do when that is not possible.
//   node install.mjs     (the build calls it when the lock file is newer)
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const stamp = join(here, "node_modules", ".bowline-stamp");
const wanted = ["package.json", "package-lock.json"]
  .map((name) => readFileSync(join(here, name), "utf8"))
  .join("\n");

function npm(...words) {
  return spawnSync("npm", words, { cwd: here, encoding: "utf8" });
}

function fail(run) {
  const said = `${run.stdout ?? ""}${run.stderr ?? ""}`.trim();
  const registry = npm("config", "get", "registry").stdout?.trim() || "npm's";
  const missing = run.error?.code === "ENOENT";
  const reason = missing
    ? "the command npm is not there: install the packages nodejs and npm"
    : /E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT)|network|proxy/i.test(
          said)
      ? `npm's registry cannot be reached: ${registry}`
      : "npm ci failed";
  console.error(`${said}

error: the dashboard's packages (web/package-lock.json) could not be installed:
       ${reason}
       What to do: check the network and npm's proxy settings, or name a mirror
       with "npm config set registry https://..."; then build again.
       Without the dashboard: cmake -DBOWLINE_WEB=OFF ...`);
  process.exit(1);
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const run = npm("ci", "--no-audit", "--no-fund", "--prefer-offline");
  if (run.error || run.status !== 0) {
    fail(run);
  }
}
// Written each time: its time tells the build that it is not stale.
writeFileSync(stamp, wanted);
