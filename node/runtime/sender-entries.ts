import { Address, type Bytes, Hash, toHexDigits } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";

const HASH_LENGTH = 32;
const ADDRESS_LENGTH = 20;
const KEYS_OFFSET = HASH_LENGTH + ADDRESS_LENGTH;

/** Hash (32 bytes), sender (20 bytes) and `verifiedKeys` (32 bytes, zeros if there is none) of a transaction. */
export const ENTRY_LENGTH: number = KEYS_OFFSET + HASH_LENGTH;

/** What this node has found out about who signed a transaction. */
export type CheckedSigner = Pick<SignedTransaction, "sender" | "verifiedKeys">;

/** Writes the entries of transactions whose signatures this node has checked, one after another. */
export function packSenderEntries(
  transactions: readonly Pick<SignedTransaction, "hash" | "sender" | "verifiedKeys">[],
): Bytes {
  const packed = new Uint8Array(transactions.length * ENTRY_LENGTH);
  transactions.forEach(({ hash, sender, verifiedKeys }, index) => {
    writeEntry(packed, index, hash, sender, verifiedKeys);
  });
  return packed;
}

/** Writes one of them. */
export function writeEntry(
  packed: Bytes,
  index: number,
  hash: Bytes,
  sender: Bytes,
  verifiedKeys: Bytes | undefined,
): void {
  packed.set(hash, index * ENTRY_LENGTH);
  packed.set(sender, index * ENTRY_LENGTH + HASH_LENGTH);
  if (verifiedKeys !== undefined) packed.set(verifiedKeys, index * ENTRY_LENGTH + KEYS_OFFSET);
}

/** Reads them by the hash's hex digits. */
export function unpackSenderEntries(packed: Bytes): ReadonlyMap<string, CheckedSigner> {
  const senders = new Map<string, CheckedSigner>();
  for (let index = 0; index * ENTRY_LENGTH < packed.length; index++) {
    const entry = readEntry(packed, index);
    if (entry !== undefined) senders.set(toHexDigits(entry.hash), signerOf(entry));
  }
  return senders;
}

function signerOf({ sender, verifiedKeys }: CheckedSigner): CheckedSigner {
  return verifiedKeys === undefined ? { sender } : { sender, verifiedKeys };
}

/** Reads the entry of a place. @returns undefined for zeros: nobody is known to have signed that one. */
export function readEntry(
  packed: Bytes,
  index: number,
): (CheckedSigner & Pick<SignedTransaction, "hash">) | undefined {
  const entry = packed.slice(index * ENTRY_LENGTH, (index + 1) * ENTRY_LENGTH);
  const hash = entry.subarray(0, HASH_LENGTH);
  if (!hash.some((byte) => byte !== 0)) return undefined;
  const sender = Address(entry.subarray(HASH_LENGTH, KEYS_OFFSET));
  const keys = entry.subarray(KEYS_OFFSET);
  const isChecked = keys.some((byte) => byte !== 0);
  return isChecked ? { hash: Hash(hash), sender, verifiedKeys: Hash(keys) } : { hash: Hash(hash), sender };
}
