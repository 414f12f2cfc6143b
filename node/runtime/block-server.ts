import { equalBytes, must, unwrap } from "@ostrom/base";
import {
  type Certificate,
  decodeBlock,
  decodeCertificate,
  MAX_RANGE_BLOCKS,
  MAX_RANGE_BYTES,
  type Message,
  type OrderedBlock,
} from "@ostrom/consensus";
import { readHead, readHeader, readOrdered, type StoreView } from "@ostrom/storage";

/** Answers a peer's block-range-request from the store: consecutive finalized blocks, as many as one answer may hold, up to one
 * that has a finalization certificate of its own. Says nothing if there is none. */
export function serveBlocks(store: StoreView, fromHeight: number, answer: (message: Message) => void): void {
  const head = must(readHead(store), "an open chain has a head").height;
  const blocks: OrderedBlock[] = [];
  let complete: { readonly count: number; readonly finalization: Certificate } | undefined;
  let bytes = 0;
  const last = Math.min(head, fromHeight + MAX_RANGE_BLOCKS - 1);
  for (let height = Math.max(1, fromHeight); height <= last; height++) {
    const record = readOrdered(store, height);
    const digest = readHeader(store, height)?.origin.orderDigest;
    if (record === undefined || digest === undefined) break;
    bytes += record.block.length;
    if (bytes > MAX_RANGE_BYTES) break;
    blocks.push(unwrap(decodeBlock(record.block)));
    const finalization = unwrap(decodeCertificate(record.finalization));
    if (equalBytes(finalization.digest, digest)) complete = { count: blocks.length, finalization };
  }
  if (complete === undefined) return;
  answer({
    kind: "block-range",
    blocks: blocks.slice(0, complete.count),
    finalization: complete.finalization,
  });
}
