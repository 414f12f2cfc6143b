import { type Bytes, toHex } from "@ostrom/base";
import {
  type AccessListEntry,
  effectiveGasPrice,
  encodeBlock,
  type SignedTransaction,
} from "@ostrom/execution";
import type { ProvedLog, ProvedOutcome } from "./reads.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** What proved values look like in JSON-RPC: the keys and encodings of Ethereum's execution-apis, byte for byte as an Ostrom node writes
 * them (a test compares). */
export type JsonObject = { readonly [key: string]: unknown };

export function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

export function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

export function headerJson({ hash, header }: VerifiedHeader): JsonObject {
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

/** @param transactions hashes, or whole ones as JSON. @param raws the same, as bytes: they tell the block's size. */
export function blockJson(
  block: VerifiedHeader,
  raws: readonly Bytes[],
  transactions: readonly (string | JsonObject)[],
): JsonObject {
  return {
    ...headerJson(block),
    size: quantity(encodeBlock(block.header, raws).length),
    transactions,
    uncles: [],
    withdrawals: [],
  };
}

function inclusion({ hash, header }: VerifiedHeader): JsonObject {
  return {
    blockHash: toHex(hash),
    blockNumber: quantity(header.number),
    blockTimestamp: quantity(header.timestamp),
  };
}

/** A transaction in a block. */
export function transactionJson(
  transaction: SignedTransaction,
  block: VerifiedHeader,
  index: number,
): JsonObject {
  const price = effectiveGasPrice(transaction, block.header.baseFeePerGas);
  return { ...inclusion(block), ...transactionFields(transaction, quantity(index), price) };
}

/** A transaction that no certified block has. */
export function pendingJson(transaction: SignedTransaction): JsonObject {
  const nowhere = { blockHash: null, blockNumber: null, blockTimestamp: null };
  return { ...nowhere, ...transactionFields(transaction, null, transaction.maxFeePerGas) };
}

function transactionFields(
  transaction: SignedTransaction,
  index: string | null,
  gasPrice: bigint,
): JsonObject {
  const { type, chainId } = transaction;
  return {
    from: toHex(transaction.sender),
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(gasPrice),
    ...feeFields(transaction),
    hash: toHex(transaction.hash),
    input: toHex(transaction.data),
    nonce: quantity(transaction.nonce),
    to: transaction.to === undefined ? null : toHex(transaction.to),
    transactionIndex: index,
    value: quantity(transaction.value),
    type: quantity(type),
    ...(type === 0 ? {} : { accessList: accessListJson(transaction.accessList) }),
    ...(chainId === undefined ? {} : { chainId: quantity(chainId) }),
    ...(type === 3 ? { blobVersionedHashes: transaction.blobVersionedHashes.map(toHex) } : {}),
    ...(type === 4 ? { authorizationList: authorizationsJson(transaction) } : {}),
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

/** The v of a legacy transaction is 27 or 28, or with replay protection 35 + 2 chainId + yParity. Source: EIP-155. */
function signatureFields({ type, chainId, yParity, r, s }: SignedTransaction): JsonObject {
  const values = { r: quantity(r), s: quantity(s) };
  if (type !== 0) return { v: quantity(yParity), ...values, yParity: quantity(yParity) };
  const v = chainId === undefined ? 27n + BigInt(yParity) : 35n + 2n * chainId + BigInt(yParity);
  return { v: quantity(v), ...values };
}

export function accessListJson(accessList: readonly AccessListEntry[]): readonly JsonObject[] {
  return accessList.map(({ address, storageKeys }) => ({
    address: toHex(address),
    storageKeys: storageKeys.map(toHex),
  }));
}

function authorizationsJson({ authorizations }: SignedTransaction): readonly JsonObject[] {
  return authorizations.map(({ chainId, address, nonce, yParity, r, s }) => ({
    chainId: quantity(chainId),
    address: toHex(address),
    nonce: quantity(nonce),
    yParity: quantity(yParity),
    r: quantity(r),
    s: quantity(s),
  }));
}

/** No block here has blobs. */
export function receiptJson({
  block,
  index,
  transaction,
  receipt,
  firstLogIndex,
}: ProvedOutcome): JsonObject {
  const { hash: transactionHash } = transaction;
  const logs = receipt.logs.map((log, i) =>
    logJson({ block, transactionHash, transactionIndex: index, logIndex: firstLogIndex + i, log }),
  );
  return {
    blockHash: toHex(block.hash),
    blockNumber: quantity(block.header.number),
    contractAddress: receipt.contractAddress === undefined ? null : toHex(receipt.contractAddress),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    from: toHex(transaction.sender),
    gasUsed: quantity(receipt.gasUsed),
    logs,
    logsBloom: toHex(receipt.bloom),
    status: receipt.succeeded ? "0x1" : "0x0",
    to: transaction.to === undefined ? null : toHex(transaction.to),
    transactionHash: toHex(transactionHash),
    transactionIndex: quantity(index),
    type: quantity(receipt.type),
  };
}

export function logJson({ block, transactionHash, transactionIndex, logIndex, log }: ProvedLog): JsonObject {
  return {
    address: toHex(log.address),
    topics: log.topics.map(toHex),
    data: toHex(log.data),
    blockNumber: quantity(block.header.number),
    transactionHash: toHex(transactionHash),
    transactionIndex: quantity(transactionIndex),
    blockHash: toHex(block.hash),
    blockTimestamp: quantity(block.header.timestamp),
    logIndex: quantity(logIndex),
    removed: false,
  };
}
