import { type Address, toHex, toHexDigits, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  type AccessListEntry,
  type AgileFields,
  type Authorization,
  effectiveGasPrice,
  type Header,
  type Receipt,
  type SignedTransaction,
} from "@ostrom/execution";
import type { Log } from "@ostrom/state";
import type { JsonObject } from "./json.ts";

/** JSON of blocks, transactions, receipts and logs, with the keys and encodings of Ethereum's execution-apis (schemas
 * Block, TransactionInfo, ReceiptInfo, Log). Quantities have no leading zeros, data have two digits a byte. */

/** A number as a "quantity": 0x and the shortest hex digits. */
export function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** A 256-bit word with all its 64 digits. */
export function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

/** EIP-55: the letters' case is a checksum. */
export function checksumAddress(address: Address): string {
  const digits = toHexDigits(address);
  const hash = toHexDigits(keccak256(utf8(digits)));
  let text = "0x";
  for (let i = 0; i < digits.length; i++) {
    text += hash.charCodeAt(i) >= "8".charCodeAt(0) ? digits[i]!.toUpperCase() : digits[i]!;
  }
  return text;
}

/** Where something was included, in the words that all its JSON repeats. */
export type Inclusion = {
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly blockTimestamp: string;
  readonly baseFeePerGas: bigint;
};

export function inclusionOf(hash: Uint8Array, header: Header): Inclusion {
  return {
    blockHash: toHex(hash),
    blockNumber: quantity(header.number),
    blockTimestamp: quantity(header.timestamp),
    baseFeePerGas: header.baseFeePerGas,
  };
}

/** @param size of the block's RLP in bytes; @param transactions hashes or whole ones. */
export function blockToJson(
  hash: Uint8Array,
  header: Header,
  size: number,
  transactions: readonly (string | JsonObject)[],
): JsonObject {
  return {
    ...headerToJson(hash, header),
    size: quantity(size),
    transactions,
    uncles: [],
    withdrawals: [],
  };
}

/** A block without its body: what a newHeads subscription sends. */
export function headerToJson(hash: Uint8Array, header: Header): JsonObject {
  return {
    baseFeePerGas: quantity(header.baseFeePerGas),
    blobGasUsed: quantity(header.blobGasUsed),
    difficulty: quantity(header.difficulty),
    excessBlobGas: quantity(header.excessBlobGas),
    extraData: toHex(header.extraData),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    hash: toHex(hash),
    logsBloom: toHex(header.logsBloom),
    miner: toHex(header.coinbase),
    mixHash: toHex(header.prevRandao),
    nonce: toHex(header.nonce),
    number: quantity(header.number),
    parentBeaconBlockRoot: toHex(header.parentBeaconBlockRoot),
    parentHash: toHex(header.parentHash),
    receiptsRoot: toHex(header.receiptsRoot),
    ...(header.requestsHash === undefined ? {} : { requestsHash: toHex(header.requestsHash) }),
    sha3Uncles: toHex(header.ommersHash),
    stateRoot: toHex(header.stateRoot),
    timestamp: quantity(header.timestamp),
    transactionsRoot: toHex(header.transactionsRoot),
    withdrawalsRoot: toHex(header.withdrawalsRoot),
  };
}

/** A transaction in a block. */
export function transactionToJson(
  transaction: SignedTransaction,
  inclusion: Inclusion,
  index: number,
): JsonObject {
  return {
    blockHash: inclusion.blockHash,
    blockNumber: inclusion.blockNumber,
    blockTimestamp: inclusion.blockTimestamp,
    ...transactionFields(
      transaction,
      quantity(index),
      effectiveGasPrice(transaction, inclusion.baseFeePerGas),
    ),
  };
}

/** A transaction that waits in the pool. */
export function pendingTransactionToJson(transaction: SignedTransaction): JsonObject {
  return {
    blockHash: null,
    blockNumber: null,
    blockTimestamp: null,
    ...transactionFields(transaction, null, transaction.maxFeePerGas),
  };
}

function transactionFields(
  transaction: SignedTransaction,
  transactionIndex: string | null,
  gasPrice: bigint,
): JsonObject {
  return {
    from: toHex(transaction.sender),
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(gasPrice),
    ...feeFields(transaction),
    hash: toHex(transaction.hash),
    input: toHex(transaction.data),
    nonce: quantity(transaction.nonce),
    to: transaction.to === undefined ? null : toHex(transaction.to),
    transactionIndex,
    value: quantity(transaction.value),
    type: quantity(transaction.type),
    ...envelopeFields(transaction),
    ...signatureFields(transaction),
  };
}

function feeFields(transaction: SignedTransaction): JsonObject {
  if (transaction.type < 2) return {};
  return {
    maxFeePerGas: quantity(transaction.maxFeePerGas),
    maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
    ...(transaction.type === 3 ? { maxFeePerBlobGas: quantity(transaction.maxFeePerBlobGas) } : {}),
  };
}

