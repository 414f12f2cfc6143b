import { assert, toHex } from "@ostrom/base";
import { blockToJson, transactionToJson } from "@ostrom/rpc-schema";
import type { ReadBlock } from "./block-reader.ts";
import { type ReceiptTexts, receiptTexts } from "./receipt-text.ts";

/** What clients ask of a block again and again, as JSON text, each made when it is first asked for. */
export type BlockTexts = {
  /** The block with its transactions' hashes. */
  readonly brief: () => string;
  /** The block with its whole transactions. */
  readonly full: () => string;
  readonly receipts: () => ReceiptTexts;
};

/** @param onText told how many characters a new text has, which is kept as long as the block. */
export function createBlockTexts(
  block: Omit<ReadBlock, "texts">,
  onText: (length: number) => void,
): BlockTexts {
  let brief: string | undefined;
  let full: string | undefined;
  let receipts: ReceiptTexts | undefined;
  const noted = (text: string): string => {
    onText(text.length);
    return text;
  };
  return {
    brief: () => {
      brief ??= noted(blockText(block, false));
      return brief;
    },
    full: () => {
      full ??= noted(blockText(block, true));
      return full;
    },
    receipts: () => {
      if (receipts !== undefined) return receipts;
      receipts = receiptTexts(block.receipts(), block.transactions, block.inclusion, block.firstLogIndices());
      noted(receipts.all);
      assert(receipts.starts.length === block.transactions.length + 1, "each transaction has a receipt");
      return receipts;
    },
  };
}

function blockText(block: Omit<ReadBlock, "texts">, isFull: boolean): string {
  const transactions = block.transactions.map((transaction, index) =>
    isFull ? transactionToJson(transaction, block.inclusion, index) : toHex(transaction.hash),
  );
  return JSON.stringify(blockToJson(block.hash, block.header, block.size(), transactions));
}
