import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { ENGINE_SUBSET } from "./subset.ts";
import { type Agreement, compareWithV8, describeAgreement, noAgreement } from "./testing/agreement.ts";
import { binaryModulesOf } from "./testing/wast-binaries.ts";

/** A folder with the specification's test suite: `.wast` scripts, whose modules in binary are taken, and `.wasm` files, such as
 * any tool makes of the modules in text. */
const FOLDER = process.env["OSTROM_WASM_TESTSUITE"];
const skip = FOLDER === undefined ? "OSTROM_WASM_TESTSUITE names no folder of WebAssembly/testsuite" : false;

test("our verdicts on the specification's test suite are V8's", { skip }, (context) => {
  const disagreements: string[] = [];
  const byForm = new Map<string, Agreement>();
  const compare = (bytes: Uint8Array, form: string, what: string): void => {
    const counts = byForm.get(form) ?? noAgreement();
    byForm.set(form, counts);
    const before = counts.bothAccept;
    const complaint = compareWithV8(bytes, ENGINE_SUBSET, counts);
    if (complaint !== undefined) disagreements.push(`${what}: ${complaint}`);
    else if (counts.bothAccept > before && /invalid|malformed/.test(form))
      disagreements.push(`${what}: accepted, although ${form}`);
  };
  const folder = FOLDER ?? "";
  for (const path of globSync("*.wast", { cwd: folder }).sort()) {
    for (const { form, line, bytes } of binaryModulesOf(readFileSync(join(folder, path), "utf8"))) {
      compare(bytes, `${form} in binary`, `${path}:${line}`);
    }
  }
  for (const path of globSync("**/*.wasm", { cwd: folder }).sort()) {
    // Files may say in their name what they were in the script.
    const form = /invalid|malformed/.exec(basename(path))?.[0] ?? "module";
    compare(readFileSync(join(folder, path)), `${form} in .wasm`, path);
  }
  for (const [form, counts] of byForm) context.diagnostic(`${form}: ${describeAgreement(counts)}`);
  assert.deepEqual(disagreements, []);
  assert.ok(byForm.size > 0, `no module was found in ${folder}`);
});

test("binary modules are found in scripts with their escapes, comments and forms", () => {
  const script = `
    ;; (module binary "no")
    (; (module binary "no") (; nested ;) ;)
    (module $named binary "\\00asm" "\\01\\00\\00\\00") ;; one
    (assert_malformed (module definition binary "a\\n\\"\\u{41}\\ff;;(") "why")
    (module (func))`;
  const found = binaryModulesOf(script).map(({ form, line, bytes }) => [form, line, [...bytes]]);
  assert.deepEqual(found, [
    ["module", 4, [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]],
    ["assert_malformed", 5, [0x61, 0x0a, 0x22, 0x41, 0xff, 0x3b, 0x3b, 0x28]],
  ]);
});
