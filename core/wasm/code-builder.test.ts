import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantError } from "@ostrom/base";
import { CodeBuilder, FUNCTION_LABEL } from "./code-builder.ts";
import { IMMEDIATE, immediatesOf } from "./instruction-table.ts";
import { ModuleBuilder } from "./module-builder.ts";
import { BULK_BASE, OPCODE, VECTOR_BASE } from "./opcodes.ts";
import { ENGINE_SUBSET } from "./subset.ts";
import { instantiate } from "./testing/instantiate.ts";
import { I32, I64, type Label, V128 } from "./types.ts";

test("every instruction of the subset has a method of its name, which writes its opcode", () => {
  const immediates = immediatesOf(ENGINE_SUBSET);
  for (const [name, opcode] of Object.entries(OPCODE)) {
    const code = new CodeBuilder();
    const method = (code as unknown as Record<string, unknown>)[name];
    assert.equal(typeof method, "function", name);
    if (immediates[opcode] !== IMMEDIATE.none || opcode === OPCODE.end) continue;
    (method as () => unknown).call(code);
    const sub = opcode % 0x100;
    const prefixed = opcode >= VECTOR_BASE ? [0xfd] : opcode >= BULK_BASE ? [0xfc] : [];
    const expected = prefixed.length === 0 || sub < 0x80 ? [...prefixed, sub] : [...prefixed, sub, 0x01];
    assert.deepEqual([...code.view()], expected, name);
  }
});

test("constants of every size arrive", () => {
  const builder = new ModuleBuilder();
  const edges = [
    0n,
    1n,
    63n,
    64n,
    127n,
    128n,
    8191n,
    8192n,
    2n ** 31n,
    2n ** 32n,
    2n ** 34n,
    2n ** 35n,
    2n ** 53n,
  ];
  const values = [
    ...edges,
    2n ** 55n,
    2n ** 56n,
    2n ** 62n,
    2n ** 63n,
    0x0123_4567_89ab_cdefn,
    2n ** 64n,
  ].flatMap((edge) => [edge, -edge, edge - 1n, -edge - 1n]);
  const long = builder.type([], [I64]);
  const short = builder.type([], [I32]);
  values.forEach((value, index) => {
    builder.function(long, (code) => code.i64Const(value), `bigint${index}`);
    builder.function(
      long,
      (code) =>
        code.i64ConstHalves(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))),
      `halves${index}`,
    );
    if (Number.isSafeInteger(Number(value)))
      builder.function(long, (code) => code.i64Const(Number(value)), `number${index}`);
    builder.function(short, (code) => code.i32Const(Number(BigInt.asUintN(32, value))), `short${index}`);
  });
  const instance = instantiate(builder);
  values.forEach((value, index) => {
    assert.equal(instance.call(`bigint${index}`), BigInt.asIntN(64, value));
    assert.equal(instance.call(`halves${index}`), BigInt.asIntN(64, value));
    if (Number.isSafeInteger(Number(value)))
      assert.equal(instance.call(`number${index}`), BigInt.asIntN(64, value));
    assert.equal(instance.call(`short${index}`), Number(BigInt.asIntN(32, value)));
  });
  assert.throws(() => new CodeBuilder().i64Const(2 ** 53), InvariantError);
  assert.throws(() => new CodeBuilder().i64Const(0.5), InvariantError);
});

test("patched constants are filled in after the code behind them", () => {
  const builder = new ModuleBuilder();
  const values = [0, 1, -1, 63, -64, 64, 2 ** 31, -(2 ** 31), 2 ** 34 - 1, -(2 ** 34)];
  for (const value of values) {
    builder.function(
      builder.type([], [I64]),
      (code) => {
        const place = code.i64ConstLater();
        code.i64Const(1).i64Add();
        code.patch(place, value);
      },
      `long${value}`,
    );
  }
  const short = builder.function(builder.type([], [I32]), (code) =>
    code.patch(code.i32ConstLater(), -(2 ** 31)),
  );
  builder.export("short", "function", short);
  const instance = instantiate(builder);
  for (const value of values) assert.equal(instance.call(`long${value}`), BigInt(value) + 1n);
  assert.equal(instance.call("short"), -(2 ** 31));
  const code = new CodeBuilder();
  const place = code.i64ConstLater();
  assert.throws(() => code.patch(place, 2 ** 34), InvariantError);
});

