import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Hex } from "viem";
import { createCodeRegistry, failureMessage, messageTree, stackLines, stackTrace } from "./index.ts";
import { COMPILER_SETTINGS, compileFailures, nameOfSettings } from "./testing/compile-failures.ts";
import { FAILURE_CASES } from "./testing/failure-cases.ts";
import { deployFailures } from "./testing/run-failures.ts";

type Told = { readonly name: string; readonly message: string; readonly stack: readonly string[] };

/** What Hardhat 3.18's network says of the same contracts and calls: written by testing/record-hardhat.ts. */
const HARDHAT = JSON.parse(
  readFileSync(join(import.meta.dirname, "testing/hardhat-stacks.json"), "utf8"),
) as Readonly<Record<string, readonly Told[]>>;

/** Hardhat tells a file and a line; we tell the column too. */
const withoutColumn = (line: string): string => line.replace(/:\d+\)$/, ")");

for (const settings of COMPILER_SETTINGS) {
  const name = nameOfSettings(settings);
  test(`each failure has Hardhat's message and stack (${name})`, () => {
    const compiled = compileFailures(settings);
    const registry = createCodeRegistry();
    assert.ok(registry.add(compiled.version, compiled.input, compiled.output));
    const { addresses, run } = deployFailures(compiled);
    for (const [index, item] of FAILURE_CASES.entries()) {
      const tree = messageTree(run(item));
      assert.ok(tree !== undefined, item.name);
      const stack = stackTrace(tree, registry.identify);
      const told = HARDHAT[name]?.[index];
      assert.equal(told?.name, item.name);
      assert.equal(named(failureMessage(stack), addresses), told.message, item.name);
      // Hardhat gives no stack where the transaction itself ran out of gas.
      const lines = stackLines(stack).map(withoutColumn);
      if (told.stack.length > 0) assert.deepEqual(lines, told.stack, item.name);
      else assert.match(lines[0] ?? "", /^Failures\.burnAll \(contracts\/Failures\.sol:288\)$/);
    }
  });
}

function named(text: string, addresses: ReadonlyMap<string, Hex>): string {
  return [...addresses].reduce(
    (shown, [name, address]) => shown.replace(new RegExp(address, "i"), `@${name}`),
    text,
  );
}
