import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, Height } from "@ostrom/base";
import { type Executed, encodeStateCertificate } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { genesisBlock } from "@ostrom/execution";
import { createMemoryStore, type Store, stateCertificateOperations } from "@ostrom/storage";
import { Executor } from "./executor.ts";
import { createLightReads, genesisParameters } from "./light-reads.ts";
import { executedOf, OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedGenesis } from "./testing/simulated-genesis.ts";

const SCHEDULE = { epochLength: 6, epochLead: 2 };

function certificateOf(chain: OrderedChain, executed: Executed): Uint8Array {
  return encodeStateCertificate(chain.stateCertificateOf(executed));
}

/** Eleven blocks of which each carries the certificate of the one before its parent. */
async function chainWithCertificates(): Promise<{ readonly store: Store; readonly chain: OrderedChain }> {
  const genesis = { ...simulatedGenesis({ validators: 4, clients: 1 }), epochLength: 1_000, epochLead: 10 };
  const chain = new OrderedChain(genesis, { isSigned: false });
  const store = createMemoryStore();
  const executor = await Executor.open(store, genesis, 16);
  const results: Executed[] = [];
  for (let height = 1; height <= 11; height++) {
    const carried = results.at(-2);
    chain.append([], {
      stateCertificate: carried === undefined ? undefined : chain.stateCertificateOf(carried),
    });
    results.push(executedOf(await executor.execute(chain.inputOf(height))));
  }
  return { store, chain };
}

test("a node that heard no certificate of a height has it from the blocks that carry one", async () => {
  const { store, chain } = await chainWithCertificates();
  const reads = createLightReads(store, SCHEDULE, "{}");
  assert.equal(reads.newestCertificate(), undefined);
  assert.deepEqual(
    [1, 5, 9].map((height) => reads.certificateFrom(height)?.height),
    [1, 5, 9],
  );
  assert.equal(reads.certificateFrom(10), undefined);
  const own: Executed = {
    epoch: Epoch(0),
    height: Height(7),
    orderDigest: Hash(new Uint8Array(32)),
    executedHash: Hash(new Uint8Array(32)),
    nextSetHash: Hash(new Uint8Array(32)),
  };
  const bytes = certificateOf(chain, own);
  await store.write(stateCertificateOperations(store, 7, bytes), { sync: false });
  assert.deepEqual(reads.newestCertificate(), { height: 7, bytes });
  assert.deepEqual(reads.certificateFrom(6), { height: 7, bytes });
});

test("the step into an epoch is the certificate that its first block carries, of the frozen height or above", async () => {
  const { store } = await chainWithCertificates();
  const reads = createLightReads(store, SCHEDULE, "{}");
  // The first block of the second epoch, 7, carries the certificate of 5; 4 is the frozen height.
  assert.equal(reads.epochStep(0)?.height, 5);
  assert.equal(reads.epochStep(1), undefined);
});

test("genesis' parameters are what its extra data is the hash of", () => {
  const genesis = simulatedGenesis({ validators: 1, clients: 1 });
  const { header } = genesisBlock(genesis, Hash(new Uint8Array(32)));
  assert.deepEqual(keccak256(new TextEncoder().encode(genesisParameters(genesis))), header.extraData);
});
