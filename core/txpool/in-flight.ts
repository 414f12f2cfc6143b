import { toHexDigits } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";

/** Transactions of ordered blocks that are not executed here yet, by the name of the block. */
export type InFlight = {
  readonly blocks: Map<string, readonly SignedTransaction[]>;
  /** How many marked blocks have it, by the hash as hex digits. */
  readonly hashes: Map<string, number>;
  /** How many marked blocks have it, by sender (hex digits), then nonce. */
  readonly nonces: Map<string, Map<bigint, number>>;
};

export function createInFlight(): InFlight {
  return { blocks: new Map(), hashes: new Map(), nonces: new Map() };
}

export function markBlock(
  inFlight: InFlight,
  block: string,
  transactions: readonly SignedTransaction[],
): void {
  if (inFlight.blocks.has(block)) return;
  inFlight.blocks.set(block, transactions);
  for (const transaction of transactions) {
    const key = toHexDigits(transaction.hash);
    inFlight.hashes.set(key, (inFlight.hashes.get(key) ?? 0) + 1);
    const sender = toHexDigits(transaction.sender);
    const nonces = inFlight.nonces.get(sender) ?? new Map<bigint, number>();
    nonces.set(transaction.nonce, (nonces.get(transaction.nonce) ?? 0) + 1);
    inFlight.nonces.set(sender, nonces);
  }
}

/** @returns what was marked. */
export function unmarkBlock(inFlight: InFlight, block: string): readonly SignedTransaction[] {
  const transactions = inFlight.blocks.get(block) ?? [];
  inFlight.blocks.delete(block);
  for (const transaction of transactions) {
    decrement(inFlight.hashes, toHexDigits(transaction.hash));
    const sender = toHexDigits(transaction.sender);
    const nonces = inFlight.nonces.get(sender);
    if (nonces === undefined) continue;
    decrement(nonces, transaction.nonce);
    if (nonces.size === 0) inFlight.nonces.delete(sender);
  }
  return transactions;
}

/** Nonces that the given blocks use, by sender. */
export function noncesOf(inFlight: InFlight, blocks: readonly string[]): Map<string, Set<bigint>> {
  const used = new Map<string, Set<bigint>>();
  for (const block of blocks) {
    for (const { sender, nonce } of inFlight.blocks.get(block) ?? []) {
      const key = toHexDigits(sender);
      const nonces = used.get(key) ?? new Set<bigint>();
      nonces.add(nonce);
      used.set(key, nonces);
    }
  }
  return used;
}

function decrement<K>(counts: Map<K, number>, key: K): void {
  const count = counts.get(key) ?? 0;
  if (count <= 1) counts.delete(key);
  else counts.set(key, count - 1);
}
