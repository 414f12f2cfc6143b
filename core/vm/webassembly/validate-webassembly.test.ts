import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder, type ValueType } from "@ostrom/wasm";
import { HOST_CALLS } from "../contract-host/host-calls.ts";
import { MAX_PROGRAM_PAGES } from "../contract-host/program-gas.ts";
import { MAX_LOOPS } from "./contract-limits.ts";
import { typeOfHostCall } from "./read-contract.ts";
import { contractModule, ONE_PAGE } from "./testing/contract-module.ts";
import { validateWebAssembly } from "./validate-webassembly.ts";

function reasonFor(module: Bytes): string | undefined {
  const verdict = validateWebAssembly(module);
  return verdict.ok ? undefined : verdict.reason;
}

function refuses(module: Bytes, pattern: RegExp): void {
  assert.match(reasonFor(module) ?? "accepted", pattern);
}

function moduleWith(write: (builder: ModuleBuilder) => void): Bytes {
  const builder = new ModuleBuilder();
  write(builder);
  return builder.encode();
}

function entry(
  builder: ModuleBuilder,
  name = "call",
  parameters: readonly ValueType[] = [],
  results: readonly ValueType[] = [I32],
): void {
  builder.function(
    builder.type(parameters, results),
    (code) => {
      for (const type of results) type === I64 ? code.i64Const(0) : code.i32Const(0);
    },
    name,
  );
}

test("a module with a memory and `call` is a contract", () => {
  assert.equal(reasonFor(contractModule([], (code) => code.i32Const(0))), undefined);
});

test("every host call but memory_grow can be imported with its type", () => {
  const accepted = moduleWith((builder) => {
    for (const call of HOST_CALLS) {
      if (call.name === "memory_grow") continue;
      const { parameters, results } = typeOfHostCall(call);
      builder.importFunction("ostrom", call.name, builder.type(parameters, results));
    }
    builder.memory(ONE_PAGE);
    entry(builder);
  });
  assert.equal(reasonFor(accepted), undefined);
  refuses(
    moduleWith((builder) => {
      builder.importFunction("ostrom", "memory_grow", builder.type([I32], [I32]));
      builder.memory(ONE_PAGE);
      entry(builder);
    }),
    /use the instruction memory.grow/,
  );
});

test("imports that are no host calls are refused by name", () => {
  const importing = (module: string, name: string, parameters: readonly ValueType[]): Bytes =>
    moduleWith((builder) => {
      builder.importFunction(module, name, builder.type(parameters, []));
      builder.memory(ONE_PAGE);
      entry(builder);
    });
  refuses(importing("env", "caller", [I32]), /no host function env.caller/);
  refuses(importing("ostrom", "callers", [I32]), /no host function ostrom.callers/);
  refuses(importing("ostrom", "caller", [I64]), /ostrom.caller has another type/);
  refuses(
    moduleWith((builder) => {
      builder.importMemory("ostrom", "memory", ONE_PAGE);
      entry(builder);
    }),
    /ostrom.memory is a memory/,
  );
  refuses(
    moduleWith((builder) => {
      builder.importGlobal("ostrom", "base", I32, false);
      builder.memory(ONE_PAGE);
      entry(builder);
    }),
    /ostrom.base is a global/,
  );
});

