import { assert, equalBytes, must, toHexDigits, unwrap } from "@ostrom/base";
import { decodeBlock } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { type ChainRules, decodePayload, nextBaseFee, type Skipped } from "@ostrom/execution";
import { readUndo } from "@ostrom/state";
import { readBody, readHead, readHeader, readSkipped, type StoreView } from "@ostrom/storage";
import type { ExecutionReport, OrderedInput } from "./execution-port.ts";

/** Reads what came of the newest block of a store: the executor that wrote it has died before it could tell.
 * `changed` is empty if no reverse differences are kept. */
export function recallReport(store: StoreView, input: OrderedInput, rules: ChainRules): ExecutionReport {
  const { height, view, epoch, orderDigest } = input;
  assert(readHead(store)?.height === height, "only the newest block is recalled");
  const { header, hash, origin } = must(readHeader(store, height), "the head's header is stored");
  assert(equalBytes(origin.orderDigest, orderDigest), "the newest block is the one that was to be executed");
  const body = must(readBody(store, height), "the head's body is stored");
  return {
    height,
    view,
    epoch,
    orderDigest,
    executedHash: hash,
    nextSetHash: origin.nextSetHash,
    nextBaseFee: nextBaseFee(header, rules),
    gasUsed: header.gasUsed,
    included: body.map((transaction) => transaction.hash),
    skipped: skippedIn(store, input),
    changed: (readUndo(store, height)?.accounts ?? []).map(({ address }) => toHexDigits(address)),
  };
}

function skippedIn(store: StoreView, { height, orderedBlock }: OrderedInput): readonly Skipped[] {
  const payload = decodePayload(unwrap(decodeBlock(orderedBlock)).payload);
  const skipped: Skipped[] = [];
  for (const raw of payload.ok ? payload.value : []) {
    const hash = keccak256(raw);
    const stored = readSkipped(store, hash);
    if (stored?.height === height) skipped.push({ hash, reason: stored.reason });
  }
  return skipped;
}
