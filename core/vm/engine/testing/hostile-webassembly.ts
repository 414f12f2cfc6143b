import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder } from "@ostrom/wasm";

/** Modules that ask a compiler, or V8, for as much as their bytes can. Some are refused: that bounds them as well. */

export type ProgramShape = {
  readonly name: string;
  /** @param bytes that it should have, or somewhat fewer. */
  readonly make: (bytes: number) => Bytes;
};

type Write = (builder: ModuleBuilder) => (code: CodeBuilder) => void;

/** A module whose `call` is written by what `prepare` returns. */
function module(prepare: Write, pages = 1): Bytes {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: pages, maximum: 64 });
  const write = prepare(builder);
  builder.function(
    builder.type([], [I32]),
    (code) => {
      write(code);
      code.i32Const(0);
    },
    "call",
  );
  return builder.encode();
}

/** Bodies that are as large as one may be, as many as there is room for; `call` calls each once. */
function manyBodies(
  bytes: number,
  bodyBytes: number,
  write: (code: CodeBuilder, builder: ModuleBuilder) => void,
): Bytes {
  return module((builder) => {
    const type = builder.type([I64], [I64]);
    const functions: number[] = [];
    let left = bytes - 500;
    while (left > 0) {
      const size = Math.min(left, bodyBytes);
      functions.push(
        builder.function(type, (code) => {
          const start = code.length;
          while (code.length - start < size - 100) write(code, builder);
          code.localGet(0);
        }),
      );
      left -= size;
    }
    return (code) => {
      for (const index of functions) code.i64Const(3).call(index).drop();
    };
  });
}

const LARGE_BODY = 120_000;

function nested(depth: number, bytes: number): Bytes {
  return manyBodies(bytes, 8 * depth, (code) => {
    const labels = Array.from({ length: depth }, () => code.block());
    for (const label of labels.toReversed()) code.localGet(0).i32WrapI64().brIf(label).end();
  });
}

/** Functions that declare locals and do next to nothing: a few bytes each. */
function manyLocals(bytes: number, locals: number): Bytes {
  return module((builder) => {
    const type = builder.type([I64], [I64]);
    const count = Math.min(4900, Math.floor(bytes / 16));
    const functions = Array.from({ length: count }, () =>
      builder.function(type, (code) => {
        const first = code.locals(I64, locals);
        code.localGet(0).localTee(first + locals - 1);
      }),
    );
    return (code) => {
      for (const index of functions.slice(0, 1000)) code.i64Const(3).call(index).drop();
    };
  });
}

/** Every local changes in every arm, so that all meet behind each. */
function mergedLocals(bytes: number): Bytes {
  return module((builder) => {
    const type = builder.type([I64], [I64]);
    const f = builder.function(type, (code) => {
      const first = code.locals(I64, 900);
      const start = code.length;
      while (code.length - start < Math.min(bytes, LARGE_BODY) - 600) {
        code.localGet(0).i32WrapI64().if();
        for (let index = 0; index < 8; index++)
          code.localGet(0).localSet(first + ((code.length * 7 + index) % 900));
        code
          .else()
          .localGet(0)
          .localSet(first + (code.length % 900))
          .end();
      }
      code.localGet(first + 5);
    });
    return (code) => {
      code.i64Const(1).call(f).drop();
    };
  });
}

function branchTables(bytes: number, targets: number): Bytes {
  return manyBodies(bytes, LARGE_BODY, (code) => {
    const outer = code.block();
    const inner = code.block();
    code.localGet(0).i32WrapI64();
    code.brTable(
      Array.from({ length: targets }, (_, index) => (index % 2 === 0 ? outer : inner)),
      outer,
    );
    code.end().end();
  });
}

function tinyFunctions(count: number): Bytes {
  return module((builder) => {
    const type = builder.type([I32], [I32]);
    const functions = Array.from({ length: count }, (_, place) =>
      builder.function(type, (code) => {
        code.localGet(0).i32Const(place).i32Add();
      }),
    );
    builder.table({ minimum: Math.min(10_000, count), maximum: undefined });
    builder.elements(0, functions.slice(0, 10_000));
    return (code) => {
      code.i32Const(0);
      for (const index of functions.slice(0, 1500)) code.call(index);
      code.drop();
    };
  });
}