test("`call` is needed, `deploy` and an initializer are not, and each has its type", () => {
  const exporting = (write: (builder: ModuleBuilder) => void): Bytes =>
    moduleWith((builder) => {
      builder.memory(ONE_PAGE);
      write(builder);
    });
  refuses(
    exporting(() => {}),
    /no function `call`/,
  );
  refuses(
    exporting((builder) => entry(builder, "call", [], [])),
    /`call` must take nothing and return an i32/,
  );
  refuses(
    exporting((builder) => entry(builder, "call", [I32], [I32])),
    /`call` must take nothing/,
  );
  refuses(
    exporting((builder) => builder.export("call", "memory")),
    /`call` is a memory/,
  );
  refuses(
    exporting((builder) => {
      entry(builder);
      entry(builder, "deploy", [], [I64]);
    }),
    /`deploy` must/,
  );
  refuses(
    exporting((builder) => {
      entry(builder);
      entry(builder, "_start", [], [I32]);
    }),
    /`_start` must take nothing and return nothing/,
  );
  refuses(
    exporting((builder) => {
      entry(builder);
      entry(builder, "_start", [], []);
      entry(builder, "_initialize", [], []);
    }),
    /one of _initialize and _start/,
  );
  const whole = exporting((builder) => {
    entry(builder);
    entry(builder, "deploy");
    entry(builder, "_initialize", [], []);
    builder.export("memory", "memory");
  });
  assert.equal(reasonFor(whole), undefined);
  const imported = moduleWith((builder) => {
    builder.importFunction("ostrom", "input_size", builder.type([], [I32]));
    builder.memory(ONE_PAGE);
    builder.export("call", "function", 0);
  });
  refuses(imported, /`call` is an imported function/);
});

test("the memory has at most MAX_PROGRAM_PAGES at first, and a module without one is refused", () => {
  const withMemory = (minimum: number, maximum: number | undefined): Bytes =>
    contractModule([], (code) => code.i32Const(0), { minimum, maximum });
  assert.equal(reasonFor(withMemory(MAX_PROGRAM_PAGES, undefined)), undefined);
  assert.equal(reasonFor(withMemory(0, 65_536)), undefined);
  refuses(withMemory(MAX_PROGRAM_PAGES + 1, undefined), /the memory begins with \d+ pages/);
  refuses(moduleWith(entry), /no memory/);
});

test("data and elements beyond memory and table are refused", () => {
  const withSegments = (dataAt: number, elementsAt: number): Bytes =>
    contractModule(
      [],
      (code) => code.i32Const(0),
      ONE_PAGE,
      ({ builder }) => {
        builder.data(dataAt, Uint8Array.of(1, 2));
        builder.table({ minimum: 4, maximum: undefined });
        const f = builder.function(builder.type([], []), (code) => code.nop());
        builder.elements(elementsAt, [f, f]);
      },
    );
  assert.equal(reasonFor(withSegments(65_534, 2)), undefined);
  refuses(withSegments(65_535, 2), /data for \[65535, 65537\)/);
  refuses(withSegments(-1, 2), /data for \[4294967295/);
  refuses(withSegments(0, 3), /elements for \[3, 5\)/);
});

test("what the subset leaves out is refused with its place", () => {
  const withCode = (write: (code: CodeBuilder) => void): Bytes =>
    contractModule([], (code) => {
      write(code);
      code.i32Const(0);
    });
  // f64.const 0, drop
  refuses(
    withCode((code) => code.u8(0x44).raw(new Uint8Array(8)).drop()),
    /^wasm\/unsupported-float at byte \d+: floating-point/,
  );
  refuses(
    withCode((code) => code.v128Const(new Uint8Array(16)).drop()),
    /^wasm\/unsupported at byte \d+/,
  );
  refuses(Uint8Array.of(0, 0x61, 0x73), /^wasm\/truncated at byte 3/);
  assert.equal(reasonFor(withCode((code) => code.i32Const(1).memoryGrow().drop())), undefined);
});

test("functions that V8 would compile slowly are refused", () => {
  const withLoops = (count: number): Bytes =>
    contractModule([], (code) => {
      for (let index = 0; index < count; index++) {
        code.loop();
        code.end();
      }
      code.i32Const(0);
    });
  assert.equal(reasonFor(withLoops(MAX_LOOPS)), undefined);
  refuses(withLoops(MAX_LOOPS + 1), /257 loops/);
  const withBranches = (locals: number): Bytes =>
    contractModule([], (code) => {
      code.locals(I64, locals);
      for (let index = 0; index < 5000; index++) {
        const label = code.block();
        code.i32Const(0).brIf(label).end();
      }
      code.i32Const(0);
    });
  assert.equal(reasonFor(withBranches(20)), undefined);
  refuses(withBranches(100), /too many locals and operands for so many branches/);
});
