import { type Bytes, type Hash, toHex, toHexDigits } from "@ostrom/base";
import {
  chainHash,
  encodeHeader,
  encodeReceipt,
  type Receipt,
  recoverAuthority,
  type SignedTransaction,
} from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import type { TrieHash } from "@ostrom/state";
import type { ObserverFilter } from "./access-roles.ts";
import type { ReadBlock } from "./block-reader.ts";
import { countOrNumber } from "./decode.ts";
import { indexTrie, proveIndex } from "./index-proof.ts";
import type { Json } from "./json.ts";
import { defineMethod, type Method, type RequestContext, required } from "./method.ts";
import { limitExceeded, RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";

/** Blocks in one answer. */
export const MAX_FILTERED_BLOCKS = 128;
/** Characters of an answer after which no further block is begun; who asks goes on from the next one. */
const ENOUGH_CHARACTERS: number = 8 * 1024 * 1024;
/** Longer than this without a break, and other clients would notice. */
const SLICE_MS = 8;
const ADDRESS_PADDING_BYTES = 12;

/** What read-only observers follow a chain by: the server shows each of them what concerns its addresses, and no more. */
export const filteredBlockMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getFilteredBlocks",
    summary:
      `Headers of blocks, both ends included, with the transactions, receipts and logs that concern the addresses of the caller's filter, which the chain's state ` +
      `fixes, and Merkle proofs of them. At most ${MAX_FILTERED_BLOCKS} blocks; an answer may end earlier.`,
    parameters: [required("fromBlock", countOrNumber), required("toBlock", countOrNumber)],
    returns:
      "{filter: all | [address], blocks: [{header, certificate, transactions: [{index, proof, receiptProof}]}]}: header's RLP, the state certificate of " +
      "the block if this node keeps it, proofs in transactionsRoot and receiptsRoot, whose last nodes hold transaction and receipt",
    run: (context, from, to) => filteredBlocks(context, from, to),
  }),
];

async function filteredBlocks(context: RequestContext, from: number, to: number): Promise<Json> {
  const { access, session, blocks, backend, deadlineMs } = context;
  const filter = access.filterOf(session.caller);
  // The dispatcher lets nobody come here without one.
  if (filter === undefined) throw new RpcError(RPC_ERROR.unauthorized, "this account observes nothing");
  if (to < from) throw serverError("toBlock must not be below fromBlock");
  if (to - from >= MAX_FILTERED_BLOCKS)
    throw limitExceeded(`too many blocks (max ${MAX_FILTERED_BLOCKS})`, MAX_FILTERED_BLOCKS);
  const concerns = concernOf(filter);
  const hash = chainHash(backend.info.rules);
  const found: Json[] = [];
  let characters = 0;
  let sliceStart = performance.now();
  for (let number = from; number <= to && characters < ENOUGH_CHARACTERS; number++) {
    const block = blocks.byNumber(number);
    if (block === undefined) break;
    const certificate = backend.light?.certificateFrom(number);
    const isOfBlock = certificate !== undefined && certificate.height === number;
    const header = toHex(encodeHeader(block.header));
    const transactions = proveWanted(block, concerns, hash);
    characters += header.length + transactions.characters;
    found.push({
      header,
      certificate: isOfBlock ? toHex(certificate.bytes) : null,
      transactions: transactions.proved,
    });
    const now = performance.now();
    if (now > deadlineMs) throw new RpcError(RPC_ERROR.timeout, "request timed out: ask for fewer blocks");
    if (now - sliceStart < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
  return { filter: filter === "all" ? "all" : filter.map(toHex), blocks: found };
}

type Concern = (transaction: SignedTransaction, receipt: Receipt) => boolean;

/** A transaction concerns an address that sends it, is called by it, is made by it, signs an authorization in it, writes a log, or stands
 * in a log's topics. What contracts do within a call without a log leaves no trace in a receipt. */
function concernOf(filter: ObserverFilter): Concern {
  if (filter === "all") return () => true;
  const addresses = new Set(filter.map(toHexDigits));
  const has = (address: Bytes | undefined): boolean =>
    address !== undefined && addresses.has(toHexDigits(address));
  const isTopic = (topic: Hash): boolean =>
    topic.subarray(0, ADDRESS_PADDING_BYTES).every((byte) => byte === 0) &&
    has(topic.subarray(ADDRESS_PADDING_BYTES));
  return (transaction, receipt) =>
    has(transaction.sender) ||
    has(transaction.to) ||
    transaction.authorizations.some((authorization) => has(recoverAuthority(authorization))) ||
    has(receipt.contractAddress) ||
    receipt.logs.some(({ address, topics }) => has(address) || topics.some(isTopic));
}

function proveWanted(
  block: ReadBlock,
  concerns: Concern,
  hash: TrieHash,
): { readonly proved: readonly Json[]; readonly characters: number } {
  if (block.transactions.length === 0) return { proved: [], characters: 0 };
  const receipts = block.receipts();
  const wanted = block.transactions.flatMap((transaction, index) =>
    concerns(transaction, receipts[index]!) ? [index] : [],
  );
  if (wanted.length === 0) return { proved: [], characters: 0 };
  const transactionTrie = indexTrie(
    block.transactions.map(({ raw }) => raw),
    hash,
  );
  const receiptTrie = indexTrie(receipts.map(encodeReceipt), hash);
  let characters = 0;
  const shown = (nodes: readonly Bytes[]): readonly string[] => {
    const texts = nodes.map(toHex);
    characters += texts.reduce((sum, text) => sum + text.length, 0);
    return texts;
  };
  const proved = wanted.map((index) => ({
    index: quantity(index),
    proof: shown(proveIndex(transactionTrie, index)),
    receiptProof: shown(proveIndex(receiptTrie, index)),
  }));
  return { proved, characters };
}
