import { type Bytes, type Hash, hashFromHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";

/** The hash function of a trie's nodes (and of a secure trie's keys): keccak256, or SM3 in the suite `sm`. */
export type TrieHash = (data: Bytes) => Hash;

/** The root of a trie without entries, hashed by keccak256: keccak256(0x80). */
export const EMPTY_TRIE_ROOT: Hash = hashFromHex(
  "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
);

const RLP_OF_NOTHING: Bytes = Uint8Array.of(0x80);

/** The root of a trie without entries. */
export function emptyTrieRoot(hash: TrieHash = keccak256): Hash {
  return hash === keccak256 ? EMPTY_TRIE_ROOT : hash(RLP_OF_NOTHING);
}
