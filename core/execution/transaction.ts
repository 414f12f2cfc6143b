import {
  type Address,
  type Bytes,
  EMPTY_BYTES,
  type Failure,
  fail,
  type Hash,
  must,
  ok,
  type Result,
} from "@ostrom/base";
import { decodeRlpWith, type RlpItem, readRlpList } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { hasValidInlineSignatures, type KeySigner, signWithKeys } from "./agile-transaction.ts";
import { readPlainFeeMarket } from "./fee-market-reader.ts";
import { hasMoreItems } from "./item-count.ts";
import { isCanonicalSignature, recoverSigner, signHash } from "./signature.ts";
import { encodeTransaction, signingHash, type UnsignedTransaction } from "./transaction-encoding.ts";
import {
  type DecodedFields,
  NO_ECDSA_SIGNATURE,
  readAccessListTransaction,
  readAgileTransaction,
  readBlobTransaction,
  readFeeMarketTransaction,
  readLegacy,
  readSetCodeTransaction,
  type TransactionFailure,
} from "./transaction-reader.ts";
import {
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  type SignedTransaction,
  type Transaction,
} from "./types.ts";

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
const LEGACY_PREFIX = 0xc0;

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

type Read = (items: readonly RlpItem[]) => Result<DecodedFields, TransactionFailure>;

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
  fields: DecodedFields,
  raw: Bytes,
  hash: Hash | undefined,
): Result<Transaction, TransactionFailure> {
  const wrong = checkRanges(fields);
  if (wrong !== undefined) return { ok: false, error: wrong };
  return ok({ ...fields, raw, hash: hash ?? keccak256(raw) });
}

function checkRanges(fields: DecodedFields): TransactionFailure | undefined {
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
