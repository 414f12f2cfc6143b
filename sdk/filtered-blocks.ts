import { type Address, addressToWord, equalBytes, hashFromWord, toHexDigits } from "@ostrom/base";
import {
  bloomMayContain,
  chainHash,
  decodeSignedTransaction,
  type SignedTransaction,
} from "@ostrom/execution";
import { accept, attemptNow, type LightResult, refuse } from "./failure.ts";
import { type JsonFields, readAddress, readArray, readCount, readFields } from "./read-json.ts";
import {
  decodeReceipt,
  type ProvedReceipt,
  readProof,
  verifyIndexProof,
  verifyWhole,
} from "./state-proof.ts";
import { readHeader, type VerifiedHeader } from "./verified-headers.ts";

/** Blocks in one answer of ostrom_getFilteredBlocks. */
const MAX_BLOCKS = 128;
const MAX_ADDRESSES = 4_096;

/** A block as an observer is shown it, every part proved under the block's hash. */
export type FilteredBlock = {
  readonly block: VerifiedHeader;
  readonly transactions: readonly FilteredTransaction[];
  /** Addresses of the filter of which the header's bloom says that they may have logs in the block, though none was shown. Blooms err, but
   * seldom: a server that often leaves some is hiding something. */
  readonly unexplained: readonly Address[];
};

export type FilteredTransaction = {
  readonly index: number;
  readonly transaction: SignedTransaction;
  readonly receipt: ProvedReceipt;
};

/** What a server answered to ostrom_getFilteredBlocks. */
export type FilteredAnswer = {
  /** What the server says that it looked for: whoever knows the filter that the chain's state has compares. */
  readonly filter: "all" | readonly Address[];
  /** In order, from the block that was asked for on; whoever checks them knows their hashes. */
  readonly blocks: readonly FilteredBlock[];
};

/** Checks an answer to ostrom_getFilteredBlocks: each header is the one of its height that is known, and each transaction and receipt is in
 * the block where it is said to be. With the filter "all" every transaction must be there; with any other, that nothing is left out nobody can
 * prove; see `unexplained`.
 * @param headers hashes known to be in the chain, of the blocks asked for, in order; the answer may have fewer blocks.
 * @param hashId of the chain's hash function.
 * Errors: `light/malformed`, `light/wrong-header`, `light/wrong-value`, `proof/...`. */
export function verifyFilteredBlocks(
  fromBlock: number,
  headers: readonly Uint8Array[],
  answer: unknown,
  hashId: number,
): LightResult<FilteredAnswer> {
  return attemptNow(() => {
    const fields = readFields(answer, "filtered blocks");
    const filter =
      fields.filter === "all"
        ? ("all" as const)
        : readArray(fields.filter, "filter", MAX_ADDRESSES).map((address) => readAddress(address, "filter"));
    const entries = readArray(fields.blocks, "blocks", Math.min(MAX_BLOCKS, headers.length));
    const blocks = entries.map((entry, at) =>
      verifyBlock(readFields(entry, "block"), { height: fromBlock + at, hash: headers[at], hashId }, filter),
    );
    return { filter, blocks };
  });
}

type KnownBlock = {
  readonly height: number;
  readonly hash: Uint8Array | undefined;
  readonly hashId: number;
};

function verifyBlock(
  fields: JsonFields,
  { height, hash, hashId }: KnownBlock,
  filter: FilteredAnswer["filter"],
): FilteredBlock {
  const block = readHeader(fields.header, height, hashId);
  if (hash === undefined || !equalBytes(block.hash, hash))
    refuse("light/wrong-header", `block ${block.header.number} is not the one that the validators certified`);
  const transactions = readArray(fields.transactions, "transactions").map((one) =>
    verifyTransaction(block, one),
  );
  if (transactions.some(({ index }, at) => at > 0 && index <= transactions[at - 1]!.index))
    refuse("light/malformed", "transactions are not in the order of the block");
  if (filter === "all") {
    const raws = transactions.map(({ transaction }) => transaction.raw);
    accept(verifyWhole(block.header.transactionsRoot, raws, "transactions", chainHash(block)));
  }
  const { logsBloom } = block.header;
  const shown = new Set(
    transactions.flatMap(({ receipt }) =>
      receipt.logs.flatMap(({ address, topics }) => [address, ...topics].map(toHexDigits)),
    ),
  );
  const unexplained = (filter === "all" ? [] : filter).filter((address) => {
    const topic = hashFromWord(addressToWord(address));
    return [address, topic].some(
      (value) => bloomMayContain(logsBloom, value) && !shown.has(toHexDigits(value)),
    );
  });
  return { block, transactions, unexplained };
}

function verifyTransaction(block: VerifiedHeader, entry: unknown): FilteredTransaction {
  const fields = readFields(entry, "transaction");
  const index = readCount(fields.index, "index");
  const { transactionsRoot, receiptsRoot } = block.header;
  const hash = chainHash(block);
  const raw = accept(verifyIndexProof(transactionsRoot, index, readProof(fields.proof, "proof"), hash));
  const bytes = accept(
    verifyIndexProof(receiptsRoot, index, readProof(fields.receiptProof, "receiptProof"), hash),
  );
  const transaction = decodeSignedTransaction(raw);
  if (!transaction.ok) return refuse("light/malformed", transaction.error.message);
  return { index, transaction: transaction.value, receipt: accept(decodeReceipt(bytes)) };
}
