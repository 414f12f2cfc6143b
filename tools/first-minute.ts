// npx node tools/first-minute.ts [--from REPOSITORY]: from a clean clone in a clean folder, times install, start, first transaction and the explorer's
// first page, and prints one JSON line. What is committed is cloned: other changes are not in it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const TIMEOUT_MS = 600_000;
const POLL_MS = 50;
const STOP_TIMEOUT_MS = 20_000;
const PORTS = { rpc: 8545, console: 8500 } as const;
const RECEIVER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

const { values } = parseArgs({
  options: { from: { type: "string", default: join(import.meta.dirname, "..") } },
});
for (const port of Object.values(PORTS)) await refuseTaken(port);
const folder = mkdtempSync(join(tmpdir(), "ostrom-first-minute-"));
const clone = join(folder, "ostrom");
const began = performance.now();
const marks: Record<string, number> = {};
const mark = (name: string, since: number): number => {
  const now = performance.now();
  marks[`${name}Ms`] = Math.round(now - since);
  return now;
};

let network: ChildProcess | undefined;
try {
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${resolve(values.from)}`, clone]);
  let at = mark("clone", began);
  // As a person has it: npm from wherever it is, and not this repository's own Node.
  const binaries = join(resolve(import.meta.dirname, ".."), "node_modules/.bin");
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((entry) => entry !== binaries && entry !== dirname(process.execPath));
  const environment = { ...process.env, PATH: path.join(delimiter) };
  execFileSync("node", ["tools/install.mjs"], {
    cwd: clone,
    stdio: ["ignore", "ignore", "inherit"],
    env: environment,
  });
  at = mark("install", at);
  network = spawn("npm", ["start", "--", "--quiet"], {
    cwd: clone,
    detached: true,
    stdio: ["ignore", "ignore", "inherit"],
    env: environment,
  });
  await until("JSON-RPC answers", () => answers(`http://127.0.0.1:${PORTS.rpc}`));
  at = mark("start", at);
  execFileSync("npx", ["ostrom", "send", "--to", RECEIVER, "--value", "1.5"], {
    cwd: clone,
    stdio: ["ignore", "ignore", "inherit"],
    env: environment,
  });
  at = mark("firstTransaction", at);
  await until("the explorer is shown", async () => {
    const page = await fetch(`http://127.0.0.1:${PORTS.console}/`);
    const text = await page.text();
    return page.ok && /<script[^>]+type="module"/.test(text);
  });
  mark("explorer", at);
  console.log(
    JSON.stringify({
      ...marks,
      totalMs: Math.round(performance.now() - began),
      node: process.version,
      platform: process.platform,
    }),
  );
} finally {
  if (network !== undefined) await stop(network);
  rmSync(folder, { recursive: true, force: true });
}

async function answers(url: string): Promise<boolean> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return response.ok;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + TIMEOUT_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`gave up waiting until ${what}`);
    await sleep(POLL_MS);
  }
}

function refuseTaken(port: number): Promise<void> {
  return new Promise((free, taken) => {
    const server = createServer();
    server.once("error", () =>
      taken(new Error(`port ${port} is in use: stop the program that listens there`)),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => free()));
  });
}

/** npm, and all that it has started. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((done) => child.once("close", done));
  process.kill(-child.pid!, "SIGINT");
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
