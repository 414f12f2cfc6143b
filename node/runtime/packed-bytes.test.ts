import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packBytes, unpackBytes } from "./packed-bytes.ts";

test("what was packed comes out again, empty strings and empty lists included", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (items) => {
      assert.deepEqual(
        unpackBytes(packBytes(items)).map((item) => [...item]),
        items.map((item) => [...item]),
      );
    }),
  );
});

test("lengths that do not add up are a broken invariant", () => {
  assert.throws(() => unpackBytes({ lengths: Uint32Array.of(3), bytes: new Uint8Array(2) }), /add up/);
});
