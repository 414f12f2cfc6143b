import { type Bytes, type Failure, fail, ok, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import { MAX_CERTIFICATE_SIGNERS } from "@ostrom/crypto";
import { BATCH_LIFETIME_BLOCKS, type CertifiedBatch, type Cursors } from "./types.ts";

export type ReferenceErrorCode = "batch/epoch" | "batch/cursor" | "batch/expired";

/** What a block's references do to the cursors before it (rule D5): each exceeds its author's, so nothing is ordered twice and a repetition costs
 * one comparison.
 * @param before of the blocks that it builds on, of the same epoch.
 * Errors: `batch/epoch`, `batch/cursor` (not above it), `batch/expired` (past its height, or made for one too far ahead). */
export function advanceCursors(
  before: Cursors,
  block: { readonly epoch: number; readonly height: number },
  batches: readonly CertifiedBatch[],
): Result<Cursors, Failure<ReferenceErrorCode>> {
  if (batches.length === 0) return ok(before);
  const after = new Map(before);
  for (const { header } of batches) {
    const { author, sequence, expiryHeight } = header;
    if (header.epoch !== block.epoch)
      return fail("batch/epoch", `a batch of epoch ${header.epoch} in a block of epoch ${block.epoch}`);
    if (sequence <= (after.get(author) ?? 0))
      return fail("batch/cursor", `batch ${sequence} of author ${author} is not above the cursor`);
    if (expiryHeight < block.height || expiryHeight > block.height + BATCH_LIFETIME_BLOCKS)
      return fail(
        "batch/expired",
        `batch ${sequence} of author ${author} is for blocks up to ${expiryHeight}`,
      );
    after.set(author, sequence);
  }
  return ok(after);
}

/** [epoch, [author, sequence], ...] in ascending order of authors. */
export function encodeCursors(epoch: number, cursors: Cursors): Bytes {
  const entries = [...cursors].sort(([a], [b]) => a - b);
  return encodeRlp([
    rlpUint(epoch),
    entries.map(([author, sequence]) => [rlpUint(author), rlpUint(sequence)]),
  ]);
}

/** Two items and their list for each validator that there may be. */
const MAX_CURSOR_ITEMS = 3 + 3 * MAX_CERTIFICATE_SIGNERS;

/** Errors: those of decodeRlpWith; `rlp/non-canonical` where authors do not ascend. */
export function decodeCursors(
  bytes: Bytes,
): Result<{ readonly epoch: number; readonly cursors: Cursors }, Failure<RlpErrorCode>> {
  return decodeRlpWith(
    bytes,
    (item) => {
      const [epoch, entries] = readRlpList(item, "cursors", 2);
      const cursors = new Map<number, number>();
      let previous = -1;
      for (const entry of readRlpList(entries, "entries")) {
        const [authorItem, sequenceItem] = readRlpList(entry, "cursor", 2);
        const author = readRlpCount(authorItem, "author");
        const sequence = readRlpCount(sequenceItem, "sequence");
        if (author <= previous) throw new RlpError("rlp/non-canonical", "authors must ascend");
        if (sequence === 0) throw new RlpError("rlp/wrong-shape", "sequence numbers begin with 1");
        cursors.set(author, sequence);
        previous = author;
      }
      return { epoch: readRlpCount(epoch, "epoch"), cursors };
    },
    MAX_CURSOR_ITEMS,
  );
}
