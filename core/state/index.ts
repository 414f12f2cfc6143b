export { decodeAccount, EMPTY_CODE_HASH, encodeAccount } from "./account.ts";
export { StateOverlay } from "./overlay.ts";
export { EMPTY_TRIE_ROOT, emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
export type {
  Account,
  AccountChange,
  JournaledState,
  KeyValueReader,
  KeyValueStore,
  Log,
  SlotChange,
  StateChanges,
  StateReader,
  TrieNodeReader,
  WriteOperation,
} from "./types.ts";
export {
  EMPTY_TRIE_NODES,
  MAX_TRIE_KEY_BYTES,
  orderedTrieRoot,
  readTrie,
  type TrieNodeChange,
  type TrieUpdate,
  updateTrie,
} from "./trie.ts";
