import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "@ostrom/base";
import { decodeModule } from "./decode-module.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { CONTRACT_SUBSET, ENGINE_SUBSET, type Subset } from "./subset.ts";
import { compareWithV8, noAgreement } from "./testing/agreement.ts";
import { moduleOf, name, section } from "./testing/binary-parts.ts";
import { I32, I64 } from "./types.ts";
import { readValidModule } from "./validate-module.ts";

function codeOf(bytes: Bytes, subset: Subset = ENGINE_SUBSET): string {
  const result = decodeModule(bytes, subset);
  return result.ok ? "ok" : result.error.code;
}

const TYPE = section(1, [0x60, 0, 0]);
const BODY = [2, 0, 0x0b];
const OFFSET = [0x41, 0, 0x0b];

/** Modules and the code with which decoding refuses them. */
const CASES: readonly (readonly [string, Bytes, string])[] = [
  ["no bytes", new Uint8Array(0), "wasm/truncated"],
  ["another magic number", Uint8Array.of(0, 0x61, 0x73, 0x6e, 1, 0, 0, 0), "wasm/malformed"],
  ["another version", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), "wasm/malformed"],
  ["the empty module", moduleOf(), "ok"],
  ["a section without size", moduleOf([1]), "wasm/truncated"],
  ["a section beyond the end", moduleOf([1, 5, 0]), "wasm/truncated"],
  ["a section with bytes left", moduleOf([1, 2, 0, 0]), "wasm/malformed-section"],
  ["a section twice", moduleOf(TYPE, TYPE), "wasm/malformed-section"],
  ["sections out of order", moduleOf(section(3), TYPE), "wasm/malformed-section"],
  ["an unknown section", moduleOf([15, 0]), "wasm/malformed-section"],
  [
    "a start section",
    moduleOf(TYPE, section(3, [0]), [8, 1, 0], section(10, BODY)),
    "wasm/unsupported-start",
  ],
  ["an exception tag", moduleOf(TYPE, section(13, [0, 0])), "wasm/unsupported"],
  ["a custom section without name", moduleOf([0, 0]), "wasm/truncated"],
  ["a name that is not UTF-8", moduleOf([0, 2, 1, 0xff]), "wasm/malformed-name"],
  ["a surrogate in a name", moduleOf([0, 4, 3, 0xed, 0xa0, 0x80]), "wasm/malformed-name"],
  ["a name in a longer form than needed", moduleOf([0, 3, 2, 0xc1, 0x81]), "wasm/malformed-name"],
  ["a number of over 32 bits", moduleOf([0x80, 0x80, 0x80, 0x80, 0x80]), "wasm/truncated"],
  ["a size of over 32 bits", moduleOf([0, 0xff, 0xff, 0xff, 0xff, 0x1f]), "wasm/malformed-number"],
  ["a type of another form", moduleOf(section(1, [0x61, 0, 0])), "wasm/malformed"],
  ["a structure type", moduleOf(section(1, [0x5f, 0])), "wasm/unsupported"],
  ["a float parameter", moduleOf(section(1, [0x60, 1, 0x7d, 0])), "wasm/unsupported-float"],
  ["a float result", moduleOf(section(1, [0x60, 0, 1, 0x7c])), "wasm/unsupported-float"],
  ["a reference parameter", moduleOf(section(1, [0x60, 1, 0x6f, 0])), "wasm/unsupported"],
  ["a type byte that is no type", moduleOf(section(1, [0x60, 1, 0x01, 0])), "wasm/malformed"],
  [
    "an import of a tag",
    moduleOf(TYPE, section(2, [...name("m"), ...name("t"), 4, 0, 0])),
    "wasm/unsupported",
  ],
  ["an import of no kind", moduleOf(TYPE, section(2, [...name("m"), ...name("t"), 5, 0])), "wasm/malformed"],
  ["two memories", moduleOf(section(5, [0, 0], [0, 0])), "wasm/unsupported"],
  [
    "an imported memory and one more",
    moduleOf(section(2, [...name("m"), ...name("t"), 2, 0, 0]), section(5, [0, 0])),
    "wasm/unsupported",
  ],
  ["a shared memory", moduleOf(section(5, [3, 0, 1])), "wasm/unsupported"],
  ["a 64-bit memory", moduleOf(section(5, [4, 0])), "wasm/unsupported"],
  ["limits of no kind", moduleOf(section(5, [0x10, 0])), "wasm/malformed"],
  ["a maximum below the minimum", moduleOf(section(5, [1, 2, 1])), "wasm/invalid"],
  ["a memory beyond 4 GiB", moduleOf(section(5, [0, 0x81, 0x80, 0x04])), "wasm/invalid"],
  ["two tables", moduleOf(section(4, [0x70, 0, 0], [0x70, 0, 0])), "wasm/unsupported"],
  ["a table of other references", moduleOf(section(4, [0x6f, 0, 0])), "wasm/unsupported"],
  ["a table of numbers", moduleOf(section(4, [0x01, 0, 0])), "wasm/malformed"],
  ["a global of no mutability", moduleOf(section(6, [0x7f, 2, 0x41, 0, 0x0b])), "wasm/malformed"],
  ["a float global", moduleOf(section(6, [0x7d, 0, 0x43, 0, 0, 0, 0, 0x0b])), "wasm/unsupported-float"],
  ["a float constant", moduleOf(section(6, [0x7f, 0, 0x43, 0, 0, 0, 0, 0x0b])), "wasm/unsupported-float"],
  ["a global without value", moduleOf(section(6, [0x7f, 0, 0x0b])), "wasm/type-mismatch"],
  ["an extended constant", moduleOf(section(6, [0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b])), "wasm/unsupported"],
  ["passive elements", moduleOf(section(9, [1, 0, 0])), "wasm/unsupported"],
  ["elements of no kind", moduleOf(section(9, [8, 0, 0])), "wasm/malformed"],
  ["passive data", moduleOf(section(11, [1, 0])), "wasm/unsupported"],
  ["data of no kind", moduleOf(section(11, [3, 0])), "wasm/malformed"],
  ["data beyond the end", moduleOf(section(5, [0, 0]), section(11, [0, ...OFFSET, 2, 0])), "wasm/truncated"],
  ["a wrong data count", moduleOf(section(5, [0, 0]), [12, 1, 1]), "wasm/malformed-section"],
  ["a function without body", moduleOf(TYPE, section(3, [0])), "wasm/malformed-section"],
  ["a body without function", moduleOf(TYPE, section(10, BODY)), "wasm/malformed-section"],
  ["a body beyond the end", moduleOf(TYPE, section(3, [0]), section(10, [3, 0, 0x0b])), "wasm/truncated"],
];

