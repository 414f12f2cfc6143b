import { type Bytes, EMPTY_BYTES, equalBytes, type Failure, fail, must, ok, type Result } from "@ostrom/base";
import {
  chainHash,
  decodeSignedTransaction,
  decodeStoredReceipts,
  effectiveGasPrice,
  encodeReceipt,
  encodeStoredReceipts,
  type Header,
  type Receipt,
  type SignedTransaction,
} from "@ostrom/execution";
import { orderedTrieRoot } from "@ostrom/state";
import { readBody, readReceipts, type StoreView } from "@ostrom/storage";
import { createAddress } from "@ostrom/vm";

/** A longer body stays where it is: an answer is one frame. */
const MAX_PIN_BODY_BYTES = 6 * 1024 * 1024;

/** Transactions and receipts of the pinned block, as they are sent. */
export type PinnedBody = { readonly transactions: readonly Bytes[]; readonly receipts: Bytes };

/** What they are, once they were proved. */
export type AdoptedBody = {
  readonly transactions: readonly SignedTransaction[];
  readonly receipts: readonly Receipt[];
};

/** @returns undefined for one that is too long, or not kept. */
export function servedBody(view: StoreView, height: number): PinnedBody | undefined {
  const transactions = readBody(view, height);
  const read = readReceipts(view, height);
  if (transactions === undefined || read === undefined) return undefined;
  const receipts = encodeStoredReceipts(read);
  const bytes = transactions.reduce((sum, { raw }) => sum + raw.length, receipts.length);
  return bytes > MAX_PIN_BODY_BYTES
    ? undefined
    : { transactions: transactions.map(({ raw }) => raw), receipts };
}

/** Checks transactions and receipts against the roots of a header that is trusted; what receipts say besides follows from both.
 * @param hashId of the chain's tries. Errors: `snapshot/bad-body`. */
export function verifyBody(
  hashId: number,
  header: Header,
  body: PinnedBody,
): Result<AdoptedBody, Failure<"snapshot/bad-body">> {
  const hash = chainHash({ hashId });
  const bad = (message: string) => fail("snapshot/bad-body" as const, message);
  if (!equalBytes(orderedTrieRoot(body.transactions, hash), header.transactionsRoot))
    return bad("the block has other transactions");
  const receipts = decodeStoredReceipts(body.receipts);
  if (!receipts.ok) return bad(receipts.error.message);
  if (!equalBytes(orderedTrieRoot(receipts.value.map(encodeReceipt), hash), header.receiptsRoot))
    return bad("the block has other receipts");
  if (receipts.value.length !== body.transactions.length) return bad("not each transaction has one receipt");
  const transactions: SignedTransaction[] = [];
  let gasBefore = 0n;
  for (const [index, raw] of body.transactions.entries()) {
    const transaction = decodeSignedTransaction(raw);
    if (!transaction.ok) return bad(transaction.error.message);
    const receipt = must(receipts.value[index], "there are as many receipts");
    if (!isReceiptOf(transaction.value, receipt, header, gasBefore))
      return bad(`receipt ${index} says what does not follow from its transaction`);
    gasBefore = receipt.cumulativeGasUsed;
    transactions.push(transaction.value);
  }
  return ok({ transactions, receipts: receipts.value });
}

/** Whether what the receipts trie does not hold is right: gas used, price, and the contract that was made. */
function isReceiptOf(
  transaction: SignedTransaction,
  receipt: Receipt,
  { baseFeePerGas }: Header,
  gasBefore: bigint,
): boolean {
  const { sender, nonce, to } = transaction;
  const created = to === undefined ? createAddress(sender, nonce) : undefined;
  return (
    receipt.gasUsed === receipt.cumulativeGasUsed - gasBefore &&
    receipt.effectiveGasPrice === effectiveGasPrice(transaction, baseFeePerGas) &&
    equalBytes(receipt.contractAddress ?? EMPTY_BYTES, created ?? EMPTY_BYTES)
  );
}
