import {
  Address,
  assert,
  type Bytes,
  bytesToUint64,
  concatBytes,
  equalBytes,
  Hash,
  toHexDigits,
  uint64ToBytes,
  unwrap,
} from "@ostrom/base";
import { decodeRlpWith, encodeRlp, readRlpBytes, readRlpList } from "@ostrom/codec";
import {
  type FetchedAccount,
  nextTrieKey,
  SNAPSHOT_TABLES,
  STATE_TABLES,
  splitRange,
  type TrieRange,
  type WriteOperation,
} from "@ostrom/state";
import type { Store } from "@ostrom/storage";
import type { Pin } from "./snapshot-messages.ts";

/** Ranges of accounts that may be fetched side by side. */
const ACCOUNT_RANGES = 16;
/** Entries that are deleted at one time. */
const BATCH_ENTRIES = 4_096;

/** A part of a state that is still to be fetched. Each has a record in the store until what it stands for is written, in the same batch:
 * what is on disk is at any time what the records do not name. */
export type SnapshotTask =
  | { readonly kind: "accounts"; readonly index: number; readonly range: TrieRange }
  | {
      readonly kind: "slots";
      readonly address: Address;
      readonly accountHash: Hash;
      readonly storageRoot: Hash;
      readonly start: Bytes;
    }
  | { readonly kind: "code"; readonly codeHash: Hash };

const PIN_KEY = progressKey(0);
/** Of no block that is served. */
const NO_PIN: Pin = { height: 0, blockHash: Hash(new Uint8Array(32)) };
const ACCOUNTS = 2;
const SLOTS = 3;
const CODES = 4;

