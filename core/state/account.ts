import { type Bytes, type Failure, Hash, hashFromHex, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpList,
  readRlpUint,
  rlpUint,
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
  return encodeRlp(writeAccount(account));
}

/** Decodes what `encodeAccount` wrote; the hashes are copies. Errors: those of `decodeRlp`, and `rlp/wrong-shape`. */
export function decodeAccount(bytes: Bytes): Result<Account, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes.slice(), readAccount);
}

/** The RLP list of an account, for formats that contain one. */
export function writeAccount(account: Account): RlpItem {
  return [rlpUint(account.nonce), rlpUint(account.balance), account.storageRoot, account.codeHash];
}

/** Reads what `writeAccount` wrote, inside `decodeRlpWith`. Shares memory with what was decoded. */
export function readAccount(item: RlpItem | undefined): Account {
  const [nonce, balance, storageRoot, codeHash] = readRlpList(item, "account", 4);
  return {
    nonce: readRlpUint(nonce, "account nonce", MAX_NONCE_BYTES),
    balance: readRlpUint(balance, "account balance", MAX_BALANCE_BYTES),
    storageRoot: Hash(readRlpBytes(storageRoot, "account storage root", HASH_LENGTH)),
    codeHash: Hash(readRlpBytes(codeHash, "account code hash", HASH_LENGTH)),
  };
}
