import { type Address, type Bytes, equalBytes, err, fail, ok, type Result, toHex } from "@ostrom/base";
import { type CallFrame, CallRecorder, type Receipt, type TraceBudget } from "@ostrom/execution";
import { inclusionOf, quantity, receiptToJson, transactionToJson } from "@ostrom/rpc-schema";
import { EMPTY_CODE_HASH } from "@ostrom/state";
import type { Block } from "./backend.ts";
import type { Json, JsonObject } from "./json.ts";
import { inOrder } from "./ots-messages.ts";
import { withReplay } from "./replayed-block.ts";
import type { TracedChain, TraceFailure, TraceQuery } from "./trace-port.ts";

type Answer = Result<string, TraceFailure>;

/** Blocks that one search looks through: this node has no index of addresses (the indexer beside it has one). */
export const MAX_SEARCHED_BLOCKS = 20_000;

/** A page of an account's transactions, newest first: those that it sent, that were sent to it, that created it, or of which a log names it. What
 * reached it by messages inside other transactions alone is not found. */
export function searchTransactions(
  chain: TracedChain,
  query: Extract<TraceQuery, { readonly kind: "search" }>,
): Answer {
  const { blockNumber, direction, pageSize, address } = query;
  const { latest, earliest } = chain.reads.heads();
  const isBefore = direction === "before";
  // 0 stands for the end: the newest block, or the first.
  const start = isBefore ? (blockNumber === 0 ? latest : Math.min(blockNumber - 1, latest)) : blockNumber + 1;
  const step = isBefore ? -1 : 1;
  const end = isBefore ? Math.max(earliest, 0) : latest;
  const found: { readonly block: Block; readonly entries: readonly number[] }[] = [];
  let count = 0;
  let at = start;
  for (let looked = 0; (end - at) * step >= 0 && count < pageSize; at += step, looked++) {
    if (looked >= MAX_SEARCHED_BLOCKS && count === 0) return tooFar(at);
    if (looked >= MAX_SEARCHED_BLOCKS) break;
    const block = chain.reads.block(at);
    if (block === undefined || block.transactions.length === 0) continue;
    const entries = entriesOf(chain, block, address);
    if (entries.length === 0) continue;
    found.push({ block, entries });
    count += entries.length;
  }
  const isAtEnd = (end - at) * step < 0;
  const pages = isBefore ? found : found.toReversed();
  const newestFirst = pages.flatMap(({ block, entries }) =>
    entries.toReversed().map((index) => entryJson(chain, block, index)),
  );
  const firstPage = isBefore ? blockNumber === 0 : isAtEnd;
  const lastPage = isBefore ? isAtEnd : blockNumber === 0;
  const txs = newestFirst.map(({ transaction }) => transaction);
  const receipts = newestFirst.map(({ receipt }) => receipt);
  return ok(JSON.stringify({ txs, receipts, firstPage, lastPage }));
}

function tooFar(at: number): Answer {
  return fail(
    "rpc/search-limit",
    `nothing found in ${MAX_SEARCHED_BLOCKS} blocks, and this node has no index of addresses: go on from block ${at}, or ask the indexer`,
  );
}

function entriesOf(chain: TracedChain, block: Block, address: Bytes): readonly number[] {
  const receipts = chain.reads.receipts(block.header.number) ?? [];
  const padded = new Uint8Array(32);
  padded.set(address, 12);
  return block.transactions.flatMap((transaction, index) => {
    const receipt = receipts[index];
    const isParty =
      equalBytes(transaction.sender, address) ||
      (transaction.to !== undefined && equalBytes(transaction.to, address)) ||
      (receipt?.contractAddress !== undefined && equalBytes(receipt.contractAddress, address));
    return isParty || (receipt !== undefined && isNamed(receipt, address, padded)) ? [index] : [];
  });
}

function isNamed({ logs }: Receipt, address: Bytes, padded: Bytes): boolean {
  return logs.some(
    (log) => equalBytes(log.address, address) || log.topics.some((topic) => equalBytes(topic, padded)),
  );
}

