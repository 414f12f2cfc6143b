import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EMPTY_BYTES, type Random } from "@ostrom/base";
import { MAX_PAYLOAD_TRANSACTIONS } from "@ostrom/execution";
import {
  advanceCursors,
  BATCH_LIFETIME_BLOCKS,
  type BatchHeader,
  type BatchRoom,
  type CertifiedBatch,
  type Cursors,
  referenceLength,
  selectBatches,
} from "./index.ts";
import { certify, headerOf } from "./testing/batches.ts";

const NONE: Cursors = new Map();
const AMPLE: BatchRoom = { epoch: 3, height: 500, gas: 10n ** 12n, bytes: 1e9, count: 256 };

/** Selection does not read certificates, but for their length. */
function batch(fields: Partial<BatchHeader>): CertifiedBatch {
  return { header: headerOf(fields), signers: Uint8Array.of(3), signatures: [EMPTY_BYTES, EMPTY_BYTES] };
}

/** Batches 1 to `count` of each of these authors. */
function waiting(authors: readonly number[], count: number): Map<number, CertifiedBatch[]> {
  return new Map(
    authors.map((author) => [
      author,
      Array.from({ length: count }, (_, index) => batch({ author, sequence: index + 1 })),
    ]),
  );
}

function namesOf(batches: readonly CertifiedBatch[]): readonly string[] {
  return batches.map(({ header }) => `${header.author}/${header.sequence}`);
}

test("authors take turns, from the one whose turn it is", () => {
  const all = waiting([3, 0, 2], 2);
  assert.deepEqual(namesOf(selectBatches(all, NONE, AMPLE, 0)), ["0/1", "2/1", "3/1", "0/2", "2/2", "3/2"]);
  assert.deepEqual(namesOf(selectBatches(all, NONE, AMPLE, 1)), ["2/1", "3/1", "0/1", "2/2", "3/2", "0/2"]);
  assert.deepEqual(namesOf(selectBatches(all, NONE, { ...AMPLE, count: 2 }, 3)), ["3/1", "0/1"]);
  assert.deepEqual(namesOf(selectBatches(all, NONE, { ...AMPLE, count: 1 }, 9)), ["0/1"]);
});

test("what is at or below a cursor is not chosen", () => {
  assert.deepEqual(namesOf(selectBatches(waiting([1], 4), new Map([[1, 2]]), AMPLE, 0)), ["1/3", "1/4"]);
});

test("D5: after a batch that does not fit, no later one of its author is chosen, and others' are", () => {
  const all = new Map([
    [0, [batch({ author: 0, sequence: 1, gasLimit: 10n ** 13n }), batch({ author: 0, sequence: 2 })]],
    [1, [batch({ author: 1, sequence: 1 }), batch({ author: 1, sequence: 2 })]],
  ]);
  assert.deepEqual(namesOf(selectBatches(all, NONE, AMPLE, 0)), ["1/1", "1/2"]);
});

test("D7: of two certified batches of one number only one is chosen", () => {
  const twins = [batch({ sequence: 5 }), batch({ sequence: 5, expiryHeight: 599 }), batch({ sequence: 6 })];
  assert.deepEqual(namesOf(selectBatches(new Map([[1, twins]]), NONE, AMPLE, 0)), ["1/5", "1/6"]);
});

test("D4: what the block may not refer to is not chosen: expired, too far ahead, or of another epoch", () => {
  const { height } = AMPLE;
  const some = [
    batch({ sequence: 1, expiryHeight: height - 1 }),
    batch({ sequence: 2, expiryHeight: height }),
    batch({ sequence: 3, expiryHeight: height + BATCH_LIFETIME_BLOCKS }),
    batch({ sequence: 4, expiryHeight: height + BATCH_LIFETIME_BLOCKS + 1 }),
    batch({ sequence: 5, epoch: 2 }),
  ];
  assert.deepEqual(namesOf(selectBatches(new Map([[1, some]]), NONE, AMPLE, 0)), ["1/2", "1/3"]);
});

