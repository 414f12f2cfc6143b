import assert from "node:assert/strict";
import { test } from "node:test";
import { View } from "@ostrom/base";
import { MAX_RANGE_BLOCKS, MAX_RANGE_BYTES, type Message, verifyChainSegment } from "@ostrom/consensus";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { serveBlocks } from "./block-server.ts";
import { EpochSets } from "./epoch-sets.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";

installNativeCrypto();

type Range = Extract<Message, { kind: "block-range" }>;

/** @param finalizedAt height of the block whose finalization each block is stored with. */
async function grow(
  count: number,
  options: {
    readonly finalizedAt?: (height: number) => number;
    readonly executed?: number;
    readonly payloadBytes?: number;
  } = {},
): Promise<{ readonly chain: OrderedChain; readonly store: Store }> {
  const chain = new OrderedChain(undefined, { isSigned: count < 10 });
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 4);
  const payload = new Uint8Array(options.payloadBytes ?? 1).fill(9);
  for (let height = 1; height <= count; height++) chain.append([], { payload, view: View(3 * height) });
  for (let height = 1; height <= (options.executed ?? count); height++) {
    await executor.execute(chain.inputOf(height, options.finalizedAt?.(height) ?? height));
  }
  return { chain, store };
}

const { genesis } = new OrderedChain();

function serve(store: Store, fromHeight: number): Range | undefined {
  const answers: Message[] = [];
  serveBlocks(store, new EpochSets(store, genesis), fromHeight, (message) => answers.push(message));
  assert.ok(answers.length <= 1);
  return answers[0] as Range | undefined;
}

test("an answer is a segment that its receiver can verify", async () => {
  const { chain, store } = await grow(5);
  const range = serve(store, 3)!;
  assert.deepEqual(
    range.blocks,
    [3, 4, 5].map((height) => chain.at(height).block),
  );
  const { block, digest } = chain.at(2);
  const tip = { view: block.view, height: block.height, digest, timestampMs: block.timestampMs };
  assert.ok(verifyChainSegment(chain.domain, chain.validators, tip, range.blocks, range.finalization).ok);
});

test("it ends at a block that has a finalization of its own", async () => {
  // 4 and 5 became final through 6, which is not executed here yet.
  const finalizedAt = (height: number): number => (height >= 4 ? 6 : height);
  const { chain, store } = await grow(6, { finalizedAt, executed: 5 });
  assert.deepEqual(serve(store, 1), {
    kind: "block-range",
    blocks: [1, 2, 3].map((height) => chain.at(height).block),
    finalization: chain.finalizationOf(3),
  });
  assert.equal(serve(store, 4), undefined);
  assert.equal(serve((await grow(6, { finalizedAt })).store, 4)?.blocks.length, 3);
});

test("nothing is said of blocks that are not there", async () => {
  const { store } = await grow(3, { finalizedAt: () => 3 });
  assert.equal(serve(store, 4), undefined);
  assert.equal(serve(store, Number.MAX_SAFE_INTEGER), undefined);
  assert.equal(serve(store, 1)?.blocks.length, 3);
  assert.equal(serve(store, 0)?.blocks.length, 3, "genesis is everybody's own");
  assert.equal(serve((await grow(0)).store, 1), undefined);
});

test("an answer has at most so many blocks, and at most so many bytes", async () => {
  const many = await grow(MAX_RANGE_BLOCKS + 4);
  assert.equal(serve(many.store, 2)!.blocks.length, MAX_RANGE_BLOCKS);
  const payloadBytes = 1_000_000;
  const large = await grow(8, { payloadBytes });
  assert.equal(serve(large.store, 1)!.blocks.length, Math.floor(MAX_RANGE_BYTES / (payloadBytes + 200)));
});
