import { type Bytes, equalBytes, err, fail, must, ok, type Result, toHex } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, type RlpItem, readRlpBytes, readRlpList } from "@ostrom/codec";
import {
  type BlockReplay,
  blockOfCall,
  callHindrance,
  createTracer,
  decodeHeader,
  decodeSignedTransaction,
  type Header,
  type SignedTransaction,
  TraceBudget,
  type TraceOptions,
  TraceTooLarge,
  transactionOfCall,
} from "@ostrom/execution";
import { traceMessages } from "./ots-messages.ts";
import { contractCreator, searchTransactions, transactionOfSender } from "./ots-search.ts";
import { notReplayed, onStateAfter, skipTo, withReplay } from "./replayed-block.ts";
import { simulateBlocks } from "./simulate-blocks.ts";
import type { TracedChain, TraceFailure, TraceQuery, TraceRequest } from "./trace-port.ts";

type Answer = Result<string, TraceFailure>;

/** Answers a question by running transactions again, in this thread. @returns JSON text. */
export function runTrace(chain: TracedChain, { query, maxBytes }: TraceRequest): Answer {
  const budget = new TraceBudget(maxBytes);
  try {
    return answer(chain, query, budget);
  } catch (error) {
    if (error instanceof TraceTooLarge) return fail(error.code, error.message);
    throw error;
  }
}

function answer(chain: TracedChain, query: TraceQuery, budget: TraceBudget): Answer {
  switch (query.kind) {
    case "transaction":
      return traceOne(chain, query.blockNumber, query.index, query.options, budget);
    case "block":
      return traceBlock(chain, query.blockNumber, query.options, budget);
    case "rawBlock":
      return traceRawBlock(chain, query.raw, query.options, budget);
    case "call":
      return traceCall(chain, query, budget);
    case "messages":
      return traceMessages(chain, query, budget);
    case "creator":
      return contractCreator(chain, query.address, budget);
    case "search":
      return searchTransactions(chain, query);
    case "senderNonce":
      return transactionOfSender(chain, query);
    case "simulate":
      return simulateBlocks(chain, query, budget);
    default:
      return query satisfies never;
  }
}

function traceOne(
  chain: TracedChain,
  blockNumber: number,
  index: number,
  options: TraceOptions,
  budget: TraceBudget,
): Answer {
  return withReplay(chain, blockNumber, (replay, block) => {
    const failure = skipTo(replay, block, index);
    if (failure !== undefined) return err(failure);
    const transaction = must(block.transactions[index], "the index has this transaction");
    return traceNext(chain, replay, transaction, options, budget);
  });
}

function traceNext(
  chain: TracedChain,
  replay: BlockReplay,
  transaction: SignedTransaction,
  options: TraceOptions,
  budget: TraceBudget,
): Answer {
  const tracer = createTracer(options, budget, chain.readReason);
  const applied = replay.apply(transaction, tracer);
  return applied.ok ? ok(tracer.finish(applied.value)) : err(notReplayed(transaction, applied.error));
}

function traceBlock(
  chain: TracedChain,
  blockNumber: number,
  options: TraceOptions,
  budget: TraceBudget,
): Answer {
  return withReplay(chain, blockNumber, (replay, block) =>
    traceAll(chain, replay, block.transactions, options, budget),
  );
}

function traceAll(
  chain: TracedChain,
  replay: BlockReplay,
  transactions: readonly SignedTransaction[],
  options: TraceOptions,
  budget: TraceBudget,
): Answer {
  const traces: string[] = [];
  for (const transaction of transactions) {
    const traced = traceNext(chain, replay, transaction, options, budget);
    if (!traced.ok) return traced;
    traces.push(`{"txHash":"${toHex(transaction.hash)}","result":${traced.value}}`);
  }
  return ok(`[${traces.join(",")}]`);
}

function traceRawBlock(chain: TracedChain, raw: Bytes, options: TraceOptions, budget: TraceBudget): Answer {
  const decoded = decodeRlpWith(raw, readRawBlock);
  if (!decoded.ok) return fail("rpc/invalid-block", `could not decode block: ${decoded.error.message}`);
  const read = decoded.value;
  if (!read.ok) return read;
  const { header, transactions } = read.value;
  const parent = header.number - 1;
  const found = chain.reads.header(parent);
  if (found === undefined || !equalBytes(found.hash, header.parentHash)) {
    return fail("rpc/unknown-block", `parent ${toHex(header.parentHash)} not found`);
  }
  return onStateAfter(chain, parent, header, (replay) => {
    replay.begin();
    return traceAll(chain, replay, transactions, options, budget);
  });
}

type RawBlock = { readonly header: Header; readonly transactions: readonly SignedTransaction[] };

function readRawBlock(item: RlpItem): Result<RawBlock, TraceFailure> {
  const [headerItem, transactionItems] = readRlpList(item, "block");
  if (headerItem === undefined || transactionItems === undefined) {
    return fail(
      "rpc/invalid-block",
      "could not decode block: a block is a list of header, transactions, ...",
    );
  }
  const header = decodeHeader(encodeRlp(headerItem));
  if (!header.ok) return fail("rpc/invalid-block", `could not decode block: ${header.error.message}`);
  const transactions: SignedTransaction[] = [];
  for (const entry of readRlpList(transactionItems, "transactions")) {
    const raw = entry instanceof Uint8Array ? readRlpBytes(entry, "transaction") : encodeRlp(entry);
    const decoded = decodeSignedTransaction(raw);
    if (!decoded.ok) return fail("rpc/invalid-block", `could not decode block: ${decoded.error.message}`);
    transactions.push(decoded.value);
  }
  return ok({ header: header.value, transactions });
}

function traceCall(
  chain: TracedChain,
  query: Extract<TraceQuery, { readonly kind: "call" }>,
  budget: TraceBudget,
): Answer {
  const { blockNumber, transactionIndex, accountOverrides, blockOverride } = query;
  const header = chain.reads.header(blockNumber)?.header;
  if (header === undefined) return fail("rpc/unknown-block", `there is no block ${blockNumber}`);
  const overrides = { accountOverrides, blockOverride };
  const run = (replay: BlockReplay): Answer => traceOneCall(chain, replay, query, budget);
  if (transactionIndex === undefined) return onStateAfter(chain, blockNumber, header, run, overrides);
  return withReplay(chain, blockNumber, (replay, block) => {
    const failure = skipTo(replay, block, transactionIndex);
    if (failure !== undefined) return err(failure);
    return run(replay);
  });
}

function traceOneCall(
  chain: TracedChain,
  replay: BlockReplay,
  { request, gasCap, blockOverride, options }: Extract<TraceQuery, { readonly kind: "call" }>,
  budget: TraceBudget,
): Answer {
  const gasLimit = request.gas === undefined || request.gas > gasCap ? gasCap : request.gas;
  const { chainId } = chain.rules;
  const transaction = transactionOfCall(request, replay.state, { gasLimit, chainId });
  const hindrance = callHindrance(transaction, replay.state, replay.block, replay.fork);
  if (hindrance !== undefined) return hindrance;
  const tracer = createTracer(options, budget, chain.readReason);
  const block = blockOfCall(transaction, blockOverride.baseFeePerGas !== undefined);
  return ok(tracer.finish(replay.call(transaction, tracer, block)));
}
