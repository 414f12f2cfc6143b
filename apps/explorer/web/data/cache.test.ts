import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnswerCache } from "./cache.ts";

test("an answer stays while it is asked for anew, and is not asked for while it is fresh", async () => {
  let nowMs = 1_000;
  let asked = 0;
  const cache = createAnswerCache(10, () => nowMs);
  const ask = async (): Promise<number> => ++asked;
  await cache.refresh("a", ask, 500);
  assert.deepEqual(cache.entry<number>("a").get(), { value: 1, isLoading: false, at: 1_000 });
  nowMs += 499;
  await cache.refresh("a", ask, 500);
  assert.equal(asked, 1);
  nowMs += 1;
  const refreshing = cache.refresh("a", ask, 500);
  assert.deepEqual(cache.entry<number>("a").get(), { value: 1, isLoading: true, at: 1_000 });
  await refreshing;
  assert.equal(cache.entry<number>("a").get().value, 2);
});

test("questions that are asked together are asked once", async () => {
  let asked = 0;
  const cache = createAnswerCache(10);
  const ask = async (): Promise<number> => ++asked;
  await Promise.all([cache.refresh("a", ask, 0), cache.refresh("a", ask, 0)]);
  assert.equal(asked, 1);
});

test("a failure keeps the answer before it", async () => {
  const cache = createAnswerCache(10);
  await cache.refresh("a", async () => 1, 0);
  await cache.refresh("a", () => Promise.reject(new Error("away")), 0);
  const { value, error } = cache.entry<number>("a").get();
  assert.equal(value, 1);
  assert.match(String(error), /away/);
});

test("the cache is bounded: what was used longest ago goes, unless it is watched", async () => {
  const cache = createAnswerCache(3);
  const end = cache.entry("watched").subscribe(() => undefined);
  for (const key of ["a", "b", "c", "d", "e"]) await cache.refresh(key, async () => key, 0);
  assert.equal(cache.size(), 3);
  assert.equal(cache.entry("e").get().value, "e");
  assert.equal(cache.entry("a").get().value, undefined);
  end();
});
