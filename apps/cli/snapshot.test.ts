import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askMany } from "./rpc-client.ts";
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

const VALIDATORS = 2;
const ACCOUNT = 5;
/** A node serves the newest two states: two epochs are longer than a join takes, also where much else runs. */
const EPOCH_LENGTH = 16;
const EMPTY_BLOCK_INTERVAL_MS = 300;

let network: TestNetwork;
let follower: StartedNode | undefined;
let port: number;
let linkPort: number;

before(async () => {
  network = await createTestNetwork({ validators: VALIDATORS });
  for (let index = 0; index < VALIDATORS; index++) {
    const path = join(network.folder(index), "genesis.json");
    const genesis = JSON.parse(readFileSync(path, "utf8"));
    const emptyBlockIntervalMs = EMPTY_BLOCK_INTERVAL_MS;
    const consensus = { ...genesis.consensus, minBlockIntervalMs: 50, emptyBlockIntervalMs };
    Object.assign(genesis, { profile: "public", epochLength: EPOCH_LENGTH, epochLead: 8, consensus });
    writeFileSync(path, JSON.stringify(genesis));
  }
  [port, linkPort] = (await findFreePorts(1, 2)) as [number, number];
  await network.startAll();
});

after(async () => {
  await stopNodes(follower === undefined ? [] : [follower]);
  await network.dispose();
});

test("a fresh follower with --sync snapshot begins with a certified state and goes on with all blocks", async () => {
  const transfers = signTransfers(ACCOUNT, 0, 5);
  assert.deepEqual(await submit(network.urls[0]!, transfers), []);
  await waitUntil("an epoch has passed", 2 * LONG_WAIT_MS, async () => {
    return (await blockNumber(network.urls[0]!, "finalized")) > EPOCH_LENGTH;
  });
  const folder = join(network.directory, "follower");
  const made = await runCli([
    "join",
    "--genesis",
    join(network.folder(0), "genesis.json"),
    "--bootstrap",
    `127.0.0.1:${network.file.nodes[0]!.linkPort}`,
    "--out",
    folder,
    "--name",
    "follower",
    "--host",
    `127.0.0.1:${linkPort}`,
    "--rpc-port",
    String(port),
  ]);
  assert.equal(made.code, 0, made.stderr);
  const extraFlags = ["--sync", "snapshot"];
  follower = startNodeProcess({ name: "follower", folder, onReport: () => undefined, extraFlags });
  const started = await follower.started;
  assert.equal(started.kind, "ready", "message" in started ? started.message : "");
  const pinned = started.kind === "ready" ? started.head : 0;
  assert.ok(pinned >= EPOCH_LENGTH, `it began with block ${pinned}`);

  const url = `http://127.0.0.1:${port}`;
  const [newest] = await askMany(url, [{ method: "eth_getBlockByNumber", params: ["latest", true] }]);
  assert.ok(newest?.result !== null, "the newest block is there at once");
  const target = Math.max(pinned, await blockNumber(network.urls[0]!, "finalized")) + 2;
  await waitUntil(`the follower has block ${target}`, 2 * LONG_WAIT_MS, async () => {
    const [head] = await askMany(url, [{ method: "eth_blockNumber", params: [] }]);
    return Number(head?.result) >= target;
  });
  assert.deepEqual(
    await blockHashes(url, pinned, target),
    await blockHashes(network.urls[0]!, pinned, target),
  );
  const later = signTransfers(ACCOUNT, transfers.length, 3);
  assert.deepEqual(await submit(url, later), []);
  await waitUntil("what its clients send is included", 2 * LONG_WAIT_MS, async () => {
    return (await receiptBlocks(url, later)).size === later.length;
  });
  const [older] = await askMany(url, [
    { method: "eth_getBalance", params: [`0x${"11".repeat(20)}`, `0x${(pinned - 1).toString(16)}`] },
  ]);
  assert.ok(older?.error !== undefined, "state of older blocks is refused, not made up");
});