test("a payload is never given more transactions than it may have", () => {
  const all = new Map([
    [1, Array.from({ length: 40 }, (_, index) => batch({ sequence: index + 1, count: 1_024 }))],
  ]);
  const count = (batches: readonly CertifiedBatch[]): number =>
    batches.reduce((sum, { header }) => sum + header.count, 0);
  assert.equal(count(selectBatches(all, NONE, AMPLE, 0)), MAX_PAYLOAD_TRANSACTIONS);
  assert.equal(count(selectBatches(all, NONE, { ...AMPLE, transactions: 5_000 }, 0)), 4_096);
});

test("references fit the bytes that are left in the payload", () => {
  const certified = certify(headerOf({ sequence: 1 }));
  const length = referenceLength(certified);
  const all = new Map([[1, [certified, certify(headerOf({ sequence: 2 }))]]]);
  for (const [payloadBytes, count] of [
    [length - 1, 0],
    [length, 1],
    [2 * length - 1, 1],
    [2 * length, 2],
  ] as const)
    assert.equal(selectBatches(all, NONE, { ...AMPLE, payloadBytes }, 0).length, count);
});

function randomWaiting(random: Random): Map<number, CertifiedBatch[]> {
  const all = new Map<number, CertifiedBatch[]>();
  for (let author = 0; author < 5; author++) {
    if (random.chance(1, 4)) continue;
    let sequence = 0;
    const batches = Array.from({ length: random.below(8) }, () => {
      sequence += random.below(3);
      return batch({
        author,
        sequence: Math.max(1, sequence),
        gasLimit: BigInt(random.below(1_000_000)),
        byteLength: 1 + random.below(1_000),
        count: 1 + random.below(1_000),
        expiryHeight: random.chance(1, 8) ? random.below(2_000) : 600,
      });
    });
    all.set(author, batches);
  }
  return all;
}

test("whatever waits: no room is exceeded, cursors take what is chosen, and no author is a batch behind one that had less before it", () => {
  const random = createRandom(21);
  for (let round = 0; round < 1_000; round++) {
    const all = randomWaiting(random);
    const cursors = new Map([[random.below(5), random.below(5)]]);
    const room: BatchRoom = {
      epoch: 3,
      height: 500,
      gas: BigInt(random.below(6_000_000)),
      bytes: random.below(8_000),
      count: random.below(20),
      transactions: random.below(8_000),
      payloadBytes: random.below(2_000),
    };
    const firstAuthor = random.below(6);
    const chosen = selectBatches(all, cursors, room, firstAuthor);
    const sum = (of: (header: BatchHeader) => number): number =>
      chosen.reduce((total, { header }) => total + of(header), 0);
    assert.ok(sum(({ gasLimit }) => Number(gasLimit)) <= room.gas);
    assert.ok(sum(({ byteLength }) => byteLength) <= room.bytes);
    assert.ok(sum(({ count }) => count) <= room.transactions!);
    assert.ok(chosen.reduce((total, each) => total + referenceLength(each), 0) <= room.payloadBytes!);
    assert.ok(chosen.length <= room.count);
    assert.ok(advanceCursors(cursors, { epoch: 3, height: 500 }, chosen).ok);
    assert.deepEqual(selectBatches(all, cursors, room, firstAuthor), chosen);
    assertTurns(chosen);
  }
});

/** In the n-th turn all have had n - 1 batches, or none any more. */
function assertTurns(chosen: readonly CertifiedBatch[]): void {
  const taken = new Map<number, number>();
  let turn = 0;
  for (const { header } of chosen) {
    const nth = (taken.get(header.author) ?? 0) + 1;
    taken.set(header.author, nth);
    assert.ok(nth >= turn, "an author had a turn after the next one had begun");
    turn = nth;
  }
}
