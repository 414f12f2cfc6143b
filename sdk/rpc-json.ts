import { type Bytes, toHex } from "@ostrom/base";
import { encodeBlock, type SignedTransaction } from "@ostrom/execution";
import {
  blockToJson,
  type Inclusion,
  inclusionOf,
  type JsonObject,
  logToJson,
  receiptToJson,
  transactionToJson,
} from "@ostrom/rpc-schema";
import type { ProvedLog, ProvedOutcome } from "./reads.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** What proved values look like in JSON-RPC: as a node writes them. */

/** @param transactions hashes, or whole ones as JSON. @param raws the same, as bytes: they tell the block's size. */
export function blockJson(
  { hash, header }: VerifiedHeader,
  raws: readonly Bytes[],
  transactions: readonly (string | JsonObject)[],
): JsonObject {
  return blockToJson(hash, header, encodeBlock(header, raws).length, transactions);
}

/** A transaction in a block. */
export function transactionJson(
  transaction: SignedTransaction,
  block: VerifiedHeader,
  index: number,
): JsonObject {
  return transactionToJson(transaction, placeOf(block), index);
}

export function receiptJson({
  block,
  index,
  transaction,
  receipt,
  firstLogIndex,
}: ProvedOutcome): JsonObject {
  return receiptToJson(receipt, transaction, placeOf(block), index, firstLogIndex);
}

export function logJson({ block, transactionHash, transactionIndex, logIndex, log }: ProvedLog): JsonObject {
  return logToJson(log, placeOf(block), toHex(transactionHash), transactionIndex, logIndex);
}

function placeOf({ hash, header }: VerifiedHeader): Inclusion {
  return inclusionOf(hash, header);
}
