import { type Bytes, compareBytes, EMPTY_BYTES, equalBytes, type Hash, must, unwrap } from "@ostrom/base";
import { chainHash, type EpochSchedule } from "@ostrom/execution";
import {
  codeKey,
  decodeAccount,
  FULL_RANGE,
  readTrie,
  type SlotRange,
  serveAccounts,
  serveSlots,
  type TrieHash,
} from "@ostrom/state";
import { readHead, readMeta, readStoredSetBytes, type Store } from "@ostrom/storage";
import { createLightReads } from "./light-reads.ts";
import { extendIndex } from "./snapshot-index.ts";
import {
  MAX_CODE_ANSWER_BYTES,
  MAX_PINS,
  MAX_RANGE_ANSWER_BYTES,
  MAX_RANGE_ENTRIES,
  MAX_SET_ANSWER_BYTES,
  MAX_SET_STEPS,
  type Pin,
  type SetStep,
  type SlotOwner,
  type SnapshotAnswer,
  type SnapshotQuestion,
} from "./snapshot-messages.ts";
import { newestPinHeight, openPinnedState, PIN_SPACING_BLOCKS, type PinnedState } from "./snapshot-pin.ts";

export type SnapshotServerOptions = {
  readonly schedule: EpochSchedule;
  /** Blocks between two states that are served inside of an epoch. */
  readonly spacing?: number;
};

const GONE: SnapshotAnswer = { kind: "refused", code: "gone" };

/** Serves the states of the newest two heights that may be served, to nodes that join. It holds a snapshot of the database for each. */
export class SnapshotServer {
  readonly #store: Store;
  readonly #schedule: EpochSchedule;
  readonly #spacing: number;
  readonly #hash: TrieHash;
  /** Newest first. */
  #pinned: readonly PinnedState[] = [];
  #work: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(store: Store, { schedule, spacing = PIN_SPACING_BLOCKS }: SnapshotServerOptions) {
    this.#store = store;
    this.#schedule = schedule;
    this.#spacing = spacing;
    this.#hash = chainHash(must(readMeta(store), "an open chain has a name"));
  }

  get pins(): readonly Pin[] {
    return this.#pinned.map(({ pin }) => pin);
  }

  /** Looks whether a newer state is to be served, and lets go of the oldest one then. Call it when blocks were executed or certified.
   * Rejects with StorageError. @returns what is served. */
  refresh(): Promise<readonly Pin[]> {
    const run = this.#work.then(() => this.#refresh());
    this.#work = run.catch(() => undefined);
    return run;
  }

  /** Throws StorageError. */
  answer(question: SnapshotQuestion): SnapshotAnswer {
    switch (question.kind) {
      case "get-pins":
        return { kind: "pins", pins: this.pins };
      case "get-sets":
        return { kind: "sets", steps: this.#steps(question.fromEpoch) };
      case "get-block":
        return this.#at(question.pin, ({ block }) => ({ kind: "block", block }));
      case "get-accounts":
        return this.#at(question.pin, ({ tries, stateRoot }) => {
          const trie = { nodes: tries.accounts, root: stateRoot, index: this.#store, hash: this.#hash };
          const { start, end } = question.range;
          const isRange = compareBytes(start, end) <= 0;
          const range = isRange ? serveAccounts(trie, question.range, LIMITS) : undefined;
          return range === undefined ? GONE : { kind: "accounts", range };
        });
      case "get-slots":
        return this.#at(question.pin, (state) => {
          const ranges = this.#slots(state, question.owners);
          return ranges === undefined ? GONE : { kind: "slots", ranges };
        });
      case "get-codes":
        return this.#at(question.pin, () => this.#codes(question.hashes));
      default:
        return question satisfies never;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    await Promise.all(this.#pinned.map(({ snapshot }) => snapshot.release()));
    this.#pinned = [];
  }

  async #refresh(): Promise<readonly Pin[]> {
    const head = must(readHead(this.#store), "an open chain has a head").height;
    const height = newestPinHeight(this.#schedule, head, this.#spacing);
    if (this.#isStopped || height === 0 || this.#pinned[0]?.pin.height === height) return this.pins;
    const snapshot = this.#store.snapshot();
    let opened: PinnedState | undefined;
    try {
      opened = openPinnedState(snapshot, this.#schedule, height, this.#hash);
      if (opened !== undefined) await extendIndex(this.#store, snapshot, this.#hash);
    } finally {
      if (opened === undefined || this.#isStopped) await snapshot.release();
    }
    if (opened === undefined || this.#isStopped) return this.pins;
    const kept = [opened, ...this.#pinned];
    this.#pinned = kept.slice(0, MAX_PINS);
    await Promise.all(kept.slice(MAX_PINS).map((old) => old.snapshot.release()));
    return this.pins;
  }

  #at(pin: Pin, read: (state: PinnedState) => SnapshotAnswer): SnapshotAnswer {
    const state = this.#pinned.find(
      (one) => one.pin.height === pin.height && equalBytes(one.pin.blockHash, pin.blockHash),
    );
    return state === undefined ? GONE : read(state);
  }

  #slots({ tries, stateRoot }: PinnedState, owners: readonly SlotOwner[]): SlotRange[] | undefined {
    const ranges: SlotRange[] = [];
    let entries = 0;
    for (const { accountHash, start } of owners) {
      if (entries >= MAX_RANGE_ENTRIES) break;
      const value = readTrie(tries.accounts, stateRoot, accountHash, this.#hash);
      if (value === undefined) return undefined;
      const { storageRoot } = unwrap(decodeAccount(value));
      const nodes = tries.storage(accountHash);
      const range = serveSlots(
        { nodes, root: storageRoot, index: this.#store, hash: this.#hash },
        { start, end: FULL_RANGE.end },
        { ...LIMITS, maxEntries: MAX_RANGE_ENTRIES - entries },
      );
      if (range === undefined) return undefined;
      entries += 1 + range.slots.length;
      ranges.push(range);
      if (!range.isComplete) break;
    }
    return ranges;
  }

  #codes(hashes: readonly Hash[]): SnapshotAnswer {
    const codes: Bytes[] = [];
    let bytes = 0;
    for (const hash of hashes) {
      if (bytes > MAX_CODE_ANSWER_BYTES) break;
      const code = this.#store.get(codeKey(hash)) ?? EMPTY_BYTES;
      bytes += code.length;
      codes.push(code);
    }
    return { kind: "codes", codes };
  }

  #steps(fromEpoch: number): readonly SetStep[] {
    const reads = createLightReads(this.#store, this.#schedule, "");
    const steps: SetStep[] = [];
    let bytes = 0;
    for (let epoch = fromEpoch; steps.length < MAX_SET_STEPS && bytes < MAX_SET_ANSWER_BYTES; epoch++) {
      const set = readStoredSetBytes(this.#store, epoch + 1);
      const certificate = set === undefined ? undefined : reads.epochStep(epoch)?.bytes;
      if (set === undefined || certificate === undefined) break;
      bytes += set.length + certificate.length;
      steps.push({ certificate, set });
    }
    return steps;
  }
}

const LIMITS = { maxEntries: MAX_RANGE_ENTRIES, maxBytes: MAX_RANGE_ANSWER_BYTES };
