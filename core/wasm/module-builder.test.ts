import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError, unwrap, utf8 } from "@ostrom/base";
import { decodeModule } from "./decode-module.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { ENGINE_SUBSET } from "./subset.ts";
import { instantiate } from "./testing/instantiate.ts";
import { I32, I64, V128 } from "./types.ts";

test("imports of every kind are linked, and come first in their index spaces", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([I64], [I64]);
  const double = builder.importFunction("host", "double", type);
  builder.importMemory("host", "memory", { minimum: 1, maximum: 2 });
  const gas = builder.importGlobal("host", "gas", I64, true);
  const price = builder.importGlobal("host", "price", I32, false);
  builder.importTable("host", "table", { minimum: 2, maximum: undefined });
  const own = builder.global(I64, true, 100n);
  const triple = builder.function(type, (code) => code.localGet(0).i64Const(3).i64Mul());
  builder.elements(0, [double, triple]);
  builder.data(8, Uint8Array.of(1, 2, 3));
  builder.function(
    builder.type([I32], [I64]),
    (code) => {
      code.globalGet(own).localGet(0).callIndirect(type).globalGet(gas).i64Add();
      code.globalGet(price).i64ExtendI32U().i64Add().globalSet(gas);
      code.i32Const(8).i64Load32U().globalGet(gas).i64Add();
    },
    "run",
  );
  assert.deepEqual([double, triple, gas, price, own], [0, 1, 0, 1, 2]);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const gasCounter = new WebAssembly.Global({ value: "i64", mutable: true }, 1000n);
  const host = {
    double: (value: bigint) => 2n * value,
    memory,
    gas: gasCounter,
    price: new WebAssembly.Global({ value: "i32", mutable: false }, 7),
    table: new WebAssembly.Table({ element: "anyfunc", initial: 2 }),
  };
  const instance = instantiate(builder, { host });
  assert.equal(instance.call("run", 0), 0x03_02_01n + 1000n + 200n + 7n);
  assert.equal(instance.call("run", 1), 0x03_02_01n + 1207n + 300n + 7n);
  assert.equal(gasCounter.value, 1514n);
});

test("functions may be written in any order, several at once, and each keeps its own code", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([I32], [I32]);
  const indices = Array.from({ length: 40 }, () => builder.declareFunction(type));
  const outer = builder.begin(indices[39]!);
  outer.localGet(0);
  for (const index of indices.slice(0, 39).reverse()) {
    const before = builder.begin(index);
    outer.call(index);
    before.local(I64);
    for (let count = 0; count < 50; count++) before.nop();
    before.localGet(0).i32Const(index).i32Add();
    builder.finish(before);
  }
  builder.finish(outer);
  builder.export("sum", "function", indices[39]!);
  assert.equal(instantiate(builder).call("sum", 1), 1 + (38 * 39) / 2);
});

test("alike types are one, others are not", () => {
  const builder = new ModuleBuilder();
  const first = builder.type([I32], [I64]);
  assert.equal(builder.type([I32], [I64]), first);
  assert.notEqual(builder.type([I32, I64], []), first);
  assert.notEqual(builder.type([], [I32, I64]), builder.type([I32, I64], []));
});

test("a module decodes to what was built", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([I32, V128], [I64]);
  builder.importFunction("hôst", "f", type);
  builder.memory({ minimum: 2, maximum: undefined });
  builder.table({ minimum: 3, maximum: 9 });
  builder.global(I64, false, -(2n ** 63n));
  builder.global(I32, true, -1);
  builder.elements(2, [0]);
  builder.data(70_000, Uint8Array.of(9, 8));
  const own = builder.function(type, (code) => code.i64Const(0), "ƒ☃🜁");
  builder.export("memory", "memory");
  builder.nameFunction(own, "zero");
  builder.customSection("notes", utf8("hello"));
  const module = unwrap(decodeModule(builder.encode(), ENGINE_SUBSET));
  assert.deepEqual(module.types, [{ parameters: [I32, V128], results: [I64] }]);
  assert.deepEqual(module.imports, [{ module: "hôst", name: "f", kind: "function", typeIndex: 0 }]);
  assert.deepEqual([...module.functionTypes], [0, 0]);
  assert.equal(module.importedFunctionCount, 1);
  assert.deepEqual(module.memory, { minimum: 2, maximum: undefined });
  assert.deepEqual(module.table, { minimum: 3, maximum: 9 });
  assert.deepEqual(module.globals, [
    { type: I64, mutable: false, initial: { kind: "i64", value: -(2n ** 63n) } },
    { type: I32, mutable: true, initial: { kind: "i32", value: -1 } },
  ]);
  assert.deepEqual(module.exports, [
    { name: "ƒ☃🜁", kind: "function", index: 1 },
    { name: "memory", kind: "memory", index: 0 },
  ]);
  assert.deepEqual(module.elements, [{ offset: { kind: "i32", value: 2 }, functions: Uint32Array.of(0) }]);
  const [data] = module.data;
  assert.deepEqual(data?.offset, { kind: "i32", value: 70_000 });
  assert.deepEqual([...module.bytes.subarray(data?.from, data?.to)], [9, 8]);
  assert.deepEqual([...module.bytes.subarray(module.bodies[0], module.bodies[1])], [0x00, 0x42, 0x00, 0x0b]);
  assert.deepEqual(
    module.customSections.map(({ name }) => name),
    ["notes", "name"],
  );
  const compiled = new WebAssembly.Module(new Uint8Array(module.bytes));
  assert.equal(Buffer.from(WebAssembly.Module.customSections(compiled, "notes")[0]!).toString(), "hello");
});

test("function names reach stack traces", () => {
  const builder = new ModuleBuilder();
  const trap = builder.function(builder.type([], []), (code) => code.unreachable(), "trap");
  builder.nameFunction(trap, "the_trap");
  const instance = instantiate(builder);
  assert.throws(
    () => instance.call("trap"),
    (error: Error) => error.stack?.includes("the_trap") === true,
  );
});

test("what comes out of order is refused", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([], []);
  const index = builder.function(type, (code) => code.nop());
  builder.global(I32, true, 0);
  builder.table({ minimum: 1, maximum: undefined });
  assert.throws(() => builder.importFunction("host", "f", type), InvariantError);
  assert.throws(() => builder.importGlobal("host", "g", I32, false), InvariantError);
  assert.throws(() => builder.importTable("host", "t", { minimum: 1, maximum: 1 }), InvariantError);
  assert.throws(() => builder.define(index, (code) => code.nop()), InvariantError);
});
