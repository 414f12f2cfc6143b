import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, must } from "@ostrom/base";
import type { LogTerm } from "@ostrom/rpc";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { createChainReads } from "./chain-view.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const HISTORY_BLOCKS = 64;
const BLOCKS = 9;
const TOPIC = "ee".repeat(32);
/** PUSH32 topic, PUSH1 0, PUSH1 0, LOG1, STOP. */
const LOGGING_CODE = Uint8Array.fromHex(`7f${TOPIC}60006000a100`);
const logging = addressFromHex("00000000000000000000000000000000000c0de6");
const byAddress: LogTerm = { position: 0, value: logging };
const byTopic: LogTerm = { position: 1, value: Uint8Array.fromHex(TOPIC) };

/** Every third block logs. */
function loggingChain(): OrderedChain {
  const base = simulatedGenesis({ validators: 4, clients: 2 });
  const account = { address: logging, balance: 0n, nonce: 1n, code: LOGGING_CODE, storage: [] };
  const chain = new OrderedChain({ ...base, alloc: [...base.alloc, account] });
  for (let height = 1; height <= BLOCKS; height++) {
    const call = { to: logging, value: 0n, gasLimit: 100_000n };
    chain.append([simulatedTransfer(0, height - 1, height % 3 === 0 ? call : {})]);
  }
  return chain;
}

function logsOf(store: Store): (term: LogTerm | undefined) => Promise<readonly number[]> {
  const index = must(
    createChainReads(store, HISTORY_BLOCKS, () => undefined).logIndex,
    "a store has an index",
  );
  assert.equal(index.start(), 0);
  return (term) => index.heights(term, 0, BLOCKS, 100);
}

test("blocks with logs are in the index when they are executed, and leave it when they are taken off", async () => {
  const chain = loggingChain();
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, HISTORY_BLOCKS);
  const heights = logsOf(store);
  for (let height = 1; height <= BLOCKS; height++) {
    const { skipped } = await executor.execute(chain.inputOf(height));
    assert.equal(skipped.length, 0);
  }
  for (const term of [byAddress, byTopic, undefined]) assert.deepEqual(await heights(term), [3, 6, 9]);
  for (let height = BLOCKS; height > 4; height--) await executor.unwind(height);
  for (const term of [byAddress, byTopic, undefined]) assert.deepEqual(await heights(term), [3]);
  for (let height = 5; height <= BLOCKS; height++) await executor.execute(chain.inputOf(height));
  assert.deepEqual(await heights(byTopic), [3, 6, 9]);
});
