import { equalBytes, must, unwrap } from "@ostrom/base";
import {
  decodeBlock,
  decodeCertificate,
  decodeSealProof,
  MAX_RANGE_BLOCKS,
  MAX_RANGE_BYTES,
  type Message,
  type OrderedBlock,
} from "@ostrom/consensus";
import { readHead, readHeader, readOrdered, readSealProof, type StoreView } from "@ostrom/storage";
import type { EpochSets } from "./epoch-sets.ts";

type Range = Pick<Extract<Message, { kind: "block-range" }>, "blocks" | "finalization">;

/** Answers a peer's block-range-request from the store: consecutive finalized blocks of one epoch, as many as one answer may hold, up
 * to one that has a finalization certificate of its own. The last block of an epoch may have none: then the sealing blocks that made it
 * final follow it. Where none of as many as one answer may hold has one: all of them, with the certificate of the next descendant that has. */
export function serveBlocks(
  store: StoreView,
  sets: EpochSets,
  fromHeight: number,
  answer: (message: Message) => void,
): void {
  const head = must(readHead(store), "an open chain has a head").height;
  const first = Math.max(1, fromHeight);
  const { epoch, lastHeight } = sets.bounds(sets.epochOf(first));
  const blocks: OrderedBlock[] = [];
  let complete: Range | undefined;
  let begun: Range | undefined;
  let bytes = 0;
  const last = Math.min(head, lastHeight, first + MAX_RANGE_BLOCKS - 1);
  for (let height = first; height <= last; height++) {
    const record = readOrdered(store, height);
    const digest = readHeader(store, height)?.origin.orderDigest;
    if (record === undefined || digest === undefined) break;
    bytes += record.block.length;
    if (bytes > MAX_RANGE_BYTES) break;
    blocks.push(unwrap(decodeBlock(record.block)));
    const finalization = unwrap(decodeCertificate(record.finalization));
    if (equalBytes(finalization.digest, digest)) complete = { blocks: [...blocks], finalization };
    else if (height === lastHeight) complete = sealed(store, epoch, blocks) ?? complete;
    else begun = { blocks: [...blocks], finalization };
  }
  // What the head cuts off ends sooner or later at a block with a finalization of its own.
  const isFull = bytes > MAX_RANGE_BYTES || blocks.length === MAX_RANGE_BLOCKS;
  const range = complete ?? (isFull ? begun : undefined);
  if (range !== undefined) answer({ kind: "block-range", ...range });
}

/** The blocks up to an epoch's last one and what made it final. */
function sealed(store: StoreView, epoch: number, blocks: readonly OrderedBlock[]): Range | undefined {
  const stored = readSealProof(store, epoch);
  if (stored === undefined) return undefined;
  const { sealing, finalization } = unwrap(decodeSealProof(stored));
  return { blocks: [...blocks, ...sealing], finalization };
}
