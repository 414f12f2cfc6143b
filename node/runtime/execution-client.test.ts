import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { toHex } from "@ostrom/base";
import { openLevelStore } from "@ostrom/storage";
import { startExecutionWorker } from "./execution-client.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { DEFAULT_ENGINE } from "./installed-engine.ts";
import { DEFAULT_MEMORY } from "./memory-settings.ts";
import { BARE_PARTS } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import type { Log } from "./ports.ts";
import { CONTRACT_CHAIN_HISTORY, contractChain, executeAll } from "./testing/contract-chain.ts";
import type { OrderedChain } from "./testing/ordered-chain.ts";

installNativeCrypto();

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ostrom-execution-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A client on a database of its own, and all workers that it has started. */
async function setUp(context: TestContext, chain: OrderedChain) {
  const databasePath = join(await temporaryFolder(context), "chain");
  const workers: Worker[] = [];
  const logged: string[] = [];
  const log: Log = (_level, message) => logged.push(message);
  const options = {
    databasePath,
    genesis: chain.genesis,
    historyBlocks: CONTRACT_CHAIN_HISTORY,
    memory: DEFAULT_MEMORY,
    program: BARE_PARTS,
    engine: DEFAULT_ENGINE,
  };
  // As in a node: the thread that starts the worker has opened the database before, and closes it last.
  const store = await openLevelStore(databasePath);
  const start = () => startExecutionWorker(options, log, (worker) => workers.push(worker));
  const client = await start();
  context.after(async () => {
    await client.stop();
    await store.close();
  });
  return { client, workers, logged, start };
}

test("workers killed in the middle of blocks are replaced, and the chain is what it is without", async (context) => {
  const chain = contractChain(4);
  const expected = await executeAll(chain);
  const { client, workers, logged } = await setUp(context, chain);
  for (const [index, report] of expected.entries()) {
    const running = client.execute(chain.inputOf(index + 1));
    // Each block is hit at another place: before it begins, while it runs, while it is written, or when it is done.
    for (let turn = 0; turn < 8 ** index; turn++) await nextTurn();
    await workers.at(-1)?.terminate();
    assert.deepEqual(await running, report, `block ${index + 1}`);
  }
  assert.ok(logged.includes("the execution worker is lost"));
  assert.ok(workers.length > 1);
  context.diagnostic(`${workers.length} workers for ${expected.length} blocks`);
});

test("a block that is lost in three workers is an error that says what to do", async (context) => {
  const chain = contractChain(1);
  const { client, workers, logged } = await setUp(context, chain);
  const running = assert.rejects(
    client.execute(chain.inputOf(1)),
    /3 workers were lost over it.*Check memory/,
  );
  await workers[0]?.terminate();
  for (const killed of [1, 2]) {
    while (workers[killed] === undefined) await nextTurn();
    // Its first word is that it has opened the database.
    await once(workers[killed], "message");
    await workers[killed].terminate();
  }
  await running;
  assert.equal(logged.filter((message) => message === "the execution worker is lost").length, 3);
});

test("the report of the newest block can be had again, from the store alone", async (context) => {
  const chain = contractChain(3);
  const { client, start } = await setUp(context, chain);
  let last: ExecutionReport | undefined;
  for (let height = 1; height <= 3; height++) last = await client.execute(chain.inputOf(height));
  await client.stop();
  const again = await start();
  context.after(() => again.stop());
  assert.equal(again.head.height, 3);
  assert.equal(toHex(again.head.blockHash), toHex(last!.executedHash));
  assert.deepEqual(await again.execute(chain.inputOf(3)), last);
  assert.equal(last!.skipped.length, 1);
});
