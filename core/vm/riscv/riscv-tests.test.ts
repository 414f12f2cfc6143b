import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import { observe, REFERENCE, runProgram, tiers } from "./testing/run-program.ts";

/** A folder of ELF files made of the RISC-V project's tests: README.md says how. */
const FOLDER = process.env["OSTROM_RISCV_TESTS"];

/** It writes instructions and runs them. Here text never changes, so that it must fail. */
const SELF_MODIFYING = "rv64ui-fence_i.elf";

const skip =
  FOLDER === undefined || !existsSync(FOLDER)
    ? "OSTROM_RISCV_TESTS names no folder of built tests (see core/vm/riscv/README.md)"
    : false;

test("the RISC-V project's tests of RV64I, M and C pass in the reference and in both tiers", {
  skip,
}, (t) => {
  const folder = FOLDER ?? "";
  const engines = [REFERENCE, tiers({ tiers: "tier0" }), tiers({ tiers: "tier1" })];
  const names = readdirSync(folder).filter((name) => name.endsWith(".elf"));
  assert.ok(names.length > 0);
  for (const name of names) {
    const file = new Uint8Array(readFileSync(join(folder, name)));
    const expected = observe(REFERENCE, file);
    for (const engine of engines) {
      const { outcome } = runProgram(engine, file);
      const passed = outcome.status === "success";
      const what = `${name} in ${engine.name}: ${outcome.status}, case ${toHexDigits(outcome.output)}`;
      assert.equal(passed, name !== SELF_MODIFYING, what);
      assert.equal(observe(engine, file), expected, name);
    }
  }
  t.diagnostic(`${names.length} tests in ${engines.length} engines; of them ${SELF_MODIFYING} has to fail`);
});
