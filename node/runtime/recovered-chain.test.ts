import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, View } from "@ostrom/base";
import { encodeStateCertificate, type StateCertificate } from "@ostrom/consensus";
import type { Genesis } from "@ostrom/execution";
import { createMemoryStore, type Store, stateCertificateOperations } from "@ostrom/storage";
import { EpochSets } from "./epoch-sets.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { recoverChain } from "./recovered-chain.ts";
import { executedOf, OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

async function setUp(options: { readonly isSigned?: boolean; readonly genesis?: Genesis } = {}) {
  const chain = new OrderedChain(options.genesis, options);
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 16);
  const certificates: StateCertificate[] = [];
  /** Executes the next block, which carries the certificate of block `carries`. */
  const extend = async (carries?: number, finalizedAt?: number): Promise<void> => {
    const height = chain.blocks.length + 1;
    const certificate = carries === undefined ? undefined : certificates[carries - 1];
    chain.append([simulatedTransfer(0, height - 1)], {
      view: View(2 * height),
      ...(certificate === undefined ? {} : { stateCertificate: certificate }),
    });
    const report = await executor.execute(chain.inputOf(height, finalizedAt ?? height));
    certificates.push(chain.stateCertificateOf(executedOf(report)));
  };
  const sets = new EpochSets(store, chain.genesis);
  return { chain, store, sets, extend, certificates };
}

const certify = (store: Store, certificate: StateCertificate): Promise<void> => {
  const { height } = certificate.executed;
  return store.write(stateCertificateOperations(store, height, encodeStateCertificate(certificate)), {
    sync: true,
  });
};

test("a new chain begins at genesis, with nothing to say", async () => {
  const { chain, store, sets } = await setUp();
  assert.deepEqual(recoverChain(store, sets), {
    tip: chain.genesisTip(),
    certificate: undefined,
    results: [],
    uncertified: [],
  });
});

test("the head of the store is the tip: what consensus builds on", async () => {
  const { chain, store, sets, extend, certificates } = await setUp();
  await extend();
  await extend(1);
  const { tip } = recoverChain(store, sets);
  const { block, digest } = chain.at(2);
  assert.deepEqual([tip.height, tip.view, tip.timestampMs], [2, 4, block.timestampMs]);
  assert.equal(toHex(tip.digest), toHex(digest));
  assert.deepEqual(tip.stateCertificate, certificates[0]);
  assert.deepEqual(tip.finalization, chain.finalizationOf(2));
});

test("on the last block of an epoch the next one begins: views from the start, no finalization of its own", async () => {
  const genesis = { ...simulatedGenesis({ validators: 4, clients: 4 }), epochLength: 2, epochLead: 1 };
  const { chain, store, sets, extend } = await setUp({ genesis });
  await extend();
  assert.deepEqual([recoverChain(store, sets).tip.epoch, recoverChain(store, sets).tip.view], [0, 2]);
  await extend();
  const { tip, results } = recoverChain(store, sets);
  assert.deepEqual([tip.epoch, tip.view, tip.height, tip.finalization], [1, 0, 2, undefined]);
  assert.equal(toHex(tip.digest), toHex(chain.at(2).digest));
  assert.deepEqual(
    results.map(({ epoch, height }) => [epoch, height]),
    [
      [0, 1],
      [0, 2],
    ],
  );
});

test("results above the newest stored certificate are there to be signed again", async () => {
  const { store, sets, extend, certificates } = await setUp();
  for (let height = 1; height <= 4; height++) await extend();
  await certify(store, certificates[1]!);
  const { certificate, results } = recoverChain(store, sets);
  assert.deepEqual(certificate, certificates[1]);
  assert.deepEqual(
    results,
    [3, 4].map((height) => certificates[height - 1]!.executed),
  );
});

test("blocks above the certificate that the tip carries count in the execution window", async () => {
  const { chain, store, sets, extend, certificates } = await setUp();
  await extend();
  await extend();
  await extend(1);
  await certify(store, certificates[2]!);
  const { uncertified } = recoverChain(store, sets);
  assert.deepEqual(
    uncertified,
    [chain.at(2), chain.at(3)],
    "voters go by the block, not by what this node holds",
  );
});

test("a node far ahead of its certificate signs only its newest results again", async () => {
  const { store, sets, extend } = await setUp({ isSigned: false });
  for (let height = 1; height <= 260; height++) await extend();
  const { results } = recoverChain(store, sets);
  assert.deepEqual([results.length, results[0]!.height, results.at(-1)!.height], [256, 5, 260]);
});
