import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, unwrap } from "@ostrom/base";
import type { CodeBuilder } from "./code-builder.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { CONTRACT_SUBSET, ENGINE_SUBSET, type Subset } from "./subset.ts";
import { compareWithV8, noAgreement } from "./testing/agreement.ts";
import { moduleOf, moduleWithCode, name, section } from "./testing/binary-parts.ts";
import { I32, I64 } from "./types.ts";
import { readValidModule } from "./validate-module.ts";

function codeOf(bytes: Bytes, subset: Subset = ENGINE_SUBSET): string {
  const result = readValidModule(bytes, subset);
  return result.ok ? "ok" : result.error.code;
}

const TYPE = section(1, [0x60, 0, 0], [0x60, 1, 0x7f, 0]);
const NOTHING = [2, 0, 0x0b];

/** What surrounds code: modules and the code with which validation refuses them. */
const MODULES: readonly (readonly [string, Bytes, string])[] = [
  ["a function of no type", moduleOf(TYPE, section(3, [2]), section(10, NOTHING)), "wasm/unknown-index"],
  [
    "an import of no type",
    moduleOf(TYPE, section(2, [...name("m"), ...name("f"), 0, 2])),
    "wasm/unknown-index",
  ],
  [
    "an export twice",
    moduleOf(section(5, [0, 0]), section(7, [...name("m"), 2, 0], [...name("m"), 2, 0])),
    "wasm/invalid",
  ],
  ["an export of no function", moduleOf(section(7, [...name("f"), 0, 0])), "wasm/unknown-index"],
  ["an export of no table", moduleOf(section(7, [...name("t"), 1, 0])), "wasm/unknown-index"],
  ["an export of no memory", moduleOf(section(7, [...name("m"), 2, 0])), "wasm/unknown-index"],
  ["an export of no global", moduleOf(section(7, [...name("g"), 3, 0])), "wasm/unknown-index"],
  ["a global of another type", moduleOf(section(6, [0x7e, 0, 0x41, 0, 0x0b])), "wasm/type-mismatch"],
  [
    "a global like one before",
    moduleOf(section(6, [0x7f, 0, 0x41, 0, 0x0b], [0x7f, 0, 0x23, 0, 0x0b])),
    "ok",
  ],
  ["a global like itself", moduleOf(section(6, [0x7f, 0, 0x23, 0, 0x0b])), "wasm/unknown-index"],
  [
    "a global like a mutable one",
    moduleOf(section(6, [0x7f, 1, 0x41, 0, 0x0b], [0x7f, 0, 0x23, 0, 0x0b])),
    "wasm/invalid",
  ],
  ["elements without table", moduleOf(section(9, [0, 0x41, 0, 0x0b, 0])), "wasm/unknown-index"],
  [
    "elements of no function",
    moduleOf(section(4, [0x70, 0, 1]), section(9, [0, 0x41, 0, 0x0b, 1, 0])),
    "wasm/unknown-index",
  ],
  ["data without memory", moduleOf(section(11, [0, 0x41, 0, 0x0b, 0])), "wasm/unknown-index"],
  [
    "data at a 64-bit offset",
    moduleOf(section(5, [0, 0]), section(11, [0, 0x42, 0, 0x0b, 0])),
    "wasm/type-mismatch",
  ],
  ["an empty body", moduleOf(TYPE, section(3, [0]), section(10, [0])), "wasm/truncated"],
  ["a body without end", moduleOf(TYPE, section(3, [0]), section(10, [2, 0, 0x01])), "wasm/truncated"],
  ["code after the end", moduleOf(TYPE, section(3, [0]), section(10, [3, 0, 0x0b, 0x0b])), "wasm/malformed"],
  [
    "a load without memory",
    moduleOf(TYPE, section(3, [0]), section(10, [8, 0, 0x41, 0, 0x28, 0, 0, 0x1a, 0x0b])),
    "wasm/unknown-index",
  ],
];

test("validation refuses modules whose parts do not fit, and V8 agrees", () => {
  const counts = noAgreement();
  for (const [what, bytes, expected] of MODULES) {
    assert.equal(codeOf(bytes), expected, what);
    assert.equal(compareWithV8(bytes, ENGINE_SUBSET, counts), undefined, what);
  }
});

