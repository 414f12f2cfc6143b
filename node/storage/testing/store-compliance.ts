import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, hex, toHexDigits, uint64ToBytes, utf8 } from "@ostrom/base";
import type { WriteOperation } from "@ostrom/state";
import { StorageError, type StorageErrorCode } from "../errors.ts";
import type { KeyRange, Store, StoreView } from "../types.ts";

/** A place that holds one database, which can be opened again after it was closed. */
export type StorePlace = {
  readonly open: () => Promise<Store>;
  readonly cleanUp: () => Promise<void>;
};

type Check = readonly [rule: string, check: (store: Store, place: StorePlace) => Promise<void>];

/** Registers the tests that every Store has to pass. */
export function testStoreCompliance(name: string, makePlace: () => Promise<StorePlace>): void {
  for (const [rule, check] of [...READING, ...WRITING, ...ITERATING, ...SNAPSHOTS, ...LIFE]) {
    test(`${name}: ${rule}`, async () => {
      const place = await makePlace();
      try {
        const store = await place.open();
        try {
          await check(store, place);
        } finally {
          await store.close();
        }
      } finally {
        await place.cleanUp();
      }
    });
  }
}

const put = (key: string, value: string): WriteOperation => ({ key: utf8(key), value: utf8(value) });
const drop = (key: string): WriteOperation => ({ key: utf8(key), value: undefined });
const textOf = (bytes: Bytes | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
const read = (view: StoreView, key: string): string | undefined => textOf(view.get(utf8(key)));

async function list(view: StoreView, range: KeyRange): Promise<string[]> {
  const entries: string[] = [];
  for await (const [key, value] of view.entries(range)) entries.push(`${textOf(key)}=${textOf(value)}`);
  return entries;
}

const all: KeyRange = { start: hex(""), end: hex("ffffffff") };
const isCode =
  (code: StorageErrorCode) =>
  (error: unknown): boolean =>
    error instanceof StorageError && error.code === code;

const READING: readonly Check[] = [
  ["a key never written reads as undefined", async (store) => assert.equal(store.get(utf8("a")), undefined)],
  [
    "a value reads as it was written",
    async (store) => {
      await store.write([put("a", "1")], { sync: false });
      assert.equal(read(store, "a"), "1");
    },
  ],
  [
    "an empty value is a value",
    async (store) => {
      await store.write([put("a", "")], { sync: true });
      assert.deepEqual(store.get(utf8("a")), new Uint8Array(0));
    },
  ],
  [
    "keys and values may hold any bytes, and large ones",
    async (store) => {
      const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
      const large = new Uint8Array(1_000_000).fill(7);
      await store.write(
        [
          { key: everyByte, value: large },
          { key: hex("00"), value: everyByte },
        ],
        { sync: false },
      );
      assert.deepEqual(store.get(everyByte), large);
      assert.deepEqual(store.get(hex("00")), everyByte);
      assert.equal(store.get(hex("0000")), undefined);
    },
  ],
  [
    "a value read is a plain Uint8Array that later writes do not change",
    async (store) => {
      await store.write([put("a", "before")], { sync: false });
      const value = store.get(utf8("a"));
      await store.write([put("a", "after!")], { sync: false });
      assert.equal(textOf(value), "before");
      assert.equal(Object.getPrototypeOf(value), Uint8Array.prototype);
    },
  ],
  [
    "a key may be a part of a larger buffer",
    async (store) => {
      const buffer = utf8("xxkeyxx");
      await store.write([{ key: buffer.subarray(2, 5), value: buffer.subarray(0, 2) }], { sync: false });
      buffer.fill(0);
      assert.equal(read(store, "key"), "xx");
    },
  ],
];

const WRITING: readonly Check[] = [
  [
    "a batch puts and deletes together",
    async (store) => {
      await store.write([put("a", "1"), put("b", "2")], { sync: false });
      await store.write([drop("a"), put("c", "3"), drop("never there")], { sync: true });
      assert.deepEqual(await list(store, all), ["b=2", "c=3"]);
    },
  ],
  [
    "the later operation on a key counts",
    async (store) => {
      await store.write([put("a", "1"), drop("a"), put("a", "2"), put("b", "1"), drop("b")], { sync: false });
      assert.deepEqual(await list(store, all), ["a=2"]);
    },
  ],
  ["an empty batch is a batch", async (store) => store.write([], { sync: true })],
  [
    "batches land in the order of the calls, awaited or not",
    async (store) => {
      const writes = Array.from({ length: 200 }, (_, index) =>
        store.write([put("a", String(index)), { key: uint64ToBytes(index), value: hex("01") }], {
          sync: index % 50 === 0,
        }),
      );
      await Promise.all(writes);
      assert.equal(read(store, "a"), "199");
    },
  ],
];

const letters = ["a", "b", "c", "d", "e"].map((letter) => put(letter, letter.toUpperCase()));
const between = (start: string, end: string, more: Partial<KeyRange> = {}): KeyRange => ({
  start: utf8(start),
  end: utf8(end),
  ...more,
});

const ITERATING: readonly Check[] = [
  [
    "a range holds its start and not its end",
    async (store) => {
      await store.write(letters, { sync: false });
      assert.deepEqual(await list(store, between("b", "d")), ["b=B", "c=C"]);
      assert.deepEqual(await list(store, between("bb", "dd")), ["c=C", "d=D"]);
    },
  ],
  [
    "reverse and limit",
    async (store) => {
      await store.write(letters, { sync: false });
      assert.deepEqual(await list(store, between("b", "e", { reverse: true })), ["d=D", "c=C", "b=B"]);
      assert.deepEqual(await list(store, between("a", "e", { limit: 2 })), ["a=A", "b=B"]);
      assert.deepEqual(await list(store, between("a", "e", { limit: 1, reverse: true })), ["d=D"]);
      assert.deepEqual(await list(store, between("a", "e", { limit: 0 })), []);
    },
  ],
  [
    "an empty or inverted range has no entries",
    async (store) => {
      await store.write(letters, { sync: false });
      assert.deepEqual(await list(store, between("b", "b")), []);
      assert.deepEqual(await list(store, between("d", "b")), []);
      assert.deepEqual(await list(store, between("x", "z")), []);
    },
  ],
  [
    "keys come in the order of their bytes",
    async (store) => {
      const keys = ["00", "0000", "00ff", "01", "7f", "80", "8000", "ff"].map(hex);
      await store.write(
        keys.toReversed().map((key) => ({ key, value: key })),
        { sync: false },
      );
      const found: string[] = [];
      for await (const [key, value] of store.entries(all)) {
        assert.deepEqual(key, value);
        found.push(toHexDigits(key));
      }
      assert.deepEqual(found, keys.map(toHexDigits));
    },
  ],
  [
    "an iteration sees the state at its start",
    async (store) => {
      await store.write(letters, { sync: false });
      const found: string[] = [];
      for await (const [key, value] of store.entries(all)) {
        found.push(`${textOf(key)}=${textOf(value)}`);
        await store.write([put("c", "changed"), put("ca", "new"), drop("e")], { sync: false });
      }
      assert.deepEqual(found, ["a=A", "b=B", "c=C", "d=D", "e=E"]);
    },
  ],
  [
    "an iteration may be left early",
    async (store) => {
      await store.write(letters, { sync: false });
      for await (const [key] of store.entries(all)) {
        assert.equal(textOf(key), "a");
        break;
      }
      assert.equal(read(store, "a"), "A");
    },
  ],
];

const SNAPSHOTS: readonly Check[] = [
  [
    "a snapshot does not see later writes",
    async (store) => {
      await store.write([put("a", "1"), put("b", "1")], { sync: false });
      const first = store.snapshot();
      await store.write([put("a", "2"), drop("b"), put("c", "2")], { sync: false });
      const second = store.snapshot();
      await store.write([put("a", "3"), put("b", "3")], { sync: true });
      assert.deepEqual([read(first, "a"), read(first, "b"), read(first, "c")], ["1", "1", undefined]);
      assert.deepEqual([read(second, "a"), read(second, "b"), read(second, "c")], ["2", undefined, "2"]);
      assert.deepEqual(await list(first, all), ["a=1", "b=1"]);
      assert.deepEqual(await list(second, all), ["a=2", "c=2"]);
      await first.release();
      assert.equal(read(second, "a"), "2");
      await store.write([put("a", "4")], { sync: false });
      assert.equal(read(second, "a"), "2");
      assert.equal(read(store, "a"), "4");
      await second.release();
    },
  ],
  [
    "a released snapshot refuses to be read, and may be released again",
    async (store) => {
      const snapshot = store.snapshot();
      await snapshot.release();
      await snapshot.release();
      assert.throws(() => snapshot.get(utf8("a")), isCode("storage/closed"));
    },
  ],
];

const LIFE: readonly Check[] = [
  [
    "a closed store refuses reads, writes and snapshots; closing twice is no harm",
    async (store) => {
      await store.close();
      await store.close();
      assert.throws(() => store.get(utf8("a")), isCode("storage/closed"));
      assert.throws(() => store.snapshot(), isCode("storage/closed"));
      await assert.rejects(store.write([put("a", "1")], { sync: false }), isCode("storage/closed"));
      await assert.rejects(list(store, all), isCode("storage/closed"));
    },
  ],
  [
    "what was written is there when it is opened again",
    async (store, place) => {
      await store.write([put("a", "1")], { sync: false });
      await store.write([put("b", "2")], { sync: true });
      const closing = store.write([put("c", "3")], { sync: false });
      await store.close();
      await closing;
      const again = await place.open();
      assert.deepEqual(await list(again, all), ["a=1", "b=2", "c=3"]);
      await again.close();
    },
  ],
];
