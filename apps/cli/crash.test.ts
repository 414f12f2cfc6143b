import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { askMany } from "./rpc-client.ts";
import { nextNonce, receiptBlocks, type SignedTransfer, signTransfers, submit } from "./testing/load.ts";
import {
  blockHashes,
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VALIDATORS = 4;
const BATCH = 20;
const FINALITY_AFTER_A_KILL_MS = 3_000;

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: VALIDATORS });
  await network.startAll();
});

after(async () => {
  await network.dispose();
});

/** Keeps sending transfers of one account to one node until it is stopped. */
function keepSending(
  url: string,
  account: number,
  firstNonce: number,
): { readonly sent: SignedTransfer[]; readonly stop: () => Promise<void> } {
  const sent: SignedTransfer[] = [];
  let stopped = false;
  const loop = (async () => {
    for (let nonce = firstNonce; !stopped; nonce += BATCH) {
      const batch = signTransfers(account, nonce, BATCH);
      try {
        const refusals = await submit(url, batch);
        assert.deepEqual(refusals, []);
        sent.push(...batch);
        await waitUntil(
          "the batch is included",
          LONG_WAIT_MS,
          async () => stopped || (await receiptBlocks(url, batch)).size === BATCH,
        );
      } catch (error) {
        if (!stopped) throw error;
      }
    }
  })();
  return {
    sent,
    stop: async () => {
      stopped = true;
      await loop;
    },
  };
}

async function assertAllAgree(upTo: number, urls: readonly string[]): Promise<void> {
  const [first, ...others] = await Promise.all(urls.map((url) => blockHashes(url, 0, upTo)));
  assert.equal(
    first!.every((hash) => hash !== undefined),
    true,
    "every block is there",
  );
  for (const other of others) assert.deepEqual(other, first);
}

test("three validators go on finalizing when one is killed; it comes back, catches up and votes again", async () => {
  const load = keepSending(network.urls[0]!, 0, 0);
  await waitUntil(
    "the load is being finalized",
    LONG_WAIT_MS,
    async () => (await blockNumber(network.urls[0]!, "finalized")) >= 3,
  );

  await network.kill(3, "SIGKILL");
  const atKill = await blockNumber(network.urls[0]!, "finalized");
  await waitUntil("finality goes on within three seconds of the kill", FINALITY_AFTER_A_KILL_MS, async () => {
    const now = await blockNumber(network.urls[0]!, "finalized");
    return now >= atKill + 2;
  });
  const beforeRestart = await blockNumber(network.urls[0]!, "finalized");
  await network.start(3);
  await waitUntil(
    "the killed validator catches up",
    LONG_WAIT_MS,
    async () => (await blockNumber(network.urls[3]!, "finalized")) > beforeRestart,
  );

  // With another one gone, the quorum of three needs the votes of the one that came back.
  await network.kill(2, "SIGKILL");
  const withoutAnother = await blockNumber(network.urls[0]!, "finalized");
  await waitUntil("finality goes on with the votes of the restarted one", LONG_WAIT_MS, async () => {
    return (await blockNumber(network.urls[3]!, "finalized")) >= withoutAnother + 3;
  });
  await network.start(2);
  await load.stop();
  await waitUntil("the second one catches up", LONG_WAIT_MS, async () => {
    const heights = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
    return Math.min(...heights) > withoutAnother + 3;
  });
  const heights = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
  await assertAllAgree(Math.min(...heights), network.urls);
});

test("all four killed at once under load: the chain resumes and no finalized transaction is lost", async () => {
  const nonce = await nextNonce(network.urls[0]!, 2);
  const load = keepSending(network.urls[0]!, 2, nonce);
  await waitUntil("some transfers are finalized", LONG_WAIT_MS, async () => {
    const finalized = await blockNumber(network.urls[0]!, "finalized");
    const blocks = await receiptBlocks(network.urls[0]!, load.sent);
    return [...blocks.values()].filter((block) => block <= finalized).length >= 3 * BATCH;
  });
  const finalized = await blockNumber(network.urls[0]!, "finalized");
  const acknowledged = [...(await receiptBlocks(network.urls[0]!, load.sent))].filter(
    ([, block]) => block <= finalized,
  );
  const hashesBefore = await blockHashes(network.urls[0]!, 0, finalized);
  const stopped = load.stop();
  await Promise.all(network.urls.map((_, index) => network.kill(index, "SIGKILL")));
  await stopped;

  await network.startAll();
  await waitUntil("the chain goes on", LONG_WAIT_MS, async () => {
    const heights = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
    return Math.min(...heights) > finalized;
  });
  for (const url of network.urls) {
    assert.deepEqual(await blockHashes(url, 0, finalized), hashesBefore);
    const answers = await askMany(
      url,
      acknowledged.map(([hash]) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
    );
    answers.forEach((answer, index) => {
      const receipt = answer.result as { blockNumber: string } | null;
      assert.equal(
        Number(receipt?.blockNumber),
        acknowledged[index]![1],
        `transaction ${acknowledged[index]![0]}`,
      );
    });
  }
  const heights = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
  await assertAllAgree(Math.min(...heights), network.urls);
});
