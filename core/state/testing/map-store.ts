import { type Bytes, toHexDigits } from "@ostrom/base";
import type { KeyValueStore, WriteOperation } from "../index.ts";

/** A key-value store on a Map, for tests. */
export class MapStore implements KeyValueStore {
  readonly records: Map<string, Bytes> = new Map();

  get(key: Bytes): Bytes | undefined {
    return this.records.get(toHexDigits(key));
  }

  write(batch: readonly WriteOperation[]): void {
    const keys = new Set(batch.map(({ key }) => toHexDigits(key)));
    if (keys.size !== batch.length) throw new Error("a batch writes a key twice");
    for (const { key, value } of batch) {
      if (value === undefined) this.records.delete(toHexDigits(key));
      else this.records.set(toHexDigits(key), value);
    }
  }
}
