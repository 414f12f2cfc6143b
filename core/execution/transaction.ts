import {
  Address,
  type Bytes,
  EMPTY_BYTES,
  type Failure,
  fail,
  Hash,
  must,
  ok,
  type Result,
} from "@ostrom/base";
import { decodeRlpWith, RlpError, type RlpItem, readRlpBytes, readRlpList, readRlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import {
  type AgileErrorCode,
  hasValidInlineSignatures,
  type KeySigner,
  readAgileFields,
  signWithKeys,
} from "./agile-transaction.ts";
import { readPlainFeeMarket } from "./fee-market-reader.ts";
import { hasMoreItems } from "./item-count.ts";
import { isCanonicalSignature, recoverSigner, signHash, type TransactionSignature } from "./signature.ts";
import {
  encodeTransaction,
  REPLAY_PROTECTED_V_OFFSET,
  signingHash,
  type UnsignedTransaction,
} from "./transaction-encoding.ts";
import {
  type AccessListEntry,
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  type Authorization,
  type SignedTransaction,
  type Transaction,
} from "./types.ts";

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

/** What a transaction is made from; what is absent is zero or empty, and the type is 2. */
export type TransactionFields = Partial<UnsignedTransaction> &
  Pick<UnsignedTransaction, "gasLimit" | "maxFeePerGas">;

/** Largest nonce a transaction may have: 2^64 - 2. Source: EIP-2681. */
export const MAX_TRANSACTION_NONCE: bigint = 2n ** 64n - 2n;

/** All fields of the largest type. */
const ITEMS_BESIDE_LISTS = 16;
/** Seven items of an authorization take 27 bytes, three of an access list's entry 23. */
const LEAST_BYTES_OF_AN_ITEM = 3;
const WORD_LIMIT = 2n ** 256n;
const UINT64_BYTES = 8;
const LEGACY_PREFIX = 0xc0;
const BLOB_HASH_VERSION = 0x01;

/** Decodes a signed transaction of type 0 to 4 or 0x60 and checks all that needs neither state nor elliptic curves: canonical
 * encoding, field ranges, a low s. It recovers no sender: `recoverSender` does.
 * Errors: `transaction/malformed` (not the RLP of this type), `/unsupported-type`, `/invalid-chain-id` (a legacy v that
 * names none), `/nonce-too-big` (EIP-2681), `/gas-overflow` (gasLimit * maxFeePerGas above 256 bits),
 * `/priority-fee-above-max-fee` (EIP-1559), `/authorizations-empty` (EIP-7702), `/blobs-empty`, `/blob-version`,
 * `/blobs-in-network-form` (EIP-4844), `/invalid-signature` (out of range, or s in the upper half: EIP-2), `/invalid-keys` and
 * `/invalid-authorizations` (agile transactions: `readAgileFields`).
 * Sources: EIP-155, 1559, 2718, 2930, 4844, 7702.
 * @param hash keccak256 of the bytes, if the caller has it: a post-quantum transaction is long, and hashing it costs as much as reading it. */
export function decodeTransaction(bytes: Bytes, hash?: Hash): Result<Transaction, TransactionFailure> {
  const first = bytes[0];
  if (first === undefined) return fail("transaction/malformed", "a transaction of no bytes");
  // What is decoded shares memory with its source, and outlives the buffer it came in.
  const raw = bytes.slice();
  if (first >= LEGACY_PREFIX) return decodeWith(raw, hash, raw, readLegacy);
  switch (first) {
    case 1:
      return decodeWith(raw, hash, raw.subarray(1), readAccessListTransaction);
    case 2: {
      const plain = readPlainFeeMarket(raw);
      if (plain !== undefined) return completed(plain, raw, hash);
      return decodeWith(raw, hash, raw.subarray(1), readFeeMarketTransaction);
    }
    case 3:
      return decodeWith(raw, hash, raw.subarray(1), readBlobTransaction);
    case 4:
      return decodeWith(raw, hash, raw.subarray(1), readSetCodeTransaction);
    case AGILE_TRANSACTION_TYPE:
      return decodeWith(raw, hash, raw.subarray(1), readAgileTransaction);
    default:
      return fail("transaction/unsupported-type", `transaction type ${first} is not supported`);
  }
}

/** Fills what is absent with zero or empty. */
export function completeFields(fields: TransactionFields): UnsignedTransaction {
  const type = fields.type ?? 2;
  return {
    type,
    chainId: fields.chainId,
    nonce: fields.nonce ?? 0n,
    maxFeePerGas: fields.maxFeePerGas,
    maxPriorityFeePerGas: type < 2 ? fields.maxFeePerGas : (fields.maxPriorityFeePerGas ?? 0n),
    gasLimit: fields.gasLimit,
    to: fields.to,
    value: fields.value ?? 0n,
    data: fields.data ?? EMPTY_BYTES,
    accessList: fields.accessList ?? [],
    maxFeePerBlobGas: fields.maxFeePerBlobGas ?? 0n,
    blobVersionedHashes: fields.blobVersionedHashes ?? [],
    authorizations: fields.authorizations ?? [],
    ...(fields.agile === undefined ? {} : { agile: fields.agile }),
  };
}

/** Makes and signs a transaction. @param secretKey 32 bytes. */
export function signTransaction(fields: TransactionFields, secretKey: Bytes): SignedTransaction {
  const unsigned = completeFields(fields);
  const hash = signingHash(unsigned);
  const signature = signHash(hash, secretKey);
  const sender = must(recoverSigner(hash, signature), "a signature just made must recover its signer");
  const raw = encodeTransaction(unsigned, signature);
  return { ...unsigned, ...signature, raw, hash: keccak256(raw), sender };
}

/** Makes and signs an agile transaction.
 * @param agile without the authorizations. @param signers in ascending order of their keys' indices. */
export function signAgileTransaction(
  fields: Omit<TransactionFields, "type" | "agile">,
  agile: Omit<AgileFields, "authorizations">,
  signers: readonly KeySigner[],
): SignedTransaction {
  const named = signers.map(({ keyIndex, schemeId }) => ({ keyIndex, schemeId, signature: EMPTY_BYTES }));
  const unsigned = completeFields({
    ...fields,
    type: AGILE_TRANSACTION_TYPE,
    agile: { ...agile, authorizations: named },
  });
  const authorizations = signWithKeys(signingHash(unsigned), signers);
  const signed = { ...unsigned, agile: { ...agile, authorizations }, ...NO_ECDSA_SIGNATURE };
  const raw = encodeTransaction(signed, NO_ECDSA_SIGNATURE);
  return { ...signed, raw, hash: keccak256(raw), sender: agile.sender };
}

/** The account that signed a transaction. Of an agile one it is stated, and the signatures of inline keys are checked; those of keys in state
 * are not (`authorize` does).
 * Errors: `transaction/invalid-signature`. */
export function recoverSender(
  transaction: Transaction,
): Result<Address, Failure<"transaction/invalid-signature">> {
  const { agile } = transaction;
  if (agile !== undefined) {
    if (hasValidInlineSignatures(agile, signingHash(transaction))) return ok(agile.sender);
    return fail("transaction/invalid-signature", "an inline key has not made the signature");
  }
  const sender = recoverSigner(signingHash(transaction), transaction);
  if (sender === undefined)
    return fail("transaction/invalid-signature", "no key can have made this signature");
  return ok(sender);
}

/** Decodes a transaction and recovers who signed it. Errors: those of `decodeTransaction`. */
export function decodeSignedTransaction(bytes: Bytes): Result<SignedTransaction, TransactionFailure> {
  const decoded = decodeTransaction(bytes);
  if (!decoded.ok) return decoded;
  const sender = recoverSender(decoded.value);
  return sender.ok ? ok({ ...decoded.value, sender: sender.value }) : sender;
}

type Fields = Omit<Transaction, "raw" | "hash">;
type Read = (items: readonly RlpItem[]) => Result<Fields, TransactionFailure>;

function decodeWith(
  raw: Bytes,
  hash: Hash | undefined,
  body: Bytes,
  read: Read,
): Result<Transaction, TransactionFailure> {
  if (hasMoreItems(body, ITEMS_BESIDE_LISTS + body.length / LEAST_BYTES_OF_AN_ITEM)) {
    return fail("transaction/malformed", "more list entries than its bytes can hold");
  }
  const decoded = decodeRlpWith(body, (item) => read(readRlpList(item, "transaction")));
  if (!decoded.ok) return fail("transaction/malformed", decoded.error.message);
  if (!decoded.value.ok) return decoded.value;
  return completed(decoded.value.value, raw, hash);
}

function completed(
  fields: Fields,
  raw: Bytes,
  hash: Hash | undefined,
): Result<Transaction, TransactionFailure> {
  const wrong = checkRanges(fields);
  if (wrong !== undefined) return { ok: false, error: wrong };
  return ok({ ...fields, raw, hash: hash ?? keccak256(raw) });
}

function checkRanges(fields: Fields): TransactionFailure | undefined {
  if (fields.nonce > MAX_TRANSACTION_NONCE) {
    return { code: "transaction/nonce-too-big", message: "nonce has max value" };
  }
  if (fields.gasLimit * fields.maxFeePerGas >= WORD_LIMIT) {
    return { code: "transaction/gas-overflow", message: "gas limit times price exceeds 256 bits" };
  }
  if (fields.maxPriorityFeePerGas > fields.maxFeePerGas) {
    return {
      code: "transaction/priority-fee-above-max-fee",
      message: "max priority fee per gas higher than max fee per gas",
    };
  }
  if (fields.agile === undefined && !isCanonicalSignature(fields.r, fields.s)) {
    return { code: "transaction/invalid-signature", message: "invalid transaction v, r, s values" };
  }
  return undefined;
}

function readLegacy(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
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

function readAccessListTransaction(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
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

function readFeeMarketTransaction(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
  const items = readRlpList(list, "type 2 transaction", 12);
  return ok({
    ...NO_TYPED_FIELDS,
    ...readFeeMarketFields(items),
    type: 2,
    to: readRecipient(items[5]),
    ...readTypedSignature(items, 9),
  });
}

function readBlobTransaction(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
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

function readSetCodeTransaction(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
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

function readAgileTransaction(list: readonly RlpItem[]): Result<Fields, TransactionFailure> {
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

const NO_ECDSA_SIGNATURE: TransactionSignature = { yParity: 0, r: 0n, s: 0n };

const NO_TYPED_FIELDS = {
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizations: [],
} as const;

/** The fields that types 2, 3 and 4 have in the same places, `to` excepted. */
function readFeeMarketFields(
  items: readonly RlpItem[],
): Omit<Fields, "type" | "to" | "yParity" | "r" | "s" | keyof typeof NO_TYPED_FIELDS> &
  Pick<Fields, "accessList"> {
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
