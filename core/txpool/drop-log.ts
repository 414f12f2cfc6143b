import { type Hash, must, toHexDigits } from "@ostrom/base";
import type { Dropped, DropReason } from "./types.ts";

/** Why transactions were dropped: the newest `limit` of them, and those that nobody has taken yet. */
export type DropLog = {
  readonly limit: number;
  /** By hash as hex digits, oldest first. */
  readonly reasons: Map<string, DropReason>;
  untaken: Dropped[];
};

export function createDropLog(limit: number): DropLog {
  return { limit, reasons: new Map(), untaken: [] };
}

export function logDrop(log: DropLog, hash: Hash, reason: DropReason): void {
  const key = toHexDigits(hash);
  // Deleting first moves a repeated hash to the end.
  log.reasons.delete(key);
  log.reasons.set(key, reason);
  if (log.reasons.size > log.limit) {
    log.reasons.delete(must(log.reasons.keys().next().value, "a full log must have an oldest entry"));
  }
  log.untaken.push({ hash, reason });
  // Nobody listens: the news of long ago goes first.
  if (log.untaken.length > 2 * log.limit) log.untaken = log.untaken.slice(-log.limit);
}

/** A transaction that is back, or in a block after all, is not dropped. */
export function forgetDrop(log: DropLog, key: string): void {
  log.reasons.delete(key);
}

export function takeDrops(log: DropLog): Dropped[] {
  const taken = log.untaken;
  log.untaken = [];
  return taken;
}
