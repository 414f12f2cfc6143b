// npm run soak -- --minutes 5 --seed 1: a network of real processes under load, whose validators are killed (SIGKILL) and started again at
// seeded moments, never more than a third at once, now and then all; at the end all must agree on every block.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { createRandom } from "@ostrom/base";
import { receiptBlocks, signTransfers, submit } from "../../apps/cli/testing/load.ts";
import { blockHashes, blockNumber, createTestNetwork } from "../../apps/cli/testing/test-network.ts";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";

const BATCH = 20;
const BLOCKS_PER_BATCH = 500;
const CATCH_UP_MS = 120_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    validators: { type: "string", default: "4" },
  },
});
const validators = Number(values.validators);
const random = createRandom(Number(values.seed));
const network = await createTestNetwork({ validators });
const deadline = performance.now() + Number(values.minutes) * 60_000;
let kills = 0;
let totalKills = 0;
let sent = 0;
let stopped = false;

/** One account a validator keeps sending to it and goes on where it was after the node came back. */
async function keepSending(account: number): Promise<void> {
  const url = network.urls[account]!;
  for (let nonce = 0; !stopped; ) {
    try {
      const batch = signTransfers(account, nonce, BATCH);
      await submit(url, batch);
      await waitUntil(
        "included",
        CATCH_UP_MS,
        async () => stopped || (await receiptBlocks(url, batch)).size === BATCH,
      );
      nonce += BATCH;
      sent += BATCH;
    } catch (error) {
      // The node is down: its turn comes again when it is back.
      if ((error as Error).name !== "UsageError") throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Hashes of all blocks, asked for in batches that a node answers. */
async function allHashes(url: string, to: number): Promise<readonly (string | undefined)[]> {
  const hashes: (string | undefined)[] = [];
  for (let from = 0; from <= to; from += BLOCKS_PER_BATCH) {
    hashes.push(...(await blockHashes(url, from, Math.min(to, from + BLOCKS_PER_BATCH - 1))));
  }
  return hashes;
}

try {
  await network.startAll();
  const loads = network.urls.map((_, account) => keepSending(account));
  while (performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 1_000 + random.below(4_000)));
    if (random.chance(1, 10)) {
      await Promise.all(network.urls.map((_, index) => network.kill(index, "SIGKILL")));
      totalKills++;
      await network.startAll();
      continue;
    }
    const victim = random.below(validators);
    await network.kill(victim, "SIGKILL");
    kills++;
    await new Promise((resolve) => setTimeout(resolve, random.below(5_000)));
    await network.start(victim);
  }
  stopped = true;
  await Promise.all(loads);
  const heads = await Promise.all(network.urls.map((url) => blockNumber(url, "latest")));
  const target = Math.max(...heads) + 3;
  await waitUntil("all validators pass the highest head", CATCH_UP_MS, async () => {
    const now = await Promise.all(network.urls.map((url) => blockNumber(url, "finalized")));
    return Math.min(...now) >= target;
  });
  const [first, ...others] = await Promise.all(network.urls.map((url) => allHashes(url, target)));
  for (const other of others) assert.deepEqual(other, first);
  console.log(
    JSON.stringify({ soak: "passed", seed: Number(values.seed), blocks: target, kills, totalKills, sent }),
  );
} finally {
  stopped = true;
  await network.dispose();
}