test("decoding refuses each malformed or unsupported form with its code, and V8 agrees", () => {
  const counts = noAgreement();
  for (const [what, bytes, expected] of CASES) {
    assert.equal(codeOf(bytes), expected, what);
    assert.equal(compareWithV8(bytes, ENGINE_SUBSET, counts), undefined, what);
  }
});

function sample(): Bytes {
  const builder = new ModuleBuilder();
  const type = builder.type([I32, I64], [I32, I32]);
  builder.type([], []);
  builder.importFunction("host", "first", type);
  builder.importFunction("host", "second", type);
  builder.memory({ minimum: 3, maximum: undefined });
  builder.table({ minimum: 5, maximum: undefined });
  builder.global(I32, false, 0);
  builder.global(I32, false, 0);
  builder.elements(0, [0, 1]);
  builder.elements(2, [1]);
  builder.data(0, Uint8Array.of(1));
  builder.data(9, Uint8Array.of(2));
  for (let count = 0; count < 2; count++) {
    builder.function(
      type,
      (code) => {
        code.locals(I64, 4);
        code.block();
        const inner = code.block();
        code.localGet(0).brTable([inner, inner, inner], inner).end().end();
        code.localGet(0).localGet(0);
      },
      `export${count}`,
    );
  }
  builder.customSection("one", new Uint8Array(0));
  builder.customSection("two", new Uint8Array(0));
  return builder.encode();
}

test("every limit is what the module may have, and not one more", () => {
  const bytes = sample();
  const bodyBytes = 3 + 2 + 2 + 2 + 6 + 2 + 4 + 1;
  const exact: Partial<Subset> = {
    maxModuleBytes: bytes.length,
    maxTypes: 2,
    maxParameters: 2,
    maxResults: 2,
    maxImports: 2,
    maxFunctions: 2,
    maxGlobals: 2,
    maxExports: 2,
    maxNameBytes: "export0".length,
    maxCustomSections: 2,
    maxTableEntries: 5,
    maxMemoryPages: 3,
    maxElementSegments: 2,
    maxElements: 3,
    maxDataSegments: 2,
    maxBodyBytes: bodyBytes,
    maxLocals: 6,
    maxNesting: 3,
    maxOperands: 2,
    maxBranchTargets: 3,
  };
  const limits = Object.keys(ENGINE_SUBSET).filter((key) => key.startsWith("max"));
  assert.deepEqual(Object.keys(exact).sort(), limits.sort());
  const fitting = { ...ENGINE_SUBSET, ...exact };
  assert.equal(readValidModule(bytes, fitting).ok, true);
  for (const [key, value] of Object.entries(exact)) {
    const result = readValidModule(bytes, { ...fitting, [key]: Number(value) - 1 });
    assert.equal(result.ok ? "ok" : result.error.code, "wasm/limit", key);
  }
});

test("counts far beyond the bytes take no memory", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
  for (const id of [1, 2, 3, 6, 7, 9, 10, 11]) {
    assert.match(codeOf(moduleOf([id, huge.length, ...huge])), /wasm\/(limit|truncated)/, `section ${id}`);
  }
  const many = [0xff, 0xff, 0x03];
  assert.equal(codeOf(moduleOf([3, many.length, ...many])), "wasm/truncated");
  assert.equal(codeOf(moduleOf([10, many.length, ...many])), "wasm/truncated");
});

test("the contract subset has no vectors", () => {
  const vectorType = moduleOf(section(1, [0x60, 1, 0x7b, 0]));
  assert.equal(codeOf(vectorType), "ok");
  assert.equal(codeOf(vectorType, CONTRACT_SUBSET), "wasm/unsupported");
  const vectorConstant = moduleOf(section(6, [0x7f, 0, 0xfd, 0x0c, ...new Array(16).fill(0), 0x0b]));
  assert.equal(codeOf(vectorConstant, CONTRACT_SUBSET), "wasm/unsupported");
});