/** What is still to be fetched of one state. */
export class SnapshotTasks {
  readonly #waiting = {
    accounts: new Map<string, SnapshotTask>(),
    slots: new Map<string, SnapshotTask>(),
    code: new Map<string, SnapshotTask>(),
  };
  readonly #taken = new Set<string>();

  /** Goes on where the last run of this node ended, if it fetched the same state; begins anew otherwise.
   * Rejects with StorageError. */
  static async open(store: Store, pin: Pin): Promise<SnapshotTasks> {
    const tasks = new SnapshotTasks();
    const before = readStartedSnapshot(store);
    if (before?.height === pin.height && equalBytes(before.blockHash, pin.blockHash)) {
      await tasks.#load(store);
      return tasks;
    }
    // Code is named by its hash: what came is right for every state.
    await wipeStartedSnapshot(store, { keepsCode: true });
    const first: readonly SnapshotTask[] = splitRange(ACCOUNT_RANGES).map((range, index) => ({
      kind: "accounts",
      index,
      range,
    }));
    const operations = first.map((task) => tasks.#put(task));
    await store.write([...operations, { key: PIN_KEY, value: encodePin(pin) }], { sync: true });
    return tasks;
  }

  get isDone(): boolean {
    const { accounts, slots, code } = this.#waiting;
    return accounts.size + slots.size + code.size === 0;
  }

  /** Tasks of one kind that nobody works on, which count as taken from now on: small things first, so that they do not pile up. */
  take(most: Readonly<Record<SnapshotTask["kind"], number>>): readonly SnapshotTask[] {
    for (const kind of ["code", "slots", "accounts"] as const) {
      const found: SnapshotTask[] = [];
      for (const [key, task] of this.#waiting[kind]) {
        if (found.length >= most[kind]) break;
        if (this.#taken.has(key)) continue;
        this.#taken.add(key);
        found.push(task);
      }
      if (found.length > 0) return found;
    }
    return [];
  }

  /** They are somebody else's again. */
  release(tasks: readonly SnapshotTask[]): void {
    for (const task of tasks) this.#taken.delete(nameOf(task));
  }

  /** The writes that note how far a task is. @param last key that came; undefined: the task is done. */
  advance(task: SnapshotTask, last: Bytes | undefined): WriteOperation {
    const next = last === undefined ? undefined : nextTrieKey(last);
    if (next === undefined || task.kind === "code") return this.#remove(task);
    if (task.kind === "slots") return this.#put({ ...task, start: next });
    return this.#put({ ...task, range: { start: next, end: task.range.end } });
  }

  /** The writes that note what accounts need. @param hasCode whether code is stored already. */
  add(accounts: readonly FetchedAccount[], hasCode: (codeHash: Hash) => boolean): WriteOperation[] {
    const operations: WriteOperation[] = [];
    for (const { address, accountHash, account, hasStorage, hasCode: needsCode } of accounts) {
      const { storageRoot, codeHash } = account;
      const start = new Uint8Array(32);
      if (hasStorage) operations.push(this.#put({ kind: "slots", address, accountHash, storageRoot, start }));
      const code: SnapshotTask = { kind: "code", codeHash };
      if (needsCode && !this.#waiting.code.has(nameOf(code)) && !hasCode(codeHash))
        operations.push(this.#put(code));
    }
    return operations;
  }

  async #load(store: Store): Promise<void> {
    const start = progressKey(ACCOUNTS);
    const end = progressKey(CODES + 1);
    for await (const [key, value] of store.entries({ start, end })) {
      const task = readTask(key, value);
      this.#waiting[task.kind].set(nameOf(task), task);
    }
  }

  #put(task: SnapshotTask): WriteOperation {
    this.#waiting[task.kind].set(nameOf(task), task);
    return recordOf(task);
  }

  #remove(task: SnapshotTask): WriteOperation {
    this.#waiting[task.kind].delete(nameOf(task));
    return { key: recordOf(task).key, value: undefined };
  }
}

/** The state that a node has begun to fetch, and has not whole. */
export function readStartedSnapshot(store: Pick<Store, "get">): Pin | undefined {
  const record = store.get(PIN_KEY);
  return record === undefined ? undefined : decodePin(record);
}

/** The write that ends it, in the batch with which the store looks whole. */
export function endSnapshotOperation(): WriteOperation {
  return { key: PIN_KEY, value: undefined };
}

/** Removes all that was fetched. First it says that the rest is of no state: who is ended in the middle begins to remove it again, and
 * takes it for a part of none. The record of that is removed last. */
export async function wipeStartedSnapshot(
  store: Store,
  { keepsCode = false }: { readonly keepsCode?: boolean } = {},
): Promise<void> {
  if (readStartedSnapshot(store) !== undefined)
    await store.write([{ key: PIN_KEY, value: encodePin(NO_PIN) }], { sync: false });
  const tables = [
    ...(keepsCode ? [] : [STATE_TABLES.code]),
    STATE_TABLES.account,
    STATE_TABLES.slot,
    STATE_TABLES.accountNode,
    STATE_TABLES.storageNode,
    SNAPSHOT_TABLES.accountPreimage,
    SNAPSHOT_TABLES.slotPreimage,
    SNAPSHOT_TABLES.progress,
  ];
  for (const table of tables) {
    let operations: WriteOperation[] = [];
    for await (const [key] of store.entries({ start: Uint8Array.of(table), end: Uint8Array.of(table + 1) })) {
      operations.push({ key, value: undefined });
      if (operations.length < BATCH_ENTRIES) continue;
      await store.write(operations, { sync: false });
      operations = [];
    }
    await store.write(operations, { sync: false });
  }
}

function nameOf(task: SnapshotTask): string {
  return toHexDigits(recordOf(task).key);
}

function recordOf(task: SnapshotTask): { readonly key: Bytes; readonly value: Bytes } {
  switch (task.kind) {
    case "accounts":
      return {
        key: progressKey(ACCOUNTS, Uint8Array.of(task.index)),
        value: encodeRlp([task.range.start, task.range.end]),
      };
    case "slots":
      return {
        key: progressKey(SLOTS, task.accountHash),
        value: encodeRlp([task.address, task.storageRoot, task.start]),
      };
    case "code":
      return { key: progressKey(CODES, task.codeHash), value: Uint8Array.of(1) };
    default:
      return task satisfies never;
  }
}

function readTask(key: Bytes, value: Bytes): SnapshotTask {
  const name = key.slice(2);
  if (key[1] === CODES) return { kind: "code", codeHash: Hash(name) };
  const fields = unwrap(
    decodeRlpWith(value.slice(), (item) => readRlpList(item, "task").map((one) => readRlpBytes(one, "task"))),
  );
  if (key[1] === ACCOUNTS) {
    const [start, end] = fields;
    assert(start !== undefined && end !== undefined, "a range has two ends");
    return { kind: "accounts", index: name[0] ?? 0, range: { start, end } };
  }
  const [address, storageRoot, start] = fields;
  assert(
    address !== undefined && storageRoot !== undefined && start !== undefined,
    "a task has three fields",
  );
  return {
    kind: "slots",
    accountHash: Hash(name),
    address: Address(address),
    storageRoot: Hash(storageRoot),
    start,
  };
}

function encodePin({ height, blockHash }: Pin): Bytes {
  return concatBytes(uint64ToBytes(height), blockHash);
}

function decodePin(bytes: Bytes): Pin {
  return { height: bytesToUint64(bytes.subarray(0, 8)), blockHash: Hash(bytes.slice(8)) };
}

function progressKey(kind: number, name: Bytes = new Uint8Array(0)): Bytes {
  return concatBytes(Uint8Array.of(SNAPSHOT_TABLES.progress, kind), name);
}
