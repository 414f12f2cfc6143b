import { assert, equalBytes, must } from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import {
  changesBack,
  commitOperations,
  commitState,
  mergeUndos,
  readUndo,
  storeState,
  undoKey,
} from "@ostrom/state";
import {
  readHead,
  readHeader,
  readMeta,
  type Store,
  type StoredHeader,
  unwindOperations,
} from "@ostrom/storage";
import type { ExecutedHead, Execution } from "./execution-port.ts";

/** Execution that can go back: what an engine needs whose chain may be reorganised. */
export type UnwindingExecution = Execution & {
  /** Takes the newest block off, durably: its state, its records, the head. Does nothing if it is off already.
   * @param height the newest block's.
   * @returns the head that is left. Rejects with `chain/history-too-short` if its reverse difference is no longer kept. */
  readonly unwind: (height: number) => Promise<ExecutedHead>;
};

/** Takes the newest block of a store off, in one synced batch: accounts, slots, trie nodes, the block and all that names it, and
 * its reverse difference; code stays, whoever names it. Asserts that the state's root comes out as the parent's header has it.
 * @returns the parent, which is the head now. Rejects with `chain/history-too-short`. */
export async function unwindHead(store: Store): Promise<StoredHeader> {
  const { height } = must(readHead(store), "a chain that is unwound has a head");
  const { header } = must(readHeader(store, height), "the head's header is stored");
  const parent = must(readHeader(store, height - 1), "the parent of the head is stored");
  const undo = readUndo(store, height);
  if (undo === undefined) {
    const message = `the reverse difference of block ${height} is no longer kept: give node.json more "historyBlocks"`;
    throw Object.assign(new Error(message), { code: "chain/history-too-short" });
  }
  const { stateRoot } = header;
  const hash = chainHash(must(readMeta(store), "an open chain has a name"));
  const changes = changesBack(mergeUndos(stateRoot, [undo]));
  const commit = commitState({ ...storeState(store), stateRoot }, changes, hash);
  assert(
    equalBytes(commit.stateRoot, parent.header.stateRoot),
    "undoing a block must lead to its parent's state root",
  );
  await store.write(
    [
      ...commitOperations(commit, undefined),
      { key: undoKey(height), value: undefined },
      ...unwindOperations(store),
    ],
    { sync: true },
  );
  return parent;
}
