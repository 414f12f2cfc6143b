import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { unwrap } from "@ostrom/base";
import { decodeBlock } from "@ostrom/consensus";
import { decodeOrderedPayload } from "@ostrom/dissemination";
import { openLevelStore, readBatch, readHead, readOrdered } from "@ostrom/storage";
import { receiptBlocks, type SignedTransfer, signTransfers, submit } from "./testing/load.ts";
import {
  assertSameBlocks,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VALIDATORS = 4;
const TRANSFERS_EACH = 600;
const IN_ONE_REQUEST = 100;
/** Of JSON-RPC questions in one request. */
const ASKED_AT_ONCE = 100;

for (const signatureCheck of ["all", "minority"] as const) {
  test(`under load transactions go in batches (${signatureCheck}); who was down or has lost its database gets them`, async () => {
    const network = await createTestNetwork({ validators: VALIDATORS, signatureCheck });
    try {
      await network.startAll();
      const before = await load(network, 0, VALIDATORS);
      await network.kill(3, "SIGKILL");
      const without = await load(network, 1, VALIDATORS - 1);
      rmSync(join(network.folder(3), "data/chain"), { recursive: true });
      await network.start(3);
      const last = await blockNumber(network.urls[0]!, "latest");
      await waitUntil("the validator without a database has all blocks", 2 * LONG_WAIT_MS, async () => {
        return (await blockNumber(network.urls[3]!, "latest")) >= last;
      });
      await assertSameBlocks(network.urls, last);
      for (const transfers of [before, without]) {
        const blocks = await allReceipts(network.urls[3]!, transfers);
        assert.equal(blocks.size, transfers.length);
      }
      for (let index = 0; index < VALIDATORS; index++) await network.kill(index, "SIGTERM");
      const counts = await Promise.all(
        [0, 3].map((index) => countBatches(join(network.folder(index), "data/chain"))),
      );
      assert.ok(counts[0]!.transactions > before.length / 2, JSON.stringify(counts));
      assert.deepEqual(counts[1], counts[0], "both hold all batches of all blocks");
    } finally {
      await network.dispose();
    }
  });
}

/** Sends much at once through several nodes, and waits until all of it is executed. @param round of the accounts' nonces. */
async function load(network: TestNetwork, round: number, nodes: number): Promise<readonly SignedTransfer[]> {
  const transfers = Array.from({ length: nodes }, (_, account) =>
    signTransfers(account, round * TRANSFERS_EACH, TRANSFERS_EACH),
  );
  await Promise.all(
    transfers.map(async (ofOne, index) => {
      for (let first = 0; first < ofOne.length; first += IN_ONE_REQUEST) {
        const refused = await submit(network.urls[index]!, ofOne.slice(first, first + IN_ONE_REQUEST));
        assert.deepEqual(refused, []);
      }
    }),
  );
  const all = transfers.flat();
  await waitUntil("all transfers have receipts", 2 * LONG_WAIT_MS, async () => {
    return (await allReceipts(network.urls[0]!, all)).size === all.length;
  });
  return all;
}

async function allReceipts(
  url: string,
  transfers: readonly SignedTransfer[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (let first = 0; first < transfers.length; first += ASKED_AT_ONCE) {
    const part = await receiptBlocks(url, transfers.slice(first, first + ASKED_AT_ONCE));
    for (const [hash, block] of part) found.set(hash, block);
  }
  return found;
}

/** Batches that the blocks of a stopped node refer to; all of them must be on its disk. */
async function countBatches(
  path: string,
): Promise<{ readonly batches: number; readonly transactions: number }> {
  const store = await openLevelStore(path, { create: false });
  let batches = 0;
  let transactions = 0;
  try {
    const head = readHead(store)?.height ?? 0;
    for (let height = 1; height <= head; height++) {
      const ordered = readOrdered(store, height);
      assert.ok(ordered !== undefined, `block ${height} is stored as it was ordered`);
      const { payload } = unwrap(decodeBlock(ordered.block));
      for (const { header } of unwrap(decodeOrderedPayload(payload)).batches) {
        assert.equal(readBatch(store, header.digest)?.length, header.byteLength);
        batches++;
        transactions += header.count;
      }
    }
  } finally {
    await store.close();
  }
  return { batches, transactions };
}
