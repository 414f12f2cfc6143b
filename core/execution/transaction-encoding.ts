import { type Bytes, concatBytes, EMPTY_BYTES, type Hash, must } from "@ostrom/base";
import { encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { keyItems } from "./account-keys.ts";
import type { TransactionSignature } from "./signature.ts";
import {
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  type Authorization,
  type KeyAuthorization,
  type Transaction,
  type TransactionType,
} from "./types.ts";

/** A transaction's fields without its signature. */
export type UnsignedTransaction = Omit<Transaction, "raw" | "hash" | "yParity" | "r" | "s">;

const LEGACY_V_OFFSET = 27n;
/** Source: EIP-155. */
export const REPLAY_PROTECTED_V_OFFSET: bigint = 35n;

/** The canonical bytes (EIP-2718) of a transaction with its signature.
 * @param signature of types 0 to 4; an agile transaction has its own in `agile.authorizations`. */
export function encodeTransaction(fields: UnsignedTransaction, signature: TransactionSignature): Bytes {
  const { r, s, yParity } = signature;
  if (fields.type === 0) {
    const v =
      fields.chainId === undefined
        ? LEGACY_V_OFFSET + BigInt(yParity)
        : REPLAY_PROTECTED_V_OFFSET + 2n * fields.chainId + BigInt(yParity);
    return encodeRlp([...legacyItems(fields), rlpUint(v), rlpUint(r), rlpUint(s)]);
  }
  if (fields.type === AGILE_TRANSACTION_TYPE) {
    return envelope(fields.type, [...typedItems(fields), agileOf(fields).authorizations.map(signatureItems)]);
  }
  return envelope(fields.type, [...typedItems(fields), rlpUint(yParity), rlpUint(r), rlpUint(s)]);
}

/** What the sender signs: of an agile transaction keccak256(0x60 || rlp([all fields before the authorizations, [[key index, scheme id], ...]])), so that no
 * signature can be taken off without the others becoming void. Sources: EIP-155, EIP-2718 and the EIP of each type. */
export function signingHash(fields: UnsignedTransaction): Hash {
  if (fields.type === AGILE_TRANSACTION_TYPE) {
    const signers = agileOf(fields).authorizations.map(signerItems);
    return keccak256(envelope(fields.type, [...typedItems(fields), signers]));
  }
  if (fields.type !== 0) return keccak256(envelope(fields.type, typedItems(fields)));
  const items = legacyItems(fields);
  if (fields.chainId !== undefined) items.push(rlpUint(fields.chainId), EMPTY_BYTES, EMPTY_BYTES);
  return keccak256(encodeRlp(items));
}

function envelope(type: TransactionType, items: readonly RlpItem[]): Bytes {
  return concatBytes(Uint8Array.of(type), encodeRlp(items));
}

function legacyItems(fields: UnsignedTransaction): RlpItem[] {
  return [
    rlpUint(fields.nonce),
    rlpUint(fields.maxFeePerGas),
    rlpUint(fields.gasLimit),
    fields.to ?? EMPTY_BYTES,
    rlpUint(fields.value),
    fields.data,
  ];
}

function typedItems(fields: UnsignedTransaction): RlpItem[] {
  const fees =
    fields.type === 1
      ? [rlpUint(fields.maxFeePerGas)]
      : [rlpUint(fields.maxPriorityFeePerGas), rlpUint(fields.maxFeePerGas)];
  const items: RlpItem[] = [
    rlpUint(fields.chainId ?? 0n),
    rlpUint(fields.nonce),
    ...fees,
    rlpUint(fields.gasLimit),
    fields.to ?? EMPTY_BYTES,
    rlpUint(fields.value),
    fields.data,
    fields.accessList.map((entry) => [entry.address, entry.storageKeys]),
  ];
  if (fields.type === 3) items.push(rlpUint(fields.maxFeePerBlobGas), fields.blobVersionedHashes);
  if (fields.type === 4) items.push(fields.authorizations.map(authorizationItems));
  if (fields.type === AGILE_TRANSACTION_TYPE) items.push(...agileItems(agileOf(fields)));
  return items;
}

function agileOf({ agile }: UnsignedTransaction): AgileFields {
  return must(agile, "an agile transaction has agile fields");
}

function agileItems({ sender, keySetVersion, validUntil, threshold, inlineKeys }: AgileFields): RlpItem[] {
  return [sender, rlpUint(keySetVersion), rlpUint(validUntil), rlpUint(threshold), inlineKeys.map(keyItems)];
}

function signerItems({ keyIndex, schemeId }: KeyAuthorization): RlpItem {
  return [rlpUint(keyIndex), rlpUint(schemeId)];
}

function signatureItems({ keyIndex, schemeId, signature }: KeyAuthorization): RlpItem {
  return [rlpUint(keyIndex), rlpUint(schemeId), signature];
}

function authorizationItems(authorization: Authorization): RlpItem {
  const { chainId, address, nonce, yParity, r, s } = authorization;
  return [rlpUint(chainId), address, rlpUint(nonce), rlpUint(yParity), rlpUint(r), rlpUint(s)];
}
