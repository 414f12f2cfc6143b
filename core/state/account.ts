import { type Bytes, equalBytes, type Failure, Hash, hashFromHex, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpList,
  readRlpUint,
  rlpListLength,
  rlpUintLength,
  writeRlpListHeader,
  writeRlpString,
  writeRlpUint,
} from "@ostrom/codec";
import type { Account } from "./types.ts";

/** keccak256 of no bytes: the code hash of an account without code. */
export const EMPTY_CODE_HASH: Hash = hashFromHex(
  "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
);

const HASH_LENGTH = 32;
/** EIP-2681 bounds nonces by 2^64 - 2. */
const MAX_NONCE_BYTES = 8;
const MAX_BALANCE_BYTES = 32;

/** Encodes an account as the account trie holds it: RLP [nonce, balance, storageRoot, codeHash].
 * Source: Yellow Paper, 4.1. The flat table of accounts keeps the same bytes. */
export function encodeAccount(account: Account): Bytes {
  const payload = accountPayloadLength(account);
  const out = new Uint8Array(rlpListLength(payload));
  writeAccountItem(out, 0, account);
  return out;
}

/** Bytes of the entries of an account's RLP list. */
export function accountPayloadLength({ nonce, balance }: Account): number {
  return rlpUintLength(nonce) + rlpUintLength(balance) + 2 * (1 + HASH_LENGTH);
}

/** Writes an account's RLP list into a format that contains one. @returns where it ends. */
export function writeAccountItem(out: Bytes, start: number, account: Account): number {
  let at = writeRlpListHeader(out, start, accountPayloadLength(account));
  at = writeRlpUint(out, at, account.nonce);
  at = writeRlpUint(out, at, account.balance);
  at = writeRlpString(out, at, account.storageRoot);
  return writeRlpString(out, at, account.codeHash);
}

/** Decodes what `encodeAccount` wrote; the hashes are copies. Errors: those of `decodeRlp`, and `rlp/wrong-shape`. */
export function decodeAccount(bytes: Bytes): Result<Account, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes.slice(), readAccount);
}

/** Reads what `writeAccountItem` wrote, inside `decodeRlpWith`. Shares memory with what was decoded. */
export function readAccount(item: RlpItem | undefined): Account {
  const [nonce, balance, storageRoot, codeHash] = readRlpList(item, "account", 4);
  return {
    nonce: readRlpUint(nonce, "account nonce", MAX_NONCE_BYTES),
    balance: readRlpUint(balance, "account balance", MAX_BALANCE_BYTES),
    storageRoot: Hash(readRlpBytes(storageRoot, "account storage root", HASH_LENGTH)),
    codeHash: sharedCodeHash(Hash(readRlpBytes(codeHash, "account code hash", HASH_LENGTH))),
  };
}

/** Whether two hashes are equal; those of most accounts are one object. */
export function sameHash(a: Hash, b: Hash): boolean {
  return a === b || equalBytes(a, b);
}

/** Most accounts have no code. */
function sharedCodeHash(codeHash: Hash): Hash {
  return equalBytes(codeHash, EMPTY_CODE_HASH) ? EMPTY_CODE_HASH : codeHash;
}
