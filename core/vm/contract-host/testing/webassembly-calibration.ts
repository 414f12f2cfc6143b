import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, type ModuleBuilder } from "@ostrom/wasm";
import { createWebAssemblyRunner, validateWebAssembly } from "../../webassembly/index.ts";
import { MAX_PROGRAM_PAGES, PAGE_SIZE, validationGas } from "../program-gas.ts";
import {
  benchProgram,
  type Calibration,
  leastCost,
  measureLoop,
  measureMessages,
  REPETITIONS,
} from "./measure-program.ts";
import { type WebAssemblySource, webassemblyProgram } from "./webassembly-program.ts";

type Loop = {
  readonly name: string;
  /** One repetition: x and y are i64 locals, p an i32 local. */
  readonly body: (code: CodeBuilder, locals: { x: number; y: number; p: number }, index: number) => void;
  readonly source?: Partial<WebAssemblySource>;
  readonly before?: (code: CodeBuilder, locals: { x: number; y: number; p: number }) => void;
};

function loopProgram({ body, before, source }: Loop): Bytes {
  return webassemblyProgram({
    pages: 1,
    ...source,
    imports: ["input_copy", ...(source?.imports ?? [])],
    call: (code, callHost) => {
      const count = code.local(I32);
      const locals = { x: code.local(I64), y: code.local(I64), p: code.local(I32) };
      code.i32Const(0).i32Const(0).i32Const(4);
      callHost("input_copy");
      code.i32Const(0).i32Load(0).localSet(count);
      code.i64Const(0x1234_5678_9abc_def1n).localSet(locals.x).i64Const(3).localSet(locals.y);
      before?.(code, locals);
      const loop = code.loop();
      for (let i = 0; i < REPETITIONS; i++) body(code, locals, i);
      code.localGet(count).i32Const(1).i32Sub().localTee(count).brIf(loop).end();
      // What was computed is used, or the optimizing compiler would leave it out.
      code
        .i32Const(8)
        .localGet(locals.x)
        .localGet(locals.y)
        .i64Xor()
        .localGet(locals.p)
        .i64ExtendI32U()
        .i64Xor();
      code.i64Store(0).i32Const(0);
    },
  });
}

type Locals = Parameters<Loop["body"]>[1];

/** Lays a cycle through all cache lines of the memory: each holds the address of the next. */
function layCycle(pages: number): (code: CodeBuilder, locals: Locals) => void {
  const lines = (pages * PAGE_SIZE) / 64;
  return (code, { x, p }) => {
    code.i64Const(0).localSet(x);
    const loop = code.loop();
    code.localGet(p).i32Const(64).i32Mul();
    // A congruential generator of full period: each line once, in an order that no prefetcher guesses.
    code
      .localGet(p)
      .i32Const(0x2545_f495)
      .i32Mul()
      .i32Const(0x3039)
      .i32Add()
      .i32Const(lines - 1)
      .i32And();
    code.i32Const(64).i32Mul().i32Store(0);
    code.localGet(p).i32Const(1).i32Add().localTee(p).i32Const(lines).i32LtU().brIf(loop).end();
    code.i32Const(0).localSet(p);
  };
}

function chase(name: string, pages: number): Loop {
  return {
    name,
    source: { pages },
    before: layCycle(pages),
    body: (code, { p }) => {
      code.localGet(p).i32Load(0).localSet(p);
    },
  };
}

function scatteredStores(name: string, pages: number): Loop {
  return {
    name,
    source: { pages },
    body: (code, { x, p }) => {
      code.localGet(p).localGet(x).i64Store(0);
      code
        .localGet(p)
        .i32Const(0x2545_f495 * 64)
        .i32Add()
        .i32Const(pages * PAGE_SIZE - 8)
        .i32And()
        .localSet(p);
    },
  };
}

function withFunction(write: (module: ModuleBuilder) => void, body: Loop["body"], name: string): Loop {
  return { name, source: { prepare: write }, body };
}

