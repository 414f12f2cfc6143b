import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, hashFromWord, ok } from "@ostrom/base";
import { packResults, unpackResults } from "./packed-results.ts";

test("hashes and failures come out in the order in which they were packed", () => {
  const results = [
    ok(hashFromWord(1n)),
    fail("txpool/full", "no room"),
    ok(hashFromWord(2n)),
    fail("txpool/underpriced", "too little"),
  ];
  assert.deepEqual(unpackResults(structuredClone(packResults(results))), results);
  assert.deepEqual(unpackResults(packResults([])), []);
});
