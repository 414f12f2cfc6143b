import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { missingTools } from "./spin.ts";

test("the rules hold in all states of the small models, and every planted fault has a counterexample", (context) => {
  const missing = missingTools();
  if (missing.length > 0) {
    context.skip(`not checked here: ${missing.join("; ")}`);
    return;
  }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "main.ts"), "--quick"],
    {
      encoding: "utf8",
    },
  );
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  const [, passed] = /(\d+) passed, 0 failed/.exec(stdout) ?? [];
  assert.ok(Number(passed) >= 30, stdout);
});