function entryJson(
  chain: TracedChain,
  { header, hash, transactions }: Block,
  index: number,
): { readonly transaction: JsonObject; readonly receipt: JsonObject } {
  const inclusion = inclusionOf(hash, header);
  const transaction = transactions[index]!;
  const receipts = chain.reads.receipts(header.number) ?? [];
  const firstLog = receipts.slice(0, index).reduce((sum, { logs }) => sum + logs.length, 0);
  const receipt = receiptToJson(receipts[index]!, transaction, inclusion, index, firstLog);
  return {
    transaction: transactionToJson(transaction, inclusion, index),
    receipt: { ...receipt, timestamp: quantity(header.timestamp) },
  };
}

/** The hash of the transaction by which an account used a nonce; null if it has not. */
export function transactionOfSender(
  chain: TracedChain,
  { address, nonce }: Extract<TraceQuery, { readonly kind: "senderNonce" }>,
): Answer {
  const { latest, earliest } = chain.reads.heads();
  for (let at = latest, looked = 0; at > 0 && at >= earliest; at--, looked++) {
    if (looked >= MAX_SEARCHED_BLOCKS) return tooFar(at);
    for (const transaction of chain.reads.block(at)?.transactions ?? []) {
      if (transaction.nonce === nonce && equalBytes(transaction.sender, address))
        return ok(JSON.stringify(toHex(transaction.hash)));
    }
  }
  return ok("null");
}

/** The transaction and the account that created a contract, `{hash, creator}`; null for an account without code and for contracts of genesis. */
export function contractCreator(chain: TracedChain, address: Bytes, budget: TraceBudget): Answer {
  const { latest, earliestState = 0 } = chain.reads.heads();
  const hasCode = (blockNumber: number): Result<boolean, TraceFailure> => {
    const view = chain.reads.stateAt(blockNumber);
    if (!view.ok) return view;
    const account = view.value.reader.account(address as Address);
    view.value.release();
    return ok(account !== undefined && !equalBytes(account.codeHash, EMPTY_CODE_HASH));
  };
  const now = hasCode(latest);
  if (!now.ok) return now;
  if (!now.value) return ok("null");
  const before = hasCode(earliestState);
  if (!before.ok) return before;
  if (before.value && earliestState === 0) return ok("null");
  if (before.value) {
    const told = `was created before block ${earliestState}, the oldest whose state this node keeps ("mode": "archive" keeps all)`;
    return fail("rpc/state-too-old", `the contract ${toHex(address)} ${told}`);
  }
  let low = earliestState;
  let high = latest;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const there = hasCode(middle);
    if (!there.ok) return there;
    if (there.value) high = middle;
    else low = middle;
  }
  return creatorIn(chain, high, address, budget);
}

function creatorIn(chain: TracedChain, blockNumber: number, address: Bytes, budget: TraceBudget): Answer {
  return withReplay(chain, blockNumber, (replay, block) => {
    for (const transaction of block.transactions) {
      const recorder = new CallRecorder({ onlyTopCall: false, withLog: false }, budget, chain.readReason);
      const { observer, watcher } = recorder;
      const applied = replay.apply(transaction, { observer, watcher, finish: () => "" });
      if (!applied.ok) return err(applied.error);
      const creation = creationOf(recorder.finish(applied.value, transaction.gasLimit), address);
      if (creation === undefined) continue;
      const answer: Json = { hash: toHex(transaction.hash), creator: toHex(creation.from) };
      return ok(JSON.stringify(answer));
    }
    return ok("null");
  });
}

function creationOf(root: CallFrame, address: Bytes): CallFrame | undefined {
  return inOrder(root).find(
    ({ frame, isUndone }) =>
      !isUndone && frame.type.startsWith("CREATE") && frame.to !== undefined && equalBytes(frame.to, address),
  )?.frame;
}
