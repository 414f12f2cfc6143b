import { Address, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
import { RlpError, type RlpItem, readRlpBytes, readRlpList, readRlpUint } from "@ostrom/codec";
import { type AgileErrorCode, readAgileFields } from "./agile-transaction.ts";
import type { TransactionSignature } from "./signature.ts";
import { REPLAY_PROTECTED_V_OFFSET } from "./transaction-encoding.ts";
import {
  type AccessListEntry,
  AGILE_TRANSACTION_TYPE,
  type Authorization,
  type Transaction,
} from "./types.ts";

/** Reads the fields of a transaction from the items of its list, type by type; what holds for all types, `decodeTransaction` checks. Each
 * throws an `RlpError` where an item has the wrong shape. */

export type TransactionErrorCode =
  | "transaction/malformed"
  | "transaction/unsupported-type"
  | "transaction/invalid-chain-id"
  | "transaction/nonce-too-big"
  | "transaction/gas-overflow"
  | "transaction/priority-fee-above-max-fee"
  | "transaction/authorizations-empty"
  | "transaction/blobs-empty"
  | "transaction/blob-version"
  | "transaction/blobs-in-network-form"
  | "transaction/invalid-signature"
  | AgileErrorCode;

export type TransactionFailure = Failure<TransactionErrorCode>;

/** What the bytes of a transaction say, signature included. */
export type DecodedFields = Omit<Transaction, "raw" | "hash">;

const UINT64_BYTES = 8;
const BLOB_HASH_VERSION = 0x01;

/** An agile transaction has its signatures in `agile.authorizations`. */
export const NO_ECDSA_SIGNATURE: TransactionSignature = { yParity: 0, r: 0n, s: 0n };

const NO_TYPED_FIELDS = {
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizations: [],
} as const;

/** Type 0. Errors: `transaction/invalid-chain-id`. Source: EIP-155. */
export function readLegacy(list: readonly RlpItem[]): Result<DecodedFields, TransactionFailure> {
  const items = readRlpList(list, "legacy transaction", 9);
  const v = readRlpUint(items[6], "v");
  const protection = readLegacyV(v);
  if (protection === undefined) return fail("transaction/invalid-chain-id", `v of ${v} names no chain id`);
  const gasPrice = readRlpUint(items[1], "gas price");
  return ok({
    ...NO_TYPED_FIELDS,
    type: 0,
    chainId: protection.chainId,
    nonce: readRlpUint(items[0], "nonce", UINT64_BYTES),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    gasLimit: readRlpUint(items[2], "gas limit", UINT64_BYTES),
    to: readRecipient(items[3]),
    value: readRlpUint(items[4], "value"),
    data: readRlpBytes(items[5], "data"),
    yParity: protection.yParity,
    r: readRlpUint(items[7], "r"),
    s: readRlpUint(items[8], "s"),
  });
}

function readLegacyV(v: bigint): { chainId: bigint | undefined; yParity: 0 | 1 } | undefined {
  if (v === 27n || v === 28n) return { chainId: undefined, yParity: v === 28n ? 1 : 0 };
  const doubled = v - REPLAY_PROTECTED_V_OFFSET;
  // EIP-155 gives 35 and 36 the chain id 0, which no chain has.
  if (doubled < 2n) return undefined;
  return { chainId: doubled >> 1n, yParity: (doubled & 1n) === 1n ? 1 : 0 };
}

/** Type 1. Source: EIP-2930. */
export function readAccessListTransaction(
  list: readonly RlpItem[],
): Result<DecodedFields, TransactionFailure> {
  const items = readRlpList(list, "type 1 transaction", 11);
  const gasPrice = readRlpUint(items[2], "gas price");
  return ok({
    ...NO_TYPED_FIELDS,
    type: 1,
    chainId: readRlpUint(items[0], "chain id"),
    nonce: readRlpUint(items[1], "nonce", UINT64_BYTES),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    gasLimit: readRlpUint(items[3], "gas limit", UINT64_BYTES),
    to: readRecipient(items[4]),
    value: readRlpUint(items[5], "value"),
    data: readRlpBytes(items[6], "data"),
    accessList: readAccessList(items[7]),
    ...readTypedSignature(items, 8),
  });
}

/** Type 2. Source: EIP-1559. */
export function readFeeMarketTransaction(
  list: readonly RlpItem[],
): Result<DecodedFields, TransactionFailure> {
  const items = readRlpList(list, "type 2 transaction", 12);
  return ok({
    ...NO_TYPED_FIELDS,
    ...readFeeMarketFields(items),
    type: 2,
    to: readRecipient(items[5]),
    ...readTypedSignature(items, 9),
  });
}

/** Type 3, without its blobs. Errors: `transaction/blobs-in-network-form`, `/blobs-empty`, `/blob-version`. Source: EIP-4844. */
export function readBlobTransaction(list: readonly RlpItem[]): Result<DecodedFields, TransactionFailure> {
  if (!(list[0] instanceof Uint8Array)) {
    return fail(
      "transaction/blobs-in-network-form",
      "transaction type not supported: this chain takes no blobs",
    );
  }
  const items = readRlpList(list, "type 3 transaction", 14);
  const blobVersionedHashes = readRlpList(items[10], "blob versioned hashes").map((item) =>
    Hash(readRlpBytes(item, "blob versioned hash", 32)),
  );
  if (blobVersionedHashes.length === 0) {
    return fail("transaction/blobs-empty", "a blob transaction must name at least one blob");
  }
  if (blobVersionedHashes.some((hash) => hash[0] !== BLOB_HASH_VERSION)) {
    return fail("transaction/blob-version", "a blob's versioned hash must begin with 0x01");
  }
  return ok({
    ...NO_TYPED_FIELDS,
    ...readFeeMarketFields(items),
    type: 3,
    to: Address(readRlpBytes(items[5], "to", 20)),
    maxFeePerBlobGas: readRlpUint(items[9], "max fee per blob gas"),
    blobVersionedHashes,
    ...readTypedSignature(items, 11),
  });
}

/** Type 4. Errors: `transaction/authorizations-empty`. Source: EIP-7702. */
export function readSetCodeTransaction(list: readonly RlpItem[]): Result<DecodedFields, TransactionFailure> {
  const items = readRlpList(list, "type 4 transaction", 13);
  const authorizations = readRlpList(items[9], "authorization list").map(readAuthorization);
  if (authorizations.length === 0) {
    return fail("transaction/authorizations-empty", "set code transaction with empty auth list");
  }
  return ok({
    ...NO_TYPED_FIELDS,
    ...readFeeMarketFields(items),
    type: 4,
    to: Address(readRlpBytes(items[5], "to", 20)),
    authorizations,
    ...readTypedSignature(items, 10),
  });
}

/** Type 0x60. Errors: those of `readAgileFields`. */
export function readAgileTransaction(list: readonly RlpItem[]): Result<DecodedFields, TransactionFailure> {
  const items = readRlpList(list, "type 0x60 transaction", 15);
  const agile = readAgileFields(items.slice(9));
  if (!agile.ok) return agile;
  return ok({
    ...NO_TYPED_FIELDS,
    ...readFeeMarketFields(items),
    type: AGILE_TRANSACTION_TYPE,
    to: readRecipient(items[5]),
    agile: agile.value,
    ...NO_ECDSA_SIGNATURE,
  });
}

/** The fields that types 2, 3 and 4 have in the same places, `to` excepted. */
function readFeeMarketFields(
  items: readonly RlpItem[],
): Omit<DecodedFields, "type" | "to" | "yParity" | "r" | "s" | keyof typeof NO_TYPED_FIELDS> &
  Pick<DecodedFields, "accessList"> {
  return {
    chainId: readRlpUint(items[0], "chain id"),
    nonce: readRlpUint(items[1], "nonce", UINT64_BYTES),
    maxPriorityFeePerGas: readRlpUint(items[2], "max priority fee per gas"),
    maxFeePerGas: readRlpUint(items[3], "max fee per gas"),
    gasLimit: readRlpUint(items[4], "gas limit", UINT64_BYTES),
    value: readRlpUint(items[6], "value"),
    data: readRlpBytes(items[7], "data"),
    accessList: readAccessList(items[8]),
  };
}

function readTypedSignature(items: readonly RlpItem[], offset: number): TransactionSignature {
  const parity = readRlpUint(items[offset], "y parity");
  if (parity > 1n) throw new RlpError("rlp/wrong-shape", "y parity must be 0 or 1");
  return {
    yParity: parity === 1n ? 1 : 0,
    r: readRlpUint(items[offset + 1], "r"),
    s: readRlpUint(items[offset + 2], "s"),
  };
}

function readRecipient(item: RlpItem | undefined): Address | undefined {
  const bytes = readRlpBytes(item, "to");
  return bytes.length === 0 ? undefined : Address(readRlpBytes(item, "to", 20));
}

function readAccessList(item: RlpItem | undefined): readonly AccessListEntry[] {
  return readRlpList(item, "access list").map((entry) => {
    const [address, keys] = readRlpList(entry, "access list entry", 2);
    return {
      address: Address(readRlpBytes(address, "access list address", 20)),
      storageKeys: readRlpList(keys, "storage keys").map((key) => Hash(readRlpBytes(key, "storage key", 32))),
    };
  });
}

function readAuthorization(item: RlpItem): Authorization {
  const fields = readRlpList(item, "authorization", 6);
  return {
    chainId: readRlpUint(fields[0], "authorization chain id"),
    address: Address(readRlpBytes(fields[1], "authorization address", 20)),
    nonce: readRlpUint(fields[2], "authorization nonce", UINT64_BYTES),
    yParity: readRlpUint(fields[3], "authorization y parity", 1),
    r: readRlpUint(fields[4], "authorization r"),
    s: readRlpUint(fields[5], "authorization s"),
  };
}
