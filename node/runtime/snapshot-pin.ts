import { type Bytes, type Hash, must, toHexDigits, unwrap } from "@ostrom/base";
import { decodeBlock } from "@ostrom/consensus";
import { type EpochSchedule, encodeHeader, epochOfHeight, frozenHeight, lastHeight } from "@ostrom/execution";
import {
  historicalTries,
  mergeUndos,
  readUndo,
  type StateTries,
  type StateUndo,
  storeReader,
  storeTries,
  type TrieHash,
  type TrieNodeReader,
} from "@ostrom/state";
import {
  type OrderedRecord,
  readHead,
  readHeader,
  readOrdered,
  readSealProof,
  readStateCertificate,
  type StoreSnapshot,
  type StoreView,
} from "@ostrom/storage";
import { servedBody } from "./snapshot-body.ts";
import { recordOf, SNAPSHOT_EXTRAS } from "./snapshot-extras.ts";
import { MAX_PIN_ANSWER_BYTES, type Pin, type PinnedBlock } from "./snapshot-messages.ts";

/** Blocks between two states that may be served, inside of an epoch: the last block of an epoch always is one. Epochs may be a day long, and
 * who joins executes all since the served state. */
export const PIN_SPACING_BLOCKS = 1_024;
/** BLOCKHASH of the next block reaches this far back. */
export const PINNED_HEADERS = 256;
/** A certificate is looked for so far above the pinned block: they are formed for most heights, not for all. */
export const MAX_CERTIFICATE_DISTANCE = 64;
/** Accounts that may have changed between a pinned block and the state that is stored when it is pinned: they are held in memory. */
const MAX_CHANGED_ACCOUNTS = 200_000;
/** Storage tries of the pinned block that are held in memory. */
const MAX_KEPT_TRIES = 256;

/** A state that is served: a snapshot of the database, and what leads from it back to the pinned block. */
export type PinnedState = {
  readonly pin: Pin;
  readonly stateRoot: Hash;
  readonly tries: StateTries;
  readonly block: PinnedBlock;
  readonly snapshot: StoreSnapshot;
};

/** Whether the state after a block may be served. Where the next set is decided and the epoch is not over, state holds the next set's leader
 * seed and no longer that of the set in force, which consensus still needs. */
export function isPinHeight(schedule: EpochSchedule, height: number, spacing: number): boolean {
  if (height <= 0) return false;
  const epoch = epochOfHeight(schedule, height);
  if (height === lastHeight(schedule, epoch)) return true;
  const first = lastHeight(schedule, epoch - 1) + 1;
  return height < frozenHeight(schedule, epoch) && (height - first + 1) % spacing === 0;
}

/** The newest height not above this one whose state may be served; 0 if there is none. */
export function newestPinHeight(schedule: EpochSchedule, height: number, spacing: number): number {
  for (let at = height; at > 0; at--) if (isPinHeight(schedule, at, spacing)) return at;
  return 0;
}

/** Opens the state after a block.
 * @param snapshot is the pinned state's to release; not if there is none.
 * @returns undefined if that cannot be served: too much has changed since, or what proves the block is not there (yet). */
export function openPinnedState(
  snapshot: StoreSnapshot,
  schedule: EpochSchedule,
  height: number,
  hash: TrieHash,
): PinnedState | undefined {
  const head = must(readHead(snapshot), "an open chain has a head").height;
  const stored = readHeader(snapshot, height);
  const block = stored === undefined ? undefined : pinnedBlock(snapshot, schedule, height);
  const undos = undosBack(snapshot, head, height);
  if (stored === undefined || block === undefined || undos === undefined) return undefined;
  const headRoot = must(readHeader(snapshot, head), "the head's header is stored").header.stateRoot;
  const history = mergeUndos(headRoot, undos);
  const current = { reader: storeReader(snapshot), tries: storeTries(snapshot), stateRoot: headRoot };
  const tries =
    history.accounts.size === 0 ? current.tries : keptTries(historicalTries(current, history, hash));
  const pin = { height, blockHash: stored.hash };
  return {
    pin,
    stateRoot: stored.header.stateRoot,
    tries,
    block,
    snapshot,
  };
}

/** Storage tries of older states are computed anew each time that they are asked for. */
function keptTries(tries: StateTries): StateTries {
  const kept = new Map<string, TrieNodeReader>();
  return {
    accounts: tries.accounts,
    storage: (accountHash) => {
      const key = toHexDigits(accountHash);
      const found = kept.get(key) ?? tries.storage(accountHash);
      if (kept.size >= MAX_KEPT_TRIES) kept.clear();
      kept.set(key, found);
      return found;
    },
  };
}

function undosBack(view: StoreView, head: number, height: number): readonly StateUndo[] | undefined {
  const undos: StateUndo[] = [];
  let accounts = 0;
  for (let at = head; at > height; at--) {
    const undo = readUndo(view, at);
    accounts += undo?.accounts.length ?? 0;
    if (undo === undefined || accounts > MAX_CHANGED_ACCOUNTS) return undefined;
    undos.push(undo);
  }
  return undos;
}

/** What proves a block, and lets a node begin above it. */
function pinnedBlock(view: StoreView, schedule: EpochSchedule, height: number): PinnedBlock | undefined {
  const certified = certifiedFrom(view, height);
  const ordered = orderedUpTo(view, height);
  if (certified === undefined || ordered === undefined) return undefined;
  const first = Math.max(1, height - PINNED_HEADERS + 1);
  const headers = [];
  for (let at = first; at <= certified.height; at++) {
    const stored = readHeader(view, at);
    if (stored !== undefined) headers.push(encodeHeader(stored.header));
    else if (at >= height) return undefined;
  }
  const epoch = epochOfHeight(schedule, height);
  const isLast = height === lastHeight(schedule, epoch);
  const sealProof = isLast ? readSealProof(view, epoch) : new Uint8Array(0);
  if (sealProof === undefined) return undefined;
  const extras = SNAPSHOT_EXTRAS.flatMap(({ name, keysAt }) =>
    keysAt(epoch).flatMap((key, index) => {
      const value = view.get(key);
      return value === undefined ? [] : [{ name: recordOf(name, index), value }];
    }),
  );
  const body = servedBody(view, height);
  return { headers, certificate: certified.bytes, ordered, sealProof, body, extras };
}

function certifiedFrom(
  view: StoreView,
  height: number,
): { readonly height: number; readonly bytes: Bytes } | undefined {
  for (let at = height; at <= height + MAX_CERTIFICATE_DISTANCE; at++) {
    const bytes = readStateCertificate(view, at);
    if (bytes !== undefined) return { height: at, bytes };
  }
  return undefined;
}

/** Ordered blocks above the one whose certificate the pinned one carries: a start counts them in the execution window. */
function orderedUpTo(view: StoreView, height: number): readonly OrderedRecord[] | undefined {
  const pinned = readOrdered(view, height);
  if (pinned === undefined) return undefined;
  const carried = unwrap(decodeBlock(pinned.block)).stateCertificate?.executed.height ?? 0;
  const records: OrderedRecord[] = [];
  let bytes = 0;
  for (let at = Math.max(1, carried + 1); at <= height; at++) {
    const record = readOrdered(view, at);
    if (record === undefined) return undefined;
    bytes += record.block.length + record.finalization.length;
    records.push(record);
  }
  return bytes > MAX_PIN_ANSWER_BYTES / 2 || records.length > PINNED_HEADERS ? undefined : records;
}
