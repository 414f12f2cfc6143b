import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AgreementChecker } from "./testing/agreement.ts";
import {
  type CliProcess,
  eventsOf,
  isRunning,
  type ReadyEvent,
  runCli,
  startUp,
} from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { Sender } from "./testing/sender.ts";
import { blockHashes, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const MOST_VALIDATORS = 7;
const root = mkdtempSync(join(tmpdir(), "ostrom-up-"));
const directory = join(root, "network");
const [port, linkPort, otherPort, otherLinkPort] = (await findFreePorts(MOST_VALIDATORS, 4)) as [
  number,
  number,
  number,
  number,
];
const OWN_PORTS = ["--port", String(port), "--link-port", String(linkPort)];
const OTHER_PORTS = ["--port", String(otherPort), "--link-port", String(otherLinkPort)];
const FOLDER = ["--data-dir", directory];
const agreement = new AgreementChecker();
const sender = new Sender();
const everStarted = new Set<number>();

after(() => {
  for (const pid of everStarted) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

async function start(args: readonly string[]): Promise<{ up: CliProcess; ready: ReadyEvent }> {
  const started = await startUp([...FOLDER, ...args]);
  for (const { pid } of started.ready.nodes) everStarted.add(pid);
  return started;
}

async function stop(up: CliProcess, ready: ReadyEvent, signal: NodeJS.Signals): Promise<void> {
  up.process.kill(signal);
  const { code, stderr } = await up.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  for (const { pid } of ready.nodes) assert.equal(isRunning(pid), false, "no process is left");
}

/** Waits until all have a transfer in a finalized block, and all blocks up to it alike. @returns its block. */
async function finalizeTransfer(
  nodes: ReadyEvent["nodes"],
  sender: Sender,
  checker: AgreementChecker,
): Promise<number> {
  const block = await sender.finalize(nodes.map(({ rpc }) => rpc).reverse());
  for (const { rpc, name } of nodes) {
    (await blockHashes(rpc, 0, block)).forEach((hash, height) => {
      checker.addBlock(height, String(hash), name);
    });
  }
  checker.assertAgreement();
  return block;
}

/** Exit code 1 and one line, which has all of these. */
async function refused(args: readonly string[], ...patterns: readonly RegExp[]): Promise<void> {
  const { code, stdout, stderr } = await runCli(["up", ...FOLDER, ...args]);
  assert.equal(code, 1, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, /^ostrom up: [^\n]+\n$/);
  for (const pattern of patterns) assert.match(stderr, pattern);
}

function listen(at: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: at }, () => resolve(server));
  });
}

let hashes: readonly (string | undefined)[] = [];

/** A light client's checkpoint leads to the next one; another chain's file does not. */
async function checkpoints(rpc: string): Promise<void> {
  const genesis = join(directory, "validator-1/genesis.json");
  const first = await runCli(["checkpoint", "--rpc", rpc, "--genesis", genesis]);
  assert.match(first.stdout, /^ostrom-checkpoint-1:[0-9a-f:]+\n$/, first.stderr);
  const second = await runCli(["checkpoint", "--rpc", rpc, "--from", first.stdout.trim()]);
  assert.match(second.stdout, /^ostrom-checkpoint-1:[0-9a-f:]+\n$/, second.stderr);
  const other = join(root, "other.json");
  writeFileSync(other, JSON.stringify({ ...JSON.parse(readFileSync(genesis, "utf8")), timestampMs: 1 }));
  const { code, stderr } = await runCli(["checkpoint", "--rpc", rpc, "--genesis", other]);
  assert.equal(code, 1);
  assert.match(stderr, /^ostrom checkpoint: [^\n]+\(light\/[a-z-]+\)\n$/);
}

