import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HOST_CALLS } from "./host-calls.ts";
import * as schedule from "./program-gas.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/program-gas.md"), "utf8");

/** Cells of the tables' rows, a list for each row. */
const ROWS = PAGE.split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));

function section(title: string): string {
  const [, text = ""] = PAGE.split(`\n### ${title}\n`);
  return text.split("\n#")[0] ?? "";
}

test("the page lists every host call with its number and its operands", () => {
  for (const { number, name, parameters } of HOST_CALLS) {
    const row = ROWS.find(([, first, second]) => first === String(number) && second === name);
    assert.ok(row !== undefined, `${number} ${name}`);
    const operands = parameters.map((parameter) =>
      parameter.type === "i64" ? `${parameter.name} (i64)` : parameter.name,
    );
    assert.equal(row[3], operands.join(", "), name);
  }
});

test("the page has the fuel of every class", () => {
  for (const [title, classes] of [
    ["WebAssembly", schedule.INSTRUCTION_FUEL],
    ["RISC-V", schedule.RISCV_FUEL],
  ] as const) {
    for (const [name, fuel] of Object.entries(classes)) {
      assert.ok(section(title).includes(`| \`${name}\` | ${fuel} |`), `${title}, ${name}`);
    }
  }
  assert.ok(PAGE.includes(`Programs count fuel, ${schedule.FUEL_PER_GAS} a gas.`));
  assert.ok(PAGE.includes(`a fuel for each ${schedule.BULK_BYTES_PER_FUEL} bytes`));
});

test("the page has the prices and limits", () => {
  const { PROGRAM_GAS } = schedule;
  for (const name of ["entry", "loadKibibyte", "loadChunksKibibyte", "initializedWord"] as const) {
    assert.ok(PAGE.includes(`| \`${name}\` | ${PROGRAM_GAS[name]} |`), name);
  }
  assert.ok(PAGE.includes(`\`hostCall\` (${PROGRAM_GAS.hostCall})`));
  assert.ok(PAGE.includes(`\`crossingWord\` is ${PROGRAM_GAS.crossingWord}.`));
  assert.equal(schedule.pagesGas(3), 1000 * 3 + 3 ** 2);
  const limits = Object.entries(schedule).filter(([name]) => /^MAX_|_SLOTS$/.test(name));
  assert.equal(limits.length, 7);
  for (const [name, limit] of limits) assert.ok(PAGE.includes(`| \`${name}\` | ${limit} `), name);
});