test("labels reach the block that they name, from any depth", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([I32], [I32]);
  builder.function(
    type,
    (code) => {
      const sum = code.local(I32);
      const done = code.block();
      const again = code.loop();
      code.localGet(0).i32Eqz().brIf(done);
      code.localGet(sum).localGet(0).i32Add().localSet(sum);
      code.localGet(0).i32Const(1).i32Sub().localSet(0);
      code.br(again).end().end();
      code.localGet(sum);
    },
    "sumTo",
  );
  builder.function(
    type,
    (code) => {
      const blocks: Label[] = [];
      for (let index = 0; index < 3; index++) blocks.push(code.block());
      code.localGet(0).brTable([blocks[2]!, blocks[1]!, blocks[0]!], blocks[1]!);
      code.end().i32Const(10).br(FUNCTION_LABEL);
      code.end().i32Const(20).return();
      code.end().i32Const(30);
    },
    "pick",
  );
  builder.function(
    type,
    (code) => {
      code.localGet(0).if(I32);
      code.i32Const(1).else().i32Const(2).end();
    },
    "choose",
  );
  const instance = instantiate(builder);
  assert.equal(instance.call("sumTo", 1000), 500_500);
  assert.deepEqual(
    [0, 1, 2, 3, -1].map((index) => instance.call("pick", index)),
    [10, 20, 30, 20, 20],
  );
  assert.deepEqual([instance.call("choose", 7), instance.call("choose", 0)], [1, 2]);
});

test("blocks may take and leave several values", () => {
  const builder = new ModuleBuilder();
  const pair = builder.type([I64, I64], [I64, I64]);
  builder.function(
    pair,
    (code) => {
      code.localGet(0).localGet(1);
      code.blockOfType(pair);
      const [first, second] = [code.local(I64), code.local(I64)];
      code.localSet(second).localSet(first).localGet(second).localGet(first).end();
    },
    "swap",
  );
  builder.function(
    builder.type([I64], [I64]),
    (code) => {
      const state = builder.type([I64, I64], [I64]);
      code.i64Const(1).localGet(0);
      const again = code.loopOfType(state);
      const [product, count] = [code.local(I64), code.local(I64)];
      code.localSet(count).localSet(product);
      code.localGet(product).localGet(count).i64Mul().localGet(count).i64Const(1).i64Sub();
      code.localTee(count).localGet(count).i64Const(0).i64Ne().brIf(again).drop().end();
    },
    "factorial",
  );
  builder.function(
    builder.type([I32], [I32, I32]),
    (code) => {
      code.i32Const(5).localGet(0);
      code.ifOfType(builder.type([I32], [I32, I32]));
      code.i32Const(6).else().drop().i32Const(7).i32Const(8).end();
    },
    "either",
  );
  const instance = instantiate(builder);
  assert.deepEqual(instance.call("swap", 3n, 4n), [4n, 3n]);
  assert.equal(instance.call("factorial", 10n), 3_628_800n);
  assert.deepEqual(
    [instance.call("either", 1), instance.call("either", 0)],
    [
      [5, 6],
      [7, 8],
    ],
  );
});

