import { assert } from "@ostrom/base";

/** Transactions that one block may have in the index: a position has 20 bits for them. */
export const MAX_BLOCK_TRANSACTIONS: number = 2 ** 20;

/** Where a transaction stands in the chain (migrations/0001). */
export function positionOf(block: number, index: number): number {
  assert(index < MAX_BLOCK_TRANSACTIONS, "a block has fewer transactions than a position can tell apart");
  return block * MAX_BLOCK_TRANSACTIONS + index;
}

export function blockOf(position: number): number {
  return Math.floor(position / MAX_BLOCK_TRANSACTIONS);
}

export function indexOf(position: number): number {
  return position % MAX_BLOCK_TRANSACTIONS;
}
