import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type StartedNode, startNodeProcess, stopNodes } from "./supervisor.ts";
import { runCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { receiptBlocks, signTransfers, submit } from "./testing/load.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VALIDATORS = 4;
const FOLLOWERS = ["first", "second"] as const;
const ACCOUNT = 5;
const EPOCH_LENGTH = 20;

let network: TestNetwork;
let port: number;
let linkPort: number;
const running = new Map<string, StartedNode>();
const url = (index: number): string => `http://127.0.0.1:${port + index}`;
const folder = (name: string): string => join(network.directory, name);

before(async () => {
  network = await createTestNetwork({ validators: VALIDATORS });
  // A chain of the same kind that admits strangers, on one machine.
  for (let index = 0; index < VALIDATORS; index++) {
    const path = join(network.folder(index), "genesis.json");
    const genesis = JSON.parse(readFileSync(path, "utf8"));
    const consensus = { ...genesis.consensus, minBlockIntervalMs: 50, emptyBlockIntervalMs: 150 };
    Object.assign(genesis, { profile: "public", epochLength: EPOCH_LENGTH, epochLead: 10, consensus });
    writeFileSync(path, JSON.stringify(genesis));
  }
  [port, linkPort] = (await findFreePorts(FOLLOWERS.length, 2)) as [number, number];
  await network.startAll();
});

after(async () => {
  await stopNodes([...running.values()]);
  await network.dispose();
});

async function joinAndStart(index: number, bootstrap: string): Promise<void> {
  const name = FOLLOWERS[index]!;
  const made = await runCli([
    "join",
    "--genesis",
    join(network.folder(0), "genesis.json"),
    "--bootstrap",
    bootstrap,
    "--out",
    folder(name),
    "--name",
    name,
    "--host",
    `127.0.0.1:${linkPort + index}`,
    "--rpc-port",
    String(port + index),
  ]);
  assert.equal(made.code, 0, made.stderr);
  await start(index);
}

async function start(index: number): Promise<void> {
  const name = FOLLOWERS[index]!;
  const node = startNodeProcess({ name, folder: folder(name), onReport: () => undefined });
  running.set(name, node);
  const started = await node.started;
  assert.equal(started.kind, "ready", "message" in started ? started.message : "");
}

/** The node has all that the first validator calls final now, under the same hashes, and calls it final too. */
async function catchesUp(index: number): Promise<number> {
  const target = await blockNumber(network.urls[0]!, "finalized");
  await waitUntil(`${FOLLOWERS[index]} has block ${target}`, 2 * LONG_WAIT_MS, async () => {
    return (await blockNumber(url(index), "finalized")) >= target;
  });
  const [own, theirs] = await Promise.all([
    blockHashes(url(index), 0, target),
    blockHashes(network.urls[0]!, 0, target),
  ]);
  assert.deepEqual(own, theirs);
  return target;
}

test("a stranger with genesis and one address joins, follows over epochs, and is no validator", async () => {
  await joinAndStart(0, `127.0.0.1:${network.file.nodes[0]!.linkPort}`);
  const height = await catchesUp(0);
  await waitUntil("an epoch has passed", 2 * LONG_WAIT_MS, async () => {
    return (await blockNumber(url(0), "finalized")) >= height + EPOCH_LENGTH;
  });
  await catchesUp(0);
});

test("a stranger that knows only another stranger joins too; what its clients send gets into blocks", async () => {
  await joinAndStart(1, `127.0.0.1:${linkPort}`);
  await catchesUp(1);
  const transfers = signTransfers(ACCOUNT, 0, 5);
  assert.deepEqual(await submit(url(1), transfers), []);
  await waitUntil("all are included", 2 * LONG_WAIT_MS, async () => {
    return (await receiptBlocks(url(1), transfers)).size === transfers.length;
  });
  await catchesUp(1);
});

test("a stranger that was away comes back by itself, from the peers it had", async () => {
  const node = running.get(FOLLOWERS[0])!;
  // As when its supervisor goes: it stops in order.
  node.process.disconnect();
  await node.ended;
  const kept = JSON.parse(readFileSync(join(folder(FOLLOWERS[0]), "peers.json"), "utf8"));
  assert.ok(kept.anchors.length > 0);
  await start(0);
  await catchesUp(0);
});