const LOOPS: readonly Loop[] = [
  { name: "simple: add", body: (code, { x, y }) => void code.localGet(x).localGet(y).i64Add().localSet(x) },
  {
    name: "simple: shift and rotate",
    body: (code, { x, y }) => void code.localGet(x).localGet(y).i64Rotl().localGet(y).i64Shl().localSet(x),
  },
  {
    name: "simple: compare and select",
    body: (code, { x, y }) =>
      void code.localGet(x).localGet(y).localGet(x).localGet(y).i64LtS().select().localSet(x),
  },
  { name: "simple: count bits", body: (code, { x }) => void code.localGet(x).i64Popcnt().localSet(x) },
  { name: "simple: local.set", body: (code, { x, y }) => void code.localGet(x).localSet(y) },
  {
    name: "simple: large constants",
    body: (code, { x }) => void code.i64Const(0x1234_5678_9abc_def0n).localSet(x),
  },
  {
    name: "global",
    source: { prepare: (module) => void module.global(I64, true, 0n) },
    body: (code) => void code.globalGet(0).globalSet(0),
  },
  { name: "load, in cache", body: (code, { x, p }) => void code.localGet(p).i64Load(0).localSet(x) },
  { name: "store, in cache", body: (code, { x, p }) => void code.localGet(p).localGet(x).i64Store(0) },
  chase("load, 1 MiB at random", 16),
  chase("load, 4 MiB at random", 64),
  scatteredStores("store, 4 MiB scattered", 64),
  { name: "multiply", body: (code, { x, y }) => void code.localGet(x).localGet(y).i64Mul().localSet(x) },
  {
    name: "divide",
    body: (code, { x, y }) =>
      void code.localGet(x).localGet(y).i64DivU().i64Const(0x7234_5678_9abc_def1n).i64Or().localSet(x),
  },
  {
    name: "remainder, signed",
    body: (code, { x }) =>
      void code.i64Const(0x7234_5678_9abc_def1n).localGet(x).i64Const(-7n).i64Or().i64RemS().localSet(x),
  },
  {
    name: "branch, taken",
    body: (code, { x }) => {
      const block = code.block();
      code.localGet(x).i32WrapI64().brIf(block).i64Const(1).localSet(x).end();
    },
  },
  {
    name: "branch, unforeseeable",
    body: (code, { x, y }) => {
      code
        .localGet(x)
        .i64Const(6364136223846793005n)
        .i64Mul()
        .i64Const(1442695040888963407n)
        .i64Add()
        .localSet(x);
      code.localGet(x).i64Const(0).i64LtS().if();
      code.localGet(y).i64Const(1).i64Add().localSet(y).end();
    },
  },
  {
    name: "branch table, unforeseeable",
    body: (code, { x, y }) => {
      code
        .localGet(x)
        .i64Const(6364136223846793005n)
        .i64Mul()
        .i64Const(1442695040888963407n)
        .i64Add()
        .localSet(x);
      const [d, c, b, a] = [code.block(), code.block(), code.block(), code.block()];
      code
        .localGet(x)
        .i64Const(60)
        .i64ShrU()
        .i32WrapI64()
        .brTable([a, b, c, d, a, b, c, d, d, c, b, a, d, c, b], a);
      code.end().localGet(y).i64Const(1).i64Add().localSet(y).br(d);
      code.end().localGet(y).i64Const(2).i64Add().localSet(y).br(d);
      code.end().localGet(y).i64Const(3).i64Add().localSet(y);
      code.end();
    },
  },
  withFunction(
    (module) => void module.function(module.type([I64], [I64]), (code) => void code.localGet(0)),
    (code, { x }) => void code.localGet(x).call(1).localSet(x),
    "call",
  ),
  withFunction(
    (module) => {
      const type = module.type([I64], [I64]);
      const index = module.function(type, (code) => void code.localGet(0));
      module.table({ minimum: 1, maximum: 1 });
      module.elements(0, [index]);
    },
    (code, { x }) => void code.localGet(x).i32Const(0).callIndirect(1).localSet(x),
    "indirect call",
  ),
  { name: "memory.size", body: (code, { p }) => void code.op(0x3f).u8(0).drop().localGet(p).localSet(p) },
  {
    name: "memory.copy of 8 bytes",
    body: (code) => void code.i32Const(0).i32Const(1024).i32Const(8).memoryCopy(),
  },
  {
    name: "memory.copy of 32 KiB",
    body: (code) => void code.i32Const(0).i32Const(32_768).i32Const(32_768).memoryCopy(),
  },
  {
    name: "memory.copy of 2 MiB",
    source: { pages: 64 },
    body: (code) =>
      void code
        .i32Const(0)
        .i32Const(2 << 20)
        .i32Const(2 << 20)
        .memoryCopy(),
  },
  {
    name: "memory.fill of 32 KiB",
    body: (code) => void code.i32Const(0).i32Const(1).i32Const(32_768).memoryFill(),
  },
  ...(
    [
      ["input_size", []],
      ["gas_left", []],
      ["value", [64]],
      ["storage_load", [0, 64]],
      ["transient_load", [0, 64]],
      ["keccak256", [0, 32, 64]],
      ["u256_mulmod", [128, 160, 192, 224]],
      ["balance", [256, 64]],
    ] as const
  ).map(
    ([name, operands]): Loop => ({
      name: `host: ${name}`,
      source: {
        imports: [name],
        data: Uint8Array.from({ length: 512 }, (_, i) => (i < 128 ? 0 : 255 - (i & 7))),
      },
      body: (code) => {
        for (const operand of operands) code.i32Const(operand);
        code.call(1);
        if (name === "input_size" || name === "gas_left") code.drop();
      },
    }),
  ),
];

