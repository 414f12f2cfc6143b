import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { DeepRecursion } from "./testing/deep-recursion.ts";

const SCRIPT = join(import.meta.dirname, "testing/deep-recursion.ts");

for (const [compiler, flag] of [
  ["baseline", "--liftoff-only"],
  ["optimizing", "--no-liftoff"],
] as const) {
  test(`recursion ends at the static stack's limit, and V8's stack holds it, under the ${compiler} compiler`, () => {
    const printed = execFileSync(process.execPath, [flag, SCRIPT], { encoding: "utf8" });
    const found = JSON.parse(printed) as DeepRecursion[];
    assert.equal(found.length, 7);
    for (const { shape, reference, v8 } of found) {
      assert.equal(reference, "vm/trap 0", `shape ${shape}`);
      assert.equal(v8, reference, `shape ${shape}`);
    }
  });
}
