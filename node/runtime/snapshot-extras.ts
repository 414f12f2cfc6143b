import { type Bytes, concatBytes, uint64ToBytes } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES } from "@ostrom/storage";

/** A further table of the chain whose records a node needs that begins with a snapshot. To snapshots they are opaque.
 *
 * No certificate covers them, so nothing that is in one may decide what a block does: only a node's own conduct may depend on it. */
export type SnapshotExtra = {
  readonly name: string;
  /** Keys of its records, of a block of this epoch; a record that is not there is left out. */
  readonly keysAt: (epoch: number) => readonly Bytes[];
};

/** What is carried. A server reads the records when it pins a block, and may be some blocks further: what they say then is that those blocks'
 * batches were ordered too, which the joining node is told again. */
export const SNAPSHOT_EXTRAS: readonly SnapshotExtra[] = [
  { name: "batch-cursors", keysAt: () => [Uint8Array.of(CHAIN_TABLES.batchCursors)] },
  {
    name: "checkpoint-sets",
    keysAt: (epoch) => [epoch, epoch + 1].map((one) => epochKey(CHAIN_TABLES.checkpointSet, one)),
  },
];

/** Longest record. */
const MAX_EXTRA_BYTES = 1_048_576;

/** How a record is named: its table, and its place in `keysAt`. */
export function recordOf(name: string, index: number): string {
  return `${name}/${index}`;
}

/** The writes of what came; what has no known name, or is too long, is passed over. */
export function extraOperations(
  epoch: number,
  extras: readonly { readonly name: string; readonly value: Bytes }[],
): WriteOperation[] {
  const keys = new Map(
    SNAPSHOT_EXTRAS.flatMap(({ name, keysAt }) =>
      keysAt(epoch).map((key, index) => [recordOf(name, index), key] as const),
    ),
  );
  return extras.flatMap(({ name, value }) => {
    const key = keys.get(name);
    return key === undefined || value.length > MAX_EXTRA_BYTES ? [] : [{ key, value }];
  });
}

function epochKey(table: number, epoch: number): Bytes {
  return concatBytes(Uint8Array.of(table), uint64ToBytes(epoch));
}