/** Each function calls the next one twice: nobody may make them one. */
function callTree(depth: number): Bytes {
  return module((builder) => {
    const type = builder.type([I64], [I64]);
    const functions = Array.from({ length: depth }, () => builder.declareFunction(type));
    for (const [place, index] of functions.entries()) {
      const next = functions[place + 1];
      builder.define(index, (code) => {
        if (next === undefined) code.localGet(0).i64Const(1).i64Add();
        else code.localGet(0).call(next).call(next);
      });
    }
    return (code) => {
      code.i64Const(0).call(functions[0]!).drop();
    };
  });
}

function table(entries: number, elements: number): Bytes {
  return module((builder) => {
    const f = builder.function(builder.type([], []), () => {});
    builder.table({ minimum: entries, maximum: undefined });
    builder.elements(
      entries - elements,
      Array.from({ length: elements }, () => f),
    );
    return (code) => {
      code.i32Const(entries - 1).callIndirect(builder.type([], []));
    };
  });
}

function dataSegments(count: number): Bytes {
  return module((builder) => {
    for (let index = 0; index < count; index++) builder.data(60 * index, Uint8Array.of(index & 0xff));
    return () => {};
  });
}

function globals(count: number): Bytes {
  return module((builder) => {
    const all = Array.from({ length: count }, (_, index) => builder.global(I32, true, index));
    return (code) => {
      for (const index of all) code.globalGet(index).i32Const(1).i32Add().globalSet(index);
    };
  });
}

export const WEBASSEMBLY_BOMBS: readonly ProgramShape[] = [
  {
    name: "divisions",
    make: (bytes) => manyBodies(bytes, LARGE_BODY, (code) => code.localGet(0).localGet(0).i64DivS().drop()),
  },
  {
    name: "a store and a load each four bytes",
    make: (bytes) =>
      manyBodies(bytes, LARGE_BODY, (code) => code.i32Const(0).i32Const(0).i64Load().i64Store()),
  },
  {
    name: "memory.fill",
    make: (bytes) =>
      manyBodies(bytes, LARGE_BODY, (code) => code.i32Const(0).i32Const(0).i32Const(0).memoryFill()),
  },
  {
    name: "memory.grow by nothing",
    make: (bytes) => manyBodies(bytes, LARGE_BODY, (code) => code.i32Const(0).memoryGrow().drop()),
  },
  {
    name: "branches",
    make: (bytes) =>
      manyBodies(bytes, LARGE_BODY, (code) => {
        code.localGet(0).i32WrapI64().if();
        code.end();
      }),
  },
  {
    name: "calls of itself that are not made",
    make: (bytes) =>
      manyBodies(bytes, LARGE_BODY, (code) => {
        code.localGet(0).i64Eqz().if();
        code.localGet(0).call(0).drop().end();
      }),
  },
  {
    name: "250 loops a function",
    make: (bytes) =>
      manyBodies(bytes, 800, (code) => {
        code.loop();
        code.end();
      }),
  },
  {
    name: "more loops than there may be",
    make: (bytes) =>
      manyBodies(bytes, LARGE_BODY, (code) => {
        code.loop();
        code.end();
      }),
  },
  { name: "a thousand blocks in each other", make: (bytes) => nested(1000, bytes) },
  { name: "more blocks in each other than there may be", make: (bytes) => nested(1024, bytes) },
  { name: "990 locals a function", make: (bytes) => manyLocals(bytes, 990) },
  { name: "60 locals a function", make: (bytes) => manyLocals(bytes, 60) },
  { name: "900 locals that meet behind every if", make: mergedLocals },
  { name: "tables of 4,096 branches", make: (bytes) => branchTables(bytes, 4096) },
  { name: "tables of 4,097 branches", make: (bytes) => branchTables(bytes, 4097) },
  { name: "tables of few branches", make: (bytes) => branchTables(bytes, 3) },
  { name: "4,900 functions", make: () => tinyFunctions(4900) },
  { name: "10,000 functions", make: () => tinyFunctions(10_000) },
  { name: "a tree of calls, 1,500 deep", make: () => callTree(1500) },
  { name: "a table of 10,000 entries", make: () => table(10_000, 9000) },
  { name: "a table of more entries than there may be", make: () => table(10_001, 1) },
  { name: "1,000 data segments", make: () => dataSegments(1000) },
  { name: "1,001 data segments", make: () => dataSegments(1001) },
  { name: "1,000 globals", make: () => globals(1000) },
];