test("calls: direct, through the table, and tail calls that take no stack", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([I64, I64], [I64]);
  const countDown = builder.declareFunction(type);
  const countIndirectly = builder.declareFunction(type);
  const add = builder.function(type, (code) => code.localGet(0).localGet(1).i64Add());
  const none = builder.function(builder.type([], []), (code) => code.nop());
  builder.table({ minimum: 4, maximum: 4 });
  builder.elements(1, [add, none, countIndirectly]);
  builder.define(countDown, (code) => {
    code.localGet(0).i64Eqz().if();
    code.localGet(1).return().end();
    code.localGet(0).i64Const(1).i64Sub().localGet(1).i64Const(2).call(add).returnCall(countDown);
  });
  builder.define(countIndirectly, (code) => {
    code.localGet(0).i64Eqz().if();
    code.localGet(1).return().end();
    code
      .localGet(0)
      .i64Const(1)
      .i64Sub()
      .localGet(1)
      .i64Const(3)
      .i64Add()
      .i32Const(3)
      .returnCallIndirect(type);
  });
  builder.export("countDown", "function", countDown);
  builder.export("countIndirectly", "function", countIndirectly);
  const choose = builder.type([I32], [I64]);
  builder.function(choose, (code) => code.i64Const(30).i64Const(12).localGet(0).callIndirect(type), "choose");
  const instance = instantiate(builder);
  assert.equal(instance.call("countDown", 1_000_000n, 0n), 2_000_000n);
  assert.equal(instance.call("countIndirectly", 1_000_000n, 0n), 3_000_000n);
  assert.equal(instance.call("choose", 1), 42n);
  for (const entry of [0, 2, 4])
    assert.throws(() => instance.call("choose", entry), WebAssembly.RuntimeError);
});

test("select, drop, tee, globals and traps", () => {
  const builder = new ModuleBuilder();
  const counter = builder.global(I64, true, -7n);
  const fixed = builder.global(I32, false, 5);
  builder.export("counter", "global", counter);
  builder.function(
    builder.type([I32], [I64]),
    (code) => code.i64Const(1).i64Const(2).localGet(0).select(),
    "select",
  );
  builder.function(
    builder.type([I32], [I64]),
    (code) => code.i64Const(1).i64Const(2).localGet(0).selectTyped(I64),
    "selectTyped",
  );
  builder.function(
    builder.type([], [I32]),
    (code) => {
      const local = code.local(I64);
      code.i32Const(9).drop().globalGet(counter).i64Const(1).i64Add().localTee(local).globalSet(counter);
      code.localGet(local).i32WrapI64().globalGet(fixed).i32Add();
    },
    "count",
  );
  builder.function(builder.type([], []), (code) => code.unreachable(), "trap");
  const instance = instantiate(builder);
  for (const name of ["select", "selectTyped"])
    assert.deepEqual([instance.call(name, 1), instance.call(name, 0)], [1n, 2n]);
  assert.deepEqual([instance.call("count"), instance.call("count")], [-1, 0]);
  assert.equal((instance.exports["counter"] as WebAssembly.Global).value, -5n);
  assert.throws(() => instance.call("trap"), WebAssembly.RuntimeError);
});

test("locals are numbered after the parameters, in the order of declaration", () => {
  const builder = new ModuleBuilder();
  builder.function(
    builder.type([I32, I64], [I64]),
    (code) => {
      assert.equal(code.local(I32), 2);
      assert.equal(code.locals(I32, 200), 3);
      assert.equal(code.local(I64), 203);
      assert.equal(code.locals(V128, 0), 204);
      assert.equal(code.local(I32), 204);
      assert.equal(code.localCount, 205);
      code.localGet(0).localSet(204).localGet(204).i64ExtendI32S().localSet(203);
      code.localGet(203).localGet(202).i64ExtendI32S().i64Add();
    },
    "through",
  );
  assert.equal(instantiate(builder).call("through", -3, 0n), -3n);
});

test("a builder refuses what it could not write", () => {
  const builder = new ModuleBuilder();
  const type = builder.type([], []);
  const open = builder.begin(builder.declareFunction(type));
  assert.throws(() => open.end(), InvariantError);
  assert.throws(() => open.br(1 as Label), InvariantError);
  assert.throws(() => builder.encode(), InvariantError);
  open.block();
  assert.throws(() => builder.finish(open), InvariantError);
  open.end();
  builder.finish(open);
  assert.throws(() => builder.begin(1), InvariantError);
  assert.throws(() => open.local(I32), InvariantError);
  assert.throws(() => open.v128Const(new Uint8Array(15)), InvariantError);
  instantiate(builder);
});
