import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EMPTY_BYTES, unwrap } from "@ostrom/base";
import { encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import {
  advanceCursors,
  BATCH_LIFETIME_BLOCKS,
  type BatchHeader,
  type CertifiedBatch,
  type Cursors,
  decodeCursors,
  encodeCursors,
} from "./index.ts";
import { headerOf } from "./testing/batches.ts";

const BLOCK = { epoch: 3, height: 500 };
const NONE: Cursors = new Map();

/** Cursors do not read certificates. */
function reference(fields: Partial<BatchHeader>): CertifiedBatch {
  return { header: headerOf(fields), signers: EMPTY_BYTES, signatures: [] };
}

function codeOf(before: Cursors, ...batches: readonly CertifiedBatch[]): string {
  const after = advanceCursors(before, BLOCK, batches);
  return after.ok ? "ok" : after.error.code;
}

test("D5: numbers ascend by author, and may leave gaps", () => {
  const before = new Map([[1, 5]]);
  const batches = [
    reference({ author: 1, sequence: 6 }),
    reference({ author: 0, sequence: 3 }),
    reference({ author: 1, sequence: 60 }),
  ];
  const after = unwrap(advanceCursors(before, BLOCK, batches));
  assert.deepEqual(
    after,
    new Map([
      [1, 60],
      [0, 3],
    ]),
  );
  assert.deepEqual(before, new Map([[1, 5]]), "what was before is as it was");
  assert.equal(codeOf(after, reference({ author: 1, sequence: 60 })), "batch/cursor");
  assert.equal(codeOf(after, reference({ author: 1, sequence: 7 })), "batch/cursor");
  assert.equal(codeOf(after, reference({ author: 1, sequence: 61 })), "ok");
});

test("D5: a number stands once in a payload, and in ascending order", () => {
  const [five, six] = [reference({ sequence: 5 }), reference({ sequence: 6 })];
  assert.equal(codeOf(NONE, five, six), "ok");
  assert.equal(codeOf(NONE, six, five), "batch/cursor");
  assert.equal(codeOf(NONE, five, five), "batch/cursor");
});

test("D4: a batch may be ordered up to its expiry height, and not more than its lifetime before", () => {
  const { height } = BLOCK;
  const code = (expiryHeight: number): string => codeOf(NONE, reference({ expiryHeight }));
  assert.equal(code(height - 1), "batch/expired");
  assert.equal(code(height), "ok");
  assert.equal(code(height + BATCH_LIFETIME_BLOCKS), "ok");
  assert.equal(code(height + BATCH_LIFETIME_BLOCKS + 1), "batch/expired");
});

test("D16: a batch of another epoch is refused, and an epoch begins without cursors", () => {
  assert.equal(codeOf(NONE, reference({ epoch: 2 })), "batch/epoch");
  assert.equal(codeOf(NONE, reference({ epoch: 4 })), "batch/epoch");
  assert.equal(codeOf(new Map([[1, 9]]), reference({ sequence: 5 })), "batch/cursor");
  assert.equal(codeOf(NONE, reference({ sequence: 5 })), "ok");
});

test("D5: whatever leaders try, no number of an author is ordered twice", () => {
  const random = createRandom(11);
  for (let round = 0; round < 100; round++) {
    let cursors: Cursors = NONE;
    const ordered = new Set<string>();
    for (let height = 1; height < 40; height++) {
      const batches = Array.from({ length: random.below(4) }, () =>
        reference({
          author: random.below(3),
          sequence: 1 + random.below(30),
          expiryHeight: height + random.below(600) - 20,
        }),
      );
      const after = advanceCursors(cursors, { epoch: 3, height }, batches);
      if (!after.ok) continue;
      cursors = after.value;
      for (const { header } of batches) {
        const name = `${header.author}/${header.sequence}`;
        assert.ok(!ordered.has(name), name);
        ordered.add(name);
      }
    }
    assert.ok(ordered.size > 0);
  }
});

test("a block without batches leaves the very same cursors", () => {
  const before = new Map([[1, 5]]);
  assert.equal(unwrap(advanceCursors(before, BLOCK, [])), before);
});

test("cursors have one encoding, whatever the order in which they came", () => {
  const one = new Map([
    [2, 7],
    [0, 1],
  ]);
  const other = new Map([
    [0, 1],
    [2, 7],
  ]);
  assert.deepEqual(encodeCursors(3, one), encodeCursors(3, other));
  assert.deepEqual(unwrap(decodeCursors(encodeCursors(3, one))), { epoch: 3, cursors: one });
  assert.deepEqual(unwrap(decodeCursors(encodeCursors(0, NONE))), { epoch: 0, cursors: NONE });
});

test("cursors in any other form are refused", () => {
  const cursor = (author: number, sequence: number): RlpItem => [rlpUint(author), rlpUint(sequence)];
  const code = (...entries: readonly RlpItem[]): string => {
    const read = decodeCursors(encodeRlp([rlpUint(3), entries]));
    return read.ok ? "ok" : read.error.code;
  };
  assert.equal(code(cursor(0, 1), cursor(2, 7)), "ok");
  assert.equal(code(cursor(2, 7), cursor(0, 1)), "rlp/non-canonical");
  assert.equal(code(cursor(2, 7), cursor(2, 8)), "rlp/non-canonical");
  assert.equal(code(cursor(2, 0)), "rlp/wrong-shape");
  assert.equal(code([rlpUint(2)]), "rlp/wrong-shape");
  assert.equal(code(EMPTY_BYTES), "rlp/wrong-shape");
  assert.ok(!decodeCursors(EMPTY_BYTES).ok);
});
