import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, hashFromWord } from "@ostrom/base";
import type { Header } from "@ostrom/execution";
import type { BlockRecord } from "@ostrom/rpc";
import { BlockRecorder } from "./block-recorder.ts";
import { createViewReads } from "./view-reads.ts";

const hashOf = (height: number, branch: number = 0) => hashFromWord(BigInt(height * 100 + branch));

function recorder(): {
  readonly blocks: BlockRecorder;
  readonly read: () => readonly BlockRecord[];
  now: number;
} {
  const clock = { now: 0 };
  const blocks = new BlockRecorder("pow", hashOf(0), {
    nowMs: () => 1_000 + clock.now,
    elapsedMs: () => clock.now,
  });
  const reads = createViewReads(() => blocks.page);
  return Object.assign(clock, {
    blocks,
    read: () => reads.read(1, 5_000).filter((record) => record.engine !== "simplex"),
  });
}

const mined = { coinbase: addressFromHex(`0x${"ab".repeat(20)}`), difficulty: 12_345n };

test("block recorder: a reorganisation leaves what was taken off, with its header, beside what took its place", () => {
  const recorded = recorder();
  const { blocks, read } = recorded;
  const add = (height: number, branch: number): void =>
    blocks.executed({ height, hash: hashOf(height, branch), transactions: height, gasUsed: 21_000n });
  add(1, 0);
  add(2, 0);
  recorded.now = 7;
  blocks.unwound(hashOf(2), { ...mined, number: 2, parentHash: hashOf(1) } as Header);
  add(2, 1);
  recorded.now = 9;
  blocks.finalized(1);
  assert.deepEqual(
    read().map(({ height, hash, parentHash, unwound, finalized, startedAtMs }) => [
      height,
      hash,
      parentHash,
      unwound,
      finalized,
      startedAtMs,
    ]),
    [
      [1, hashOf(1), hashOf(0), undefined, 9, 1_000],
      [2, hashOf(2), hashOf(1), 7, undefined, 1_000],
      [2, hashOf(2, 1), hashOf(1), undefined, undefined, 1_007],
    ],
  );
  assert.deepEqual(read()[1]?.mined, mined);
  assert.equal(read()[0]?.mined, undefined);
});

test("block recorder: records are bounded", () => {
  const { blocks, read } = recorder();
  for (let height = 1; height <= 3_000; height++)
    blocks.executed({ height, hash: hashOf(height), transactions: 0, gasUsed: 0n });
  assert.equal(read().length, blocks.page.capacity);
  assert.equal(read().at(-1)?.height, 3_000);
  blocks.finalized(3_000);
  assert.ok(read().every(({ finalized }) => finalized === 0));
});
