export { decodeAccount, EMPTY_CODE_HASH, encodeAccount } from "./account.ts";
export {
  type AccountProof,
  proveAccount,
  type SlotProof,
  verifyAccountProof,
  verifySlotProof,
} from "./account-proof.ts";
export { type CodeCache, createCodeCache } from "./code-cache.ts";
export {
  type AccountRecord,
  type AccountUndo,
  type CodeRecord,
  type CommittedState,
  commitState,
  type OwnedNodeChange,
  type SlotRecord,
  type StateCommit,
  type StateTries,
  type StateUndo,
} from "./commit.ts";
export { type GenesisAccount, genesisChanges } from "./genesis-accounts.ts";
export {
  type AccountHistory,
  changesBack,
  historicalReader,
  historicalTries,
  mergeUndos,
  type StateHistory,
} from "./history.ts";
export {
  accountKey,
  codeKey,
  commitOperations,
  nodeKey,
  readUndo,
  readUndos,
  STATE_TABLES,
  slotRecordKey,
  storeReader,
  storeState,
  storeTries,
  undoKey,
} from "./keys.ts";
export { MemoryState } from "./memory-state.ts";
export { orderedTrieRoot } from "./ordered-trie.ts";
export { StateOverlay } from "./overlay.ts";
export { type ProofErrorCode, proveTrie, verifyTrieProof } from "./proof.ts";
export {
  MAX_RANGE_PROOF_NODES,
  nextTrieKey,
  proveRange,
  type RangeAnswer,
  type RangeLimits,
  type RangeProofErrorCode,
  type TrieRange,
  verifyRange,
} from "./range-proof.ts";
export {
  type AccountRange,
  acceptAccounts,
  acceptSlots,
  type FetchedAccount,
  FULL_RANGE,
  preimageOfRecord,
  preimagesOf,
  type ServedTrie,
  type SlotRange,
  SNAPSHOT_TABLES,
  type SnapshotErrorCode,
  serveAccounts,
  serveSlots,
  splitRange,
} from "./snapshot.ts";
export { createStateCache, type StateCache } from "./state-cache.ts";
export {
  EMPTY_TRIE_NODES,
  MAX_TRIE_KEY_BYTES,
  type TrieNodeChange,
  type TrieUpdate,
  updateTrie,
} from "./trie.ts";
export { type TrieEntry, trieEntries } from "./trie-entries.ts";
export { EMPTY_TRIE_ROOT, emptyTrieRoot, type TrieHash } from "./trie-hash.ts";
export { readTrie } from "./trie-read.ts";
export type {
  Account,
  AccountChange,
  JournaledState,
  KeyValueReader,
  KeyValueStore,
  Log,
  PlainTransfer,
  SlotChange,
  StateChanges,
  StateReader,
  TrieNodeReader,
  WriteOperation,
} from "./types.ts";
export { decodeUndo, encodeUndo } from "./undo.ts";
