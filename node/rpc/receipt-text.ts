import { toHexDigits } from "@ostrom/base";
import type { Receipt, SignedTransaction } from "@ostrom/execution";
import { type Inclusion, receiptToJson } from "@ostrom/rpc-schema";
import type { Log } from "@ostrom/state";

/** JSON text of receipts, key for key what `receiptToJson` says: written at once, because blocks have thousands of them and an
 * object of twenty fields costs several times its text. */

const EMPTY_BLOOM = "0".repeat(512);
const BLOB_TRANSACTION_TYPE = 3;

/** A block's receipts as one text, an array, and where each of them lies in it. */
export type ReceiptTexts = {
  readonly all: string;
  /** The start of each; the last entry is one behind the comma that would follow the last of them. */
  readonly starts: readonly number[];
};

/** @param firstLogIndices how many logs come before each receipt's. */
export function receiptTexts(
  receipts: readonly Receipt[],
  transactions: readonly SignedTransaction[],
  inclusion: Inclusion,
  firstLogIndices: readonly number[],
): ReceiptTexts {
  const starts: number[] = [1];
  const texts: string[] = [];
  let position = 1;
  receipts.forEach((receipt, index) => {
    const text = receiptText(receipt, transactions[index]!, inclusion, index, firstLogIndices[index]!);
    texts.push(text);
    position += text.length + 1;
    starts.push(position);
  });
  return { all: `[${texts.join(",")}]`, starts };
}

/** One of them; undefined where there are fewer. */
export function receiptTextAt({ all, starts }: ReceiptTexts, index: number): string | undefined {
  const start = starts[index];
  const next = starts[index + 1];
  return start === undefined || next === undefined ? undefined : all.slice(start, next - 1);
}

function receiptText(
  receipt: Receipt,
  transaction: SignedTransaction,
  inclusion: Inclusion,
  index: number,
  firstLogIndex: number,
): string {
  if (transaction.type === BLOB_TRANSACTION_TYPE) {
    return JSON.stringify(receiptToJson(receipt, transaction, inclusion, index, firstLogIndex));
  }
  const { blockHash, blockNumber } = inclusion;
  const { contractAddress: created, logs } = receipt;
  const { to } = transaction;
  const hash = toHexDigits(transaction.hash);
  const contractAddress = created === undefined ? "null" : `"0x${toHexDigits(created)}"`;
  const bloom = logs.length === 0 ? EMPTY_BLOOM : toHexDigits(receipt.bloom);
  const logTexts = logs.map((log, i) => logText(log, inclusion, hash, index, firstLogIndex + i)).join(",");
  return (
    `{"blockHash":"${blockHash}","blockNumber":"${blockNumber}","contractAddress":${contractAddress},` +
    `"cumulativeGasUsed":"0x${receipt.cumulativeGasUsed.toString(16)}",` +
    `"effectiveGasPrice":"0x${receipt.effectiveGasPrice.toString(16)}",` +
    `"from":"0x${toHexDigits(transaction.sender)}","gasUsed":"0x${receipt.gasUsed.toString(16)}",` +
    `"logs":[${logTexts}],"logsBloom":"0x${bloom}","status":"${receipt.succeeded ? "0x1" : "0x0"}",` +
    `"to":${to === undefined ? "null" : `"0x${toHexDigits(to)}"`},"transactionHash":"0x${hash}",` +
    `"transactionIndex":"0x${index.toString(16)}","type":"0x${receipt.type.toString(16)}"}`
  );
}

function logText(
  log: Log,
  { blockHash, blockNumber, blockTimestamp }: Inclusion,
  transactionHash: string,
  transactionIndex: number,
  logIndex: number,
): string {
  const topics = log.topics.map((topic) => `"0x${toHexDigits(topic)}"`).join(",");
  return (
    `{"address":"0x${toHexDigits(log.address)}","topics":[${topics}],"data":"0x${toHexDigits(log.data)}",` +
    `"blockNumber":"${blockNumber}","transactionHash":"0x${transactionHash}",` +
    `"transactionIndex":"0x${transactionIndex.toString(16)}","blockHash":"${blockHash}",` +
    `"blockTimestamp":"${blockTimestamp}","logIndex":"0x${logIndex.toString(16)}","removed":false}`
  );
}
