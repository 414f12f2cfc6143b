import assert from "node:assert/strict";
import { test } from "node:test";
import { err, fail, InvariantError, assert as invariant, must, ok, unwrap } from "./index.ts";

test("a result is taken out, or throws with its code", () => {
  assert.equal(unwrap(ok(1)), 1);
  assert.throws(() => unwrap(fail("area/what", "why")), /area\/what: why/);
  assert.throws(() => unwrap(err("plain")), /plain/);
  assert.deepEqual(fail("area/what", "why"), { ok: false, error: { code: "area/what", message: "why" } });
});

test("a broken invariant throws with its reason", () => {
  invariant(true, "it holds");
  assert.throws(() => invariant(false, "it must hold"), new InvariantError("it must hold"));
  assert.equal(must(0, "there must be a value"), 0);
  assert.throws(() => must(undefined, "there must be a value"), new InvariantError("there must be a value"));
});
