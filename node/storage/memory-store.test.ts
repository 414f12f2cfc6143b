import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "@ostrom/base";
import { MemoryTable, storeOn } from "./memory-store.ts";
import { testStoreCompliance } from "./testing/store-compliance.ts";

testStoreCompliance("memory store", async () => {
  const table = new MemoryTable();
  return { open: async () => storeOn(table), cleanUp: async () => {} };
});

test("memory store: what it holds is its own: changing a written array changes nothing", async () => {
  const store = storeOn(new MemoryTable());
  const value = utf8("value");
  await store.write([{ key: utf8("a"), value }], { sync: false });
  value.fill(0);
  assert.deepEqual(store.get(utf8("a")), utf8("value"));
});
