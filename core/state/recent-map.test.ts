import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "./recent-map.ts";

test("a recent map forgets what nobody has asked for, and keeps to its budget", () => {
  const map = new RecentMap<number, number>(20, () => 1);
  for (let key = 0; key < 100; key++) {
    map.set(key, key);
    assert.equal(map.get(0), 0, "what is asked for again and again stays");
  }
  const kept = Array.from({ length: 100 }, (_, key) => map.get(key)).filter((value) => value !== undefined);
  assert.ok(kept.length <= 20);
  assert.equal(map.get(99), 99);
  assert.equal(map.get(50), undefined);
});

test("a recent map counts what is replaced or deleted no longer", () => {
  const map = new RecentMap<string, number>(20, (weight) => weight);
  map.set("kept", 1);
  for (let round = 0; round < 100; round++) map.set("same", 8);
  for (let round = 0; round < 100; round++) {
    map.set("gone", 5);
    map.delete("gone");
  }
  assert.equal(map.get("gone"), undefined);
  assert.deepEqual([map.get("kept"), map.get("same")], [1, 8]);
  map.clear();
  assert.deepEqual([map.get("kept"), map.get("same")], [undefined, undefined]);
});
