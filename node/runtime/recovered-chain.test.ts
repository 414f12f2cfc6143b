import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, View } from "@ostrom/base";
import { encodeStateCertificate, type StateCertificate } from "@ostrom/consensus";
import { createMemoryStore, type Store, stateCertificateOperations } from "@ostrom/storage";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { recoverChain } from "./recovered-chain.ts";
import { executedOf, OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

async function setUp(options: { readonly isSigned?: boolean } = {}) {
  const chain = new OrderedChain(undefined, options);
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
  return { chain, store, extend, certificates };
}

const certify = (store: Store, certificate: StateCertificate): Promise<void> => {
  const { height } = certificate.executed;
  return store.write(stateCertificateOperations(store, height, encodeStateCertificate(certificate)), {
    sync: true,
  });
};

test("a new chain begins at genesis, with nothing to say", async () => {
  const { chain, store } = await setUp();
  assert.deepEqual(recoverChain(store), {
    tip: chain.genesisTip(),
    certificate: undefined,
    results: [],
    uncertified: [],
  });
});

test("the head of the store is the tip: what consensus builds on", async () => {
  const { chain, store, extend, certificates } = await setUp();
  await extend();
  await extend(1);
  const { tip } = recoverChain(store);
  const { block, digest } = chain.at(2);
  assert.deepEqual([tip.height, tip.view, tip.timestampMs], [2, 4, block.timestampMs]);
  assert.equal(toHex(tip.digest), toHex(digest));
  assert.deepEqual(tip.stateCertificate, certificates[0]);
  assert.deepEqual(tip.finalization, chain.finalizationOf(2));
});

test("results above the newest stored certificate are there to be signed again", async () => {
  const { store, extend, certificates } = await setUp();
  for (let height = 1; height <= 4; height++) await extend();
  await certify(store, certificates[1]!);
  const { certificate, results } = recoverChain(store);
  assert.deepEqual(certificate, certificates[1]);
  assert.deepEqual(
    results,
    [3, 4].map((height) => certificates[height - 1]!.executed),
  );
});

test("blocks above the certificate that the tip carries count in the execution window", async () => {
  const { chain, store, extend, certificates } = await setUp();
  await extend();
  await extend();
  await extend(1);
  await certify(store, certificates[2]!);
  const { uncertified } = recoverChain(store);
  assert.deepEqual(
    uncertified,
    [chain.at(2), chain.at(3)],
    "voters go by the block, not by what this node holds",
  );
});

test("a node far ahead of its certificate signs only its newest results again", async () => {
  const { store, extend } = await setUp({ isSigned: false });
  for (let height = 1; height <= 260; height++) await extend();
  const { results } = recoverChain(store);
  assert.deepEqual([results.length, results[0]!.height, results.at(-1)!.height], [256, 5, 260]);
});
