import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToUint64, createRandom, uint64ToBytes, utf8 } from "@ostrom/base";
import { StorageError } from "./errors.ts";
import { createFaultyStore } from "./faulty-store.ts";
import { testStoreCompliance } from "./testing/store-compliance.ts";
import type { Store } from "./types.ts";

testStoreCompliance("faulty store without faults", async () => {
  const faulty = createFaultyStore(createRandom(1));
  return { open: async () => faulty.open(), cleanUp: async () => {} };
});

const LAST = utf8("last");
const COPY = utf8("the same again");

async function writeNumber(store: Store, number: number, sync: boolean): Promise<void> {
  const value = uint64ToBytes(number);
  await store.write(
    [
      { key: LAST, value },
      { key: uint64ToBytes(number), value },
      { key: COPY, value },
    ],
    { sync },
  );
}

test("faulty store: a crash loses batches whole, from the end, and none that was synced", async () => {
  let lost = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const faulty = createFaultyStore(createRandom(seed));
    const before = faulty.open();
    for (let number = 1; number <= 20; number++) await writeNumber(before, number, number === 12);
    faulty.crash();
    assert.throws(() => before.get(LAST), { code: "storage/closed" });
    await assert.rejects(writeNumber(before, 21, true), { code: "storage/closed" });

    const after = faulty.open();
    const last = bytesToUint64(after.get(LAST) ?? uint64ToBytes(0));
    assert.ok(last >= 12 && last <= 20);
    assert.deepEqual(after.get(COPY), uint64ToBytes(last));
    for (let number = 1; number <= 20; number++) {
      assert.equal(after.get(uint64ToBytes(number)) !== undefined, number <= last);
    }
    lost += 20 - last;
  }
  assert.ok(lost > 0, "some crash must have lost something");
});

test("faulty store: a crash in the midst of a write comes before or after it", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const faulty = createFaultyStore(createRandom(seed));
    const writing = writeNumber(faulty.open(), 1, true);
    faulty.crash();
    await writing;
    const last = faulty.open().get(LAST);
    assert.deepEqual(last, uint64ToBytes(1));
  }
});

test("faulty store: a failed write changes nothing and stops later ones until it is opened anew", async () => {
  const faulty = createFaultyStore(createRandom(1));
  const store = faulty.open();
  await writeNumber(store, 1, true);
  faulty.setFaults({ writeFailsOneIn: 1 });
  await assert.rejects(writeNumber(store, 2, true), { code: "storage/disk-full" });
  faulty.setFaults({});
  await assert.rejects(writeNumber(store, 3, true), { code: "storage/failed" });
  await store.close();
  const again = faulty.open();
  assert.deepEqual(again.get(LAST), uint64ToBytes(1));
  await writeNumber(again, 4, true);
  assert.deepEqual(again.get(LAST), uint64ToBytes(4));
});

test("faulty store: rotten bits are noticed, never handed out", async () => {
  const faulty = createFaultyStore(createRandom(1));
  const store = faulty.open();
  await writeNumber(store, 1, true);
  faulty.setFaults({ bitRotOneIn: 2 });
  let noticed = 0;
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      assert.deepEqual(store.get(LAST), uint64ToBytes(1));
    } catch (error) {
      assert.ok(error instanceof StorageError && error.code === "storage/damaged");
      noticed += 1;
    }
  }
  assert.ok(noticed > 50 && noticed < 150);
});

test("faulty store: only one may have it open", () => {
  const faulty = createFaultyStore(createRandom(1));
  faulty.open();
  assert.throws(() => faulty.open(), { code: "storage/locked" });
});

test("faulty store: the same seed gives the same history", async () => {
  const run = async (): Promise<string> => {
    const faulty = createFaultyStore(createRandom(7), { writeFailsOneIn: 10 });
    const history: string[] = [];
    let store = faulty.open();
    for (let number = 1; number <= 200; number++) {
      await writeNumber(store, number, number % 7 === 0).catch((error: StorageError) =>
        history.push(error.code),
      );
      if (number % 20 !== 0) continue;
      faulty.crash();
      store = faulty.open();
      history.push(String(bytesToUint64(store.get(LAST) ?? uint64ToBytes(0))));
    }
    return history.join(" ");
  };
  assert.equal(await run(), await run());
});
