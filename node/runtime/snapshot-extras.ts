import { type Bytes, concatBytes, uint64ToBytes } from "@ostrom/base";
import { decodeCursors } from "@ostrom/dissemination";
import type { WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES } from "@ostrom/storage";

/** A further table of the chain whose records a node needs that begins with a snapshot.
 *
 * No certificate covers them, so nothing that is in one may decide what a block does: only a node's own conduct may depend on it.
 *
 * Cursors of batches (rule D5 of core/dissemination) decide for which payloads a node votes and which batches it proposes, never what is executed:
 * that is in the final block, in its order. With false cursors a node refuses payloads that are right, or votes for a reference that others refuse; they
 * are taken only for the epoch of the pinned block, and an epoch begins with none: after its end, which is where most states are pinned, they
 * say nothing. */
export type SnapshotExtra = {
  readonly name: string;
  /** Whether the record is kept as it was told. */
  readonly isKept: (value: Bytes, epoch: number) => boolean;
  /** Keys of its records, of a block of this epoch; a record that is not there is left out. */
  readonly keysAt: (epoch: number) => readonly Bytes[];
};

/** Of the epoch of the pinned block and of the next. */
export const CHECKPOINT_SETS = "checkpoint-sets";

/** What is carried. A server reads the records when it pins a block, and may be some blocks further: what they say then is that those blocks'
 * batches were ordered too, which the joining node is told again. */
export const SNAPSHOT_EXTRAS: readonly SnapshotExtra[] = [
  {
    name: "batch-cursors",
    isKept: (value, epoch) => {
      const cursors = decodeCursors(value);
      return cursors.ok && cursors.value.epoch === epoch;
    },
    keysAt: () => [Uint8Array.of(CHAIN_TABLES.batchCursors)],
  },
  {
    name: CHECKPOINT_SETS,
    // Read from state instead (snapshot-sets.ts).
    isKept: () => false,
    keysAt: (epoch) => [epoch, epoch + 1].map((one) => epochKey(CHAIN_TABLES.checkpointSet, one)),
  },
];

/** Longest record. */
const MAX_EXTRA_BYTES = 1_048_576;

/** How a record is named: its table, and its place in `keysAt`. */
export function recordOf(name: string, index: number): string {
  return `${name}/${index}`;
}

/** The writes of what came; what has no known name, is too long, or is not kept, is passed over. */
export function extraOperations(
  epoch: number,
  extras: readonly { readonly name: string; readonly value: Bytes }[],
): WriteOperation[] {
  const known = new Map(
    SNAPSHOT_EXTRAS.flatMap(({ name, keysAt, isKept }) =>
      keysAt(epoch).map((key, index) => [recordOf(name, index), { key, isKept }] as const),
    ),
  );
  return extras.flatMap(({ name, value }) => {
    const found = known.get(name);
    const isTaken = found !== undefined && value.length <= MAX_EXTRA_BYTES && found.isKept(value, epoch);
    return isTaken ? [{ key: found.key, value }] : [];
  });
}

function epochKey(table: number, epoch: number): Bytes {
  return concatBytes(Uint8Array.of(table), uint64ToBytes(epoch));
}
