import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentlyUsed } from "./recently-used.ts";

function filled(budget: number): {
  readonly cache: RecentlyUsed<string, string>;
  readonly dropped: string[];
} {
  const dropped: string[] = [];
  const cache = new RecentlyUsed<string, string>(budget, (value) => dropped.push(value));
  for (const key of ["a", "b", "c"]) cache.keep(key, key.toUpperCase(), 10);
  return { cache, dropped };
}

test("what was used longest ago goes when there is no room", () => {
  const { cache, dropped } = filled(30);
  assert.equal(cache.find("a"), "A");
  cache.keep("d", "D", 10);
  assert.deepEqual(dropped, ["B"]);
  cache.keep("e", "E", 15);
  assert.deepEqual(dropped, ["B", "C", "A"]);
  assert.equal(cache.find("b"), undefined);
  assert.equal(cache.find("d"), "D");
});

test("the newest is kept however large it is, alone", () => {
  const { cache, dropped } = filled(30);
  cache.keep("d", "D", 1000);
  assert.deepEqual(dropped, ["A", "B", "C"]);
  assert.ok(cache.keeps("d", "D"));
  cache.keep("e", "E", 1);
  assert.equal(cache.find("d"), undefined);
});

test("another value under a key takes the place of the one before", () => {
  const { cache, dropped } = filled(30);
  cache.keep("a", "other", 10);
  assert.deepEqual(dropped, ["A"]);
  assert.ok(!cache.keeps("a", "A") && cache.keeps("a", "other"));
  assert.equal(cache.find("b"), "B");
});