/** Code of a function [i32] -> [i32] with an i64 local, without its final end. */
const CODES: readonly (readonly [string, readonly number[], string])[] = [
  ["the parameter", [0x20, 0], "ok"],
  ["nothing", [], "wasm/type-mismatch"],
  ["two values", [0x20, 0, 0x20, 0], "wasm/type-mismatch"],
  ["another type", [0x20, 1], "wasm/type-mismatch"],
  ["no such local", [0x20, 2], "wasm/unknown-index"],
  ["no such global", [0x23, 2], "wasm/unknown-index"],
  ["an immutable global written", [0x42, 0, 0x24, 1, 0x20, 0], "wasm/invalid"],
  ["no such function", [0x20, 0, 0x10, 1], "wasm/unknown-index"],
  ["no such type", [0x20, 0, 0x20, 0, 0x11, 3, 0], "wasm/unknown-index"],
  ["another table", [0x20, 0, 0x20, 0, 0x11, 0, 1], "wasm/unknown-index"],
  ["no such label", [0x20, 0, 0x0c, 1], "wasm/unknown-index"],
  ["an else without if", [0x20, 0, 0x05], "wasm/invalid"],
  ["an if without else that should give a value", [0x20, 0, 0x04, 0x7f, 0x41, 0, 0x0b], "wasm/type-mismatch"],
  ["a second else", [0x20, 0, 0x04, 0x40, 0x05, 0x05, 0x0b, 0x20, 0], "wasm/invalid"],
  ["an alignment too large", [0x20, 0, 0x28, 3, 0], "wasm/invalid"],
  ["a second memory", [0x20, 0, 0x28, 0x42, 0, 0], "wasm/unsupported"],
  ["an offset beyond 32 bits", [0x20, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10], "wasm/invalid"],
  ["a select of different types", [0x20, 0, 0x20, 1, 0x20, 0, 0x1b], "wasm/type-mismatch"],
  ["a typed select of two", [0x20, 0, 0x20, 0, 0x20, 0, 0x1c, 2, 0x7f, 0x7f], "wasm/unsupported"],
  ["labels with different counts", [0x20, 0, 0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 1, 0x0b], "wasm/type-mismatch"],
  ["float arithmetic", [0x20, 0, 0xb2, 0x1a, 0x20, 0], "wasm/unsupported-float"],
  ["a float block", [0x02, 0x7d, 0x00, 0x0b, 0x1a, 0x20, 0], "wasm/unsupported-float"],
  ["a saturating conversion", [0x20, 0, 0xfc, 0x00], "wasm/unsupported-float"],
  ["an exception", [0x08, 0], "wasm/unsupported"],
  ["an atomic access", [0xfe, 0x10, 2, 0], "wasm/unsupported"],
  ["a structure", [0xfb, 0, 0], "wasm/unsupported"],
  ["a relaxed vector instruction", [0xfd, 0x80, 0x02], "wasm/unsupported"],
  ["an operand from an outer block", [0x20, 0, 0x02, 0x7f, 0x0b], "wasm/type-mismatch"],
  ["a tail call of other results", [0x20, 0, 0x13, 1, 0], "wasm/type-mismatch"],
  ["a tail call", [0x20, 0, 0x12, 0], "ok"],
  ["anything after unreachable", [0x00, 0x6a, 0x1a, 0x1b, 0x0f], "ok"],
  ["a wrong type after unreachable", [0x00, 0x42, 0, 0x6a], "wasm/type-mismatch"],
  ["br_if that gives unknown values a type", [0x00, 0x0d, 0, 0x50], "wasm/type-mismatch"],
  ["a block type that is no type", [0x02, 3, 0x0b, 0x20, 0], "wasm/unknown-index"],
  ["a constant of over 32 bits", [0x41, 0xff, 0xff, 0xff, 0xff, 0x0f], "wasm/malformed-number"],
  ["lane 4 of 4", [0x20, 0, 0xfd, 0x11, 0xfd, 0x1b, 4], "wasm/invalid"],
];

test("validation refuses code that does not fit its types, and V8 agrees", () => {
  const counts = noAgreement();
  for (const [what, code, expected] of CODES) {
    const bytes = moduleWithCode(...code);
    assert.equal(codeOf(bytes), expected, what);
    assert.equal(compareWithV8(bytes, ENGINE_SUBSET, counts), undefined, what);
  }
});

test("a failure says where", () => {
  const result = readValidModule(moduleWithCode(0x20, 0, 0x20, 1, 0x6a), ENGINE_SUBSET);
  assert.equal(result.ok, false);
  const bytes = moduleWithCode(0x20, 0, 0x20, 1, 0x6a);
  assert.equal(bytes[result.ok ? 0 : result.error.offset], 0x6a);
});

test("what contracts may not use is refused as unsupported, and the engine may", () => {
  const cases: readonly ((code: CodeBuilder) => unknown)[] = [
    (code) => code.localGet(0).memoryGrow().drop(),
    (code) => code.v128Const(new Uint8Array(16)).drop(),
    (code) => code.localGet(0).i32x4Splat().drop(),
    (code) => code.localGet(0).returnCall(0),
    (code) => code.localGet(0).i32Const(0).returnCallIndirect(0),
  ];
  for (const write of cases) {
    const builder = new ModuleBuilder();
    builder.memory({ minimum: 1, maximum: 1 });
    builder.table({ minimum: 1, maximum: 1 });
    builder.function(builder.type([I32], []), write);
    assert.equal(codeOf(builder.encode(), ENGINE_SUBSET), "ok", String(write));
    assert.equal(codeOf(builder.encode(), CONTRACT_SUBSET), "wasm/unsupported", String(write));
  }
});

test("extents count locals, operands and nesting at their greatest", () => {
  const builder = new ModuleBuilder();
  const pair = builder.type([I64], [I64, I64]);
  const twice = builder.function(pair, (code) => code.localGet(0).localGet(0));
  builder.function(builder.type([I32, I32], []), (code) => {
    code.locals(I64, 3);
    code.block();
    code.localGet(0).if();
    code.i64Const(1).call(twice).i64Add().i64Const(2).call(twice).drop().drop().drop();
    code.end().end();
    code.i32Const(1).drop();
  });
  const { extents } = unwrap(readValidModule(builder.encode(), ENGINE_SUBSET));
  assert.deepEqual(extents, [
    { locals: 1, operands: 2, nesting: 1 },
    { locals: 5, operands: 3, nesting: 3 },
  ]);
});