/** Programs that are dear to prepare for their size. */
function densePrograms(): readonly (readonly [string, Bytes])[] {
  const manyFunctions = webassemblyProgram({
    prepare: (module) => {
      const type = module.type([], []);
      for (let i = 0; i < 4_900; i++) module.function(type, () => {});
    },
    call: (code) => void code.i32Const(0),
  });
  const arithmetic = webassemblyProgram({
    call: (code) => {
      const x = code.local(I64);
      for (let i = 0; i < 4_900; i++) code.localGet(x).localGet(x).i64Mul().localGet(x).i64Add().localSet(x);
      code.i32Const(0);
    },
  });
  const branches = webassemblyProgram({
    call: (code) => {
      const x = code.local(I32);
      for (let i = 0; i < 4_900; i++) {
        code.localGet(x).if();
        code.i32Const(1).localSet(x).else().end();
      }
      code.i32Const(0);
    },
  });
  return [
    ["4,900 functions", manyFunctions],
    ["arithmetic", arithmetic],
    ["branches", branches],
  ];
}

const MESSAGES = 50;

/** What the classes of WebAssembly's instructions, its entry, its loading and its validation take. */
export function calibrateWebAssembly(): Calibration[] {
  const dense = densePrograms();
  return [
    ...LOOPS.map((loop) => {
      const run = benchProgram("webassembly", loopProgram(loop), createWebAssemblyRunner());
      return measureLoop(`wasm, ${loop.name}`, run);
    }),
    ...[1, 4, 16, MAX_PROGRAM_PAGES].map((pages) => {
      const program = webassemblyProgram({ pages, call: (code) => void code.i32Const(0) });
      const run = benchProgram("webassembly", program, createWebAssemblyRunner());
      return measureMessages(`wasm, entry with ${pages} pages`, run, MESSAGES);
    }),
    ...dense.map(([name, program]) => {
      const runNew = (data: Bytes): number =>
        benchProgram("webassembly", program, createWebAssemblyRunner())(data);
      return measureMessages(`wasm, first entry: ${name}, ${program.length} bytes`, runNew, 1);
    }),
    ...dense.map(([name, program]) => {
      const { ns } = leastCost(() => (validateWebAssembly(program.slice()).ok ? 1 : 0));
      const nanosecondsPerGas = ns / validationGas(program.length);
      const detail = `${(ns / program.length).toFixed(1)} ns a byte`;
      return { name: `wasm, validation: ${name}`, nanosecondsPerGas, detail };
    }),
  ];
}