test("a taken port: one line that says what to do, and nothing is made", async () => {
  const server = await listen(port + 2);
  try {
    await refused(OWN_PORTS, new RegExp(`port ${port + 2} is in use: stop .* or choose others: --port \\d+`));
    assert.equal(existsSync(directory), false);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("ostrom up --json tells all there is to know, and makes blocks; a second one is refused; SIGINT ends all", async () => {
  const { up, ready } = await start([...OWN_PORTS, "--chain-id", "31337"]);
  assert.equal(ready.chainId, 31_337);
  assert.equal(ready.isNew, true);
  assert.deepEqual(
    ready.nodes.map(({ name, rpc, head }) => [name, rpc, head]),
    [0, 1, 2, 3].map((index) => [`validator-${index + 1}`, `http://127.0.0.1:${port + index}`, 0]),
  );
  assert.equal(ready.accounts.length, 10);
  assert.equal(ready.accounts[0]!.address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  const block = await finalizeTransfer(ready.nodes, sender, agreement);
  await waitUntil("the block is told", LONG_WAIT_MS, () =>
    eventsOf(up).some(({ event }) => event === "block"),
  );

  const inUse = /is running already \(.*validator-1 is in use by process \d+\): stop it .* or .* --data-dir/;
  await Promise.all([
    refused([], inUse),
    refused(OTHER_PORTS, inUse),
    refused([...OTHER_PORTS, "--fresh"], inUse),
  ]);
  hashes = await blockHashes(ready.nodes[0]!.rpc, 0, block);
  await checkpoints(ready.nodes[0]!.rpc);
  await stop(up, ready, "SIGINT");
});

test("flags that contradict a network are refused, not passed over", async () => {
  const advice =
    /leave --[a-z-]+ out, name another folder with --data-dir, or begin a new chain with --fresh/;
  const file = join(root, "up.json");
  writeFileSync(file, JSON.stringify({ validators: 7 }));
  // One after another: each of them looks whether the folder is in use.
  await refused(["--validators", "7"], /has 4 validators, not --validators 7/, advice);
  await refused(["--port", String(otherPort)], /has its JSON-RPC ports from/, advice);
  await refused(["--link-port", String(otherLinkPort)], /has its link ports from/, advice);
  await refused(["--chain-id", "5"], /has chain id 31337, not --chain-id 5/, advice);
  await refused(["--config", file], /has 4 validators, not --validators 7/, advice);
  const server = await listen(linkPort);
  try {
    await refused([], new RegExp(`port ${linkPort} is in use: stop .*--port \\d+ --data-dir \\S+`));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a damaged network folder is refused; the beginnings of one that never ran are made anew", async () => {
  const nodeFile = join(directory, "validator-2", "node.json");
  const text = readFileSync(nodeFile, "utf8");
  rmSync(nodeFile);
  await refused([], /validator-2\/node\.json is gone: restore it, or begin a new chain with --fresh/);
  writeFileSync(nodeFile, text);
  const networkFile = join(directory, "network.json");
  const network = readFileSync(networkFile, "utf8");
  writeFileSync(networkFile, network.slice(0, 40));
  await refused([], /network\.json is damaged: restore it, or begin a new chain with --fresh/);
  writeFileSync(networkFile, network);

  const half = join(root, "half");
  mkdirSync(join(half, "validator-1"), { recursive: true });
  writeFileSync(join(half, "network.json"), network);
  const { up, ready } = await startUp(["--data-dir", half, ...OTHER_PORTS, "--validators", "1"]);
  everStarted.add(ready.nodes[0]!.pid);
  assert.deepEqual([ready.isNew, ready.nodes.length], [true, 1]);
  await stop(up, ready, "SIGTERM");
});

test("starting again resumes the same chain; without their supervisor the nodes end by themselves", async () => {
  const { up, ready } = await start(["--validators", "4"]);
  assert.equal(ready.isNew, false);
  for (const { rpc, head } of ready.nodes) {
    assert.ok(head >= hashes.length - 1, `resumed at ${head}`);
    assert.deepEqual(await blockHashes(rpc, 0, hashes.length - 1), hashes);
  }
  const block = await finalizeTransfer(ready.nodes, sender, agreement);
  assert.ok(block >= hashes.length);

  up.process.kill("SIGKILL");
  await up.ended;
  await waitUntil("the nodes end", LONG_WAIT_MS, () => ready.nodes.every(({ pid }) => !isRunning(pid)));
});

test("--fresh begins a new chain and touches nothing else; one validator is a network too", async () => {
  writeFileSync(join(directory, "notes.txt"), "mine");
  const { up, ready } = await start([...OWN_PORTS, "--fresh", "--validators", "1"]);
  assert.equal(ready.isNew, true);
  assert.equal(ready.nodes.length, 1);
  const [genesis] = await blockHashes(ready.nodes[0]!.rpc, 0, 0);
  assert.notEqual(genesis, hashes[0]);
  assert.equal(readFileSync(join(directory, "notes.txt"), "utf8"), "mine");
  assert.equal(existsSync(join(directory, "validator-2")), false);
  await finalizeTransfer(ready.nodes, new Sender(), new AgreementChecker());
  await stop(up, ready, "SIGTERM");
});

test("seven validators: all agree, and go on with two of them killed", async () => {
  const other = join(root, "seven");
  const { up, ready } = await startUp([...OTHER_PORTS, "--validators", "7", "--data-dir", other]);
  for (const { pid } of ready.nodes) everStarted.add(pid);
  assert.equal(ready.nodes.length, MOST_VALIDATORS);
  for (const { pid } of ready.nodes.slice(5)) process.kill(pid, "SIGKILL");
  await waitUntil("both ends are told", LONG_WAIT_MS, () => {
    return eventsOf(up).filter(({ event }) => event === "ended").length === 2;
  });
  await finalizeTransfer(ready.nodes.slice(0, 5), new Sender(), new AgreementChecker());
  await stop(up, ready, "SIGHUP");
});