function envelopeFields(transaction: SignedTransaction): JsonObject {
  const chainId = transaction.chainId === undefined ? {} : { chainId: quantity(transaction.chainId) };
  if (transaction.type === 0) return chainId;
  return {
    accessList: accessListToJson(transaction.accessList),
    ...chainId,
    ...(transaction.type === 3 ? { blobVersionedHashes: transaction.blobVersionedHashes.map(toHex) } : {}),
    ...(transaction.type === 4
      ? { authorizationList: transaction.authorizations.map(authorizationToJson) }
      : {}),
  };
}

function signatureFields(transaction: SignedTransaction): JsonObject {
  const { r, s, yParity, agile } = transaction;
  if (agile !== undefined) return agileFields(agile);
  if (transaction.type === 0) return { v: quantity(legacyV(transaction)), r: quantity(r), s: quantity(s) };
  return { v: quantity(yParity), r: quantity(r), s: quantity(s), yParity: quantity(yParity) };
}

/** What type 0x60 has besides, and, because Ethereum's libraries insist on a signature, one of zeros. */
function agileFields(agile: AgileFields): JsonObject {
  const { keySetVersion, validUntil, threshold, inlineKeys, authorizations } = agile;
  return {
    keySetVersion: quantity(keySetVersion),
    validUntil: quantity(validUntil),
    threshold: quantity(threshold),
    inlineKeys: inlineKeys.map(({ schemeId, publicKey }) => ({
      schemeId: quantity(schemeId),
      publicKey: toHex(publicKey),
    })),
    authorizations: authorizations.map(({ keyIndex, schemeId, signature }) => ({
      keyIndex: quantity(keyIndex),
      schemeId: quantity(schemeId),
      signature: toHex(signature),
    })),
    v: "0x0",
    r: word(0n),
    s: word(0n),
    yParity: "0x0",
  };
}

/** 27 or 28, or with replay protection 35 + 2 chainId + yParity. Source: EIP-155. */
function legacyV(transaction: SignedTransaction): bigint {
  const parity = BigInt(transaction.yParity);
  return transaction.chainId === undefined ? 27n + parity : 35n + 2n * transaction.chainId + parity;
}

export function accessListToJson(accessList: readonly AccessListEntry[]): readonly JsonObject[] {
  return accessList.map((entry) => ({
    address: toHex(entry.address),
    storageKeys: entry.storageKeys.map(toHex),
  }));
}

function authorizationToJson(authorization: Authorization): JsonObject {
  return {
    chainId: quantity(authorization.chainId),
    address: toHex(authorization.address),
    nonce: quantity(authorization.nonce),
    yParity: quantity(authorization.yParity),
    r: quantity(authorization.r),
    s: quantity(authorization.s),
  };
}

/** The price of blob gas while no blobs are in use, which is always. Source: EIP-4844, MIN_BASE_FEE_PER_BLOB_GAS. */
export const BLOB_BASE_FEE = 1n;

/** Gas of one blob. Source: EIP-4844, GAS_PER_BLOB. */
const GAS_PER_BLOB = 131_072;

/** @param firstLogIndex how many logs the block's earlier transactions have. */
export function receiptToJson(
  receipt: Receipt,
  transaction: SignedTransaction,
  inclusion: Inclusion,
  index: number,
  firstLogIndex: number,
): JsonObject {
  const transactionHash = toHex(transaction.hash);
  return {
    ...blobReceiptFields(transaction),
    blockHash: inclusion.blockHash,
    blockNumber: inclusion.blockNumber,
    contractAddress: receipt.contractAddress === undefined ? null : toHex(receipt.contractAddress),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    from: toHex(transaction.sender),
    gasUsed: quantity(receipt.gasUsed),
    logs: receipt.logs.map((log, i) => logToJson(log, inclusion, transactionHash, index, firstLogIndex + i)),
    logsBloom: toHex(receipt.bloom),
    status: receipt.succeeded ? "0x1" : "0x0",
    to: transaction.to === undefined ? null : toHex(transaction.to),
    transactionHash,
    transactionIndex: quantity(index),
    type: quantity(receipt.type),
  };
}

function blobReceiptFields(transaction: SignedTransaction): JsonObject {
  if (transaction.type !== 3) return {};
  const blobGasUsed = quantity(transaction.blobVersionedHashes.length * GAS_PER_BLOB);
  return { blobGasPrice: quantity(BLOB_BASE_FEE), blobGasUsed };
}

/** @param logIndex within the block. */
export function logToJson(
  log: Log,
  inclusion: Inclusion,
  transactionHash: string,
  transactionIndex: number,
  logIndex: number,
): JsonObject {
  return {
    address: toHex(log.address),
    topics: log.topics.map(toHex),
    data: toHex(log.data),
    blockNumber: inclusion.blockNumber,
    transactionHash,
    transactionIndex: quantity(transactionIndex),
    blockHash: inclusion.blockHash,
    blockTimestamp: inclusion.blockTimestamp,
    logIndex: quantity(logIndex),
    removed: false,
  };
}
