import { type Bytes, hex, must, toHexDigits } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import { StorageError } from "./errors.ts";
import type { KeyRange, Store, StoreSnapshot } from "./types.ts";

type Version = { readonly number: number; readonly value: Bytes | undefined };

/** A Store that lives and dies with the process: for tests, the simulator and chains without a disk. */
export function createMemoryStore(): Store {
  return storeOn(new MemoryTable());
}

/** A Store on a table that outlives it: closing the store leaves the table as it is. */
export function storeOn(table: MemoryTable): Store {
  let isOpen = true;
  const checkOpen = (): void => {
    if (!isOpen) throw new StorageError("storage/closed", "the store was closed");
  };
  return {
    get: (key) => {
      checkOpen();
      return table.get(key, undefined);
    },
    entries: (range) => iterate(table, range, undefined, checkOpen),
    write: async (batch) => {
      checkOpen();
      table.write(batch);
    },
    snapshot: () => {
      checkOpen();
      return takeSnapshot(table, checkOpen);
    },
    close: async () => {
      isOpen = false;
    },
  };
}

function takeSnapshot(table: MemoryTable, checkOpen: () => void): StoreSnapshot {
  const version = table.pin();
  let isHeld = true;
  const checkHeld = (): void => {
    checkOpen();
    if (!isHeld) throw new StorageError("storage/closed", "the snapshot was released");
  };
  return {
    get: (key) => {
      checkHeld();
      return table.get(key, version);
    },
    entries: (range) => iterate(table, range, version, checkHeld),
    release: async () => {
      if (isHeld) table.unpin(version);
      isHeld = false;
    },
  };
}

/** Iterates over the state at its start, as LevelDB does, whatever is written meanwhile. */
async function* iterate(
  table: MemoryTable,
  range: KeyRange,
  version: number | undefined,
  check: () => void,
): AsyncGenerator<readonly [Bytes, Bytes], void, undefined> {
  check();
  const pinned = version ?? table.pin();
  try {
    let left = range.limit ?? Number.POSITIVE_INFINITY;
    for (const key of table.keysBetween(range)) {
      if (left <= 0) return;
      check();
      const value = table.get(key, pinned);
      if (value === undefined) continue;
      left -= 1;
      yield [key, value];
    }
  } finally {
    if (version === undefined) table.unpin(pinned);
  }
}

/** A map from byte strings that remembers old values for as long as somebody has pinned a version. */
export class MemoryTable {
  readonly #values = new Map<string, readonly Version[]>();
  readonly #pins = new Map<number, number>();
  #version = 0;
  #sortedKeys: string[] | undefined;

  /** @param version one that is pinned, or undefined for the newest. */
  get(key: Bytes, version: number | undefined): Bytes | undefined {
    const versions = this.#values.get(toHexDigits(key));
    if (versions === undefined) return undefined;
    if (version === undefined) return versions.at(-1)?.value;
    return versions.findLast((candidate) => candidate.number <= version)?.value;
  }

  write(batch: readonly WriteOperation[]): void {
    this.#version += 1;
    const oldestPin = this.#pins.size === 0 ? undefined : Math.min(...this.#pins.keys());
    for (const { key, value } of batch) this.#put(toHexDigits(key), value?.slice(), oldestPin);
  }

  /** Writes what this table holds now into another. */
  copyTo(target: MemoryTable): void {
    const batch = [...this.#values].map(([name, versions]) => ({
      key: hex(name),
      value: versions.at(-1)?.value,
    }));
    target.write(batch);
  }

  pin(): number {
    this.#pins.set(this.#version, (this.#pins.get(this.#version) ?? 0) + 1);
    return this.#version;
  }

  unpin(version: number): void {
    const count = must(this.#pins.get(version), "only a pinned version can be unpinned");
    if (count > 1) this.#pins.set(version, count - 1);
    else this.#pins.delete(version);
  }

  /** Keys of the range that have a value in any version kept, in the order asked for. */
  keysBetween(range: KeyRange): readonly Bytes[] {
    const sorted = this.#sortedKeys ?? [...this.#values.keys()].sort();
    this.#sortedKeys = sorted;
    const [start, end] = [toHexDigits(range.start), toHexDigits(range.end)];
    const keys = sorted.slice(
      lowerBound(sorted, start),
      Math.max(lowerBound(sorted, start), lowerBound(sorted, end)),
    );
    return (range.reverse === true ? keys.reverse() : keys).map(hex);
  }

  #put(name: string, value: Bytes | undefined, oldestPin: number | undefined): void {
    const before = this.#values.get(name) ?? [];
    const kept = oldestPin === undefined ? [] : visibleFrom(before, oldestPin);
    const earlier = kept.filter((candidate) => candidate.number < this.#version);
    const versions = [...earlier, { number: this.#version, value }];
    const isGone = versions.every((candidate) => candidate.value === undefined);
    if (isGone === before.length > 0) this.#sortedKeys = undefined;
    if (isGone) this.#values.delete(name);
    else this.#values.set(name, versions);
  }
}

/** The versions that somebody who pinned `oldestPin` or later can still ask for. */
function visibleFrom(versions: readonly Version[], oldestPin: number): readonly Version[] {
  const first = versions.findLastIndex((candidate) => candidate.number <= oldestPin);
  return versions.slice(Math.max(first, 0));
}

/** Index of the first key that is not below `bound`. Hex digits sort as the bytes they stand for. */
function lowerBound(sorted: readonly string[], bound: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (must(sorted[middle], "the middle lies inside") < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
