import { type Hash, must } from "@ostrom/base";
import { type ChainRules, chainHash } from "@ostrom/execution";
import type { EventListener } from "@ostrom/rpc";
import {
  changesBack,
  commitOperations,
  commitState,
  mergeUndos,
  readUndo,
  storeState,
  undoKey,
  type WriteOperation,
} from "@ostrom/state";
import { readBody, readHead, readHeader, readReceipts, unwindOperations } from "@ostrom/storage";
import { cutReservedOperations, rangeOf } from "./reserved-blocks.ts";
import type { RewindableStore } from "./rewindable-store.ts";

/** A block that is taken off is told to subscribers; of very many, the newest and the oldest. */
const MAX_TOLD_BLOCKS = 256;

/** Tells subscribers that the blocks above a height are no more: newest first, while they can still be read. */
export function tellUnwound(
  store: RewindableStore,
  listeners: Iterable<EventListener>,
  height: number,
): void {
  const newest = must(readHead(store), "an open chain has a head").height;
  const told = Math.min(newest - height, MAX_TOLD_BLOCKS);
  for (let index = 0; index < told; index++) {
    const number = index === told - 1 ? height + 1 : newest - index;
    const { hash, header } = must(readHeader(store, number), "a block of the chain has a header");
    const transactions = readBody(store, number) ?? [];
    const receipts = readReceipts(store, number) ?? [];
    for (const listener of listeners)
      listener.onUnwound?.({ block: { hash, header, transactions }, receipts });
  }
}

/** Takes blocks off a development chain, down to one that stays the newest.
 * @param stateRoot of the newest state. @returns the root of the state that is left, as a developer may have changed it. */
export async function unwindTo(
  store: RewindableStore,
  target: number,
  stateRoot: Hash,
  rules: ChainRules,
): Promise<Hash> {
  const hash = chainHash(rules);
  let root = stateRoot;
  while (true) {
    const { height } = must(readHead(store), "an open chain has a head");
    if (height <= target) return root;
    const reserved = rangeOf(store, height);
    if (reserved !== undefined) {
      await store.write(cutReservedOperations(store, target, rules), { sync: false });
      continue;
    }
    const undo = must(readUndo(store, height), "a block that was made can be undone");
    const changes = changesBack(mergeUndos(root, [undo]));
    const commit = commitState({ ...storeState(store), stateRoot: root }, changes, hash);
    const gone: WriteOperation = { key: undoKey(height), value: undefined };
    await store.write([...commitOperations(commit, undefined), gone, ...unwindOperations(store)], {
      sync: false,
    });
    root = commit.stateRoot;
  }
}
