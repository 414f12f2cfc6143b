import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits, wordToBytes, ZERO_ADDRESS } from "@ostrom/base";
import { addressOfSecretKey, genesisModule, installModules } from "@ostrom/execution";
import { createMemoryStore } from "@ostrom/storage";
import { FORKS } from "@ostrom/vm";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { PoolRules } from "./pool-rules.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { PROBE, probe } from "./testing/probe-module.ts";
import { clientKey, simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const modules = installModules([probe(1)]);
const forbidden = addressOfSecretKey(clientKey(1));
const request = { sender: forbidden, to: ZERO_ADDRESS, value: 1n };

/** A transaction after which client 1 may not send. */
const forbid = simulatedTransfer(0, 0, {
  to: PROBE,
  value: 0n,
  gasLimit: 200_000n,
  data: Uint8Array.from([...new Uint8Array(12), ...forbidden]),
});

test("the pool hears of a changed permission with the block that changed it, and keeps to the newest state", async () => {
  const genesis = simulatedGenesis({
    validators: 4,
    clients: 4,
    modules: { authority: undefined, active: [genesisModule(probe(1), new Uint8Array())] },
  });
  const chain = new OrderedChain(genesis, { isSigned: false });
  const store = createMemoryStore();
  const executor = await Executor.open(store, genesis, 16, undefined, { modules, forks: FORKS });
  const rules = new PoolRules(store, genesis.rules, modules);
  assert.equal(rules.permits?.(request), undefined);

  chain.append();
  chain.append([forbid]);
  const first = await executor.execute(chain.inputOf(1));
  rules.executed(first.changed, 0);
  const { changed } = await executor.execute(chain.inputOf(2));
  assert.ok(changed.includes(toHexDigits(PROBE)));
  const news = rules.executed(changed, 0);
  assert.equal(news.hasNewPermissions, true);
  assert.deepEqual(rules.permits?.(request), { reason: "probe: forbidden" });
  assert.equal(rules.permits?.({ ...request, sender: addressOfSecretKey(clientKey(2)) }), undefined);
  assert.equal(rules.executed([toHexDigits(wordToBytes(1n).subarray(12))], 0).hasNewPermissions, false);
});

test("a chain without modules asks nobody", async () => {
  const chain = new OrderedChain();
  const store = createMemoryStore();
  await Executor.open(store, chain.genesis, 16);
  const rules = new PoolRules(store, chain.genesis.rules, modules);
  assert.equal(rules.permits, undefined);
  assert.deepEqual(rules.executed([], 0), {});
});
