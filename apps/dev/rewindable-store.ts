import type { Bytes } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import type { Store, StoreSnapshot } from "@ostrom/storage";

/** A store that can go back to what it held. */
export type RewindableStore = Store & {
  /** Remembers what the store holds now. @returns a name for it. */
  readonly mark: () => number;
  /** Puts back what the store held at a mark, and forgets that mark and all after it. */
  readonly rewind: (mark: number) => Promise<void>;
  /** Forgets all marks. */
  readonly forgetMarks: () => void;
};

/** Where a development chain is kept. */
export type DevelopmentTable = PlainTable & {
  /** All that it holds, by `nameOf` the keys; the values are shared. */
  readonly all: () => Promise<ReadonlyMap<string, Bytes>>;
  readonly replace: (values: ReadonlyMap<string, Bytes>) => Promise<void>;
};

export type PlainTable = {
  readonly get: (key: Bytes) => Bytes | undefined;
  readonly write: (batch: readonly WriteOperation[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A key as text, for maps. */
export function nameOf(key: Bytes): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

/** The way back. */
export function keyOf(name: string): Bytes {
  return new Uint8Array(Buffer.from(name, "latin1"));
}

/** A table that lives and dies with the process. */
export function memoryTable(): DevelopmentTable {
  const values = new Map<string, Bytes>();
  return {
    get: (key) => values.get(nameOf(key)),
    write: async (batch) => {
      for (const { key, value } of batch) {
        if (value === undefined) values.delete(nameOf(key));
        else values.set(nameOf(key), value);
      }
    },
    close: async () => undefined,
    all: async () => new Map(values),
    replace: async (others) => {
      values.clear();
      for (const [name, value] of others) values.set(name, value);
    },
  };
}

/** Makes a table rewindable: while there are marks, what each write replaces is kept in memory, once for each key and mark.
 *
 * It serves one thread whose reads finish before the next write begins, so that a snapshot is the store itself. */
export function createRewindableStore(table: PlainTable): RewindableStore {
  const layers: Map<string, Bytes | undefined>[] = [];
  const view = {
    get: table.get,
    // Nobody iterates a development chain: its logs are found by bloom filters.
    entries: async function* (): AsyncGenerator<readonly [Bytes, Bytes], void, undefined> {},
  };
  return {
    ...view,
    write: (batch) => {
      const layer = layers.at(-1);
      if (layer !== undefined) {
        for (const { key } of batch) {
          const name = nameOf(key);
          if (!layer.has(name)) layer.set(name, table.get(key));
        }
      }
      return table.write(batch);
    },
    snapshot: (): StoreSnapshot => ({ ...view, release: async () => undefined }),
    close: table.close,
    mark: () => layers.push(new Map()) - 1,
    rewind: async (mark) => {
      const undone = layers.splice(mark).reverse();
      const before = new Map<string, Bytes | undefined>();
      for (const layer of undone) for (const [name, value] of layer) before.set(name, value);
      await table.write([...before].map(([name, value]) => ({ key: keyOf(name), value })));
    },
    forgetMarks: () => void layers.splice(0),
  };
}
