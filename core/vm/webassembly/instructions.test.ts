import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, toHex } from "@ostrom/base";
import { type CodeBuilder, I32, I64, OPCODE, type ValueType } from "@ostrom/wasm";
import { contractModule } from "./testing/contract-module.ts";
import { contractCode, runContract } from "./testing/run-contract.ts";

type Name = keyof typeof OPCODE;

const I32_VALUES: readonly number[] = [
  0, 1, 2, 7, 31, 32, 33, 255, 0x7fff_ffff, -0x8000_0000, -1, -2, -33, 0x1234_5678,
];
const I64_VALUES: readonly bigint[] = [
  0n,
  1n,
  3n,
  63n,
  64n,
  65n,
  0xffff_ffffn,
  0x8000_0000n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -1n,
  -5n,
  0x0123_4567_89ab_cdefn,
];

const NAMES = Object.keys(OPCODE) as Name[];
const between = (first: Name, last: Name): Name[] =>
  NAMES.filter((name) => OPCODE[name] >= OPCODE[first] && OPCODE[name] <= OPCODE[last]);

const I32_BINARY = [...between("i32Eq", "i32GeU"), ...between("i32Add", "i32Rotr")];
const I64_BINARY = [...between("i64Eq", "i64GeU"), ...between("i64Add", "i64Rotr")];
const I32_UNARY: Name[] = ["i32Eqz", ...between("i32Clz", "i32Popcnt"), "i32Extend8S", "i32Extend16S"];
const I64_UNARY: Name[] = [
  "i64Eqz",
  ...between("i64Clz", "i64Popcnt"),
  ...between("i64Extend8S", "i64Extend32S"),
];
const LOADS = between("i32Load", "i64Load32U");
const STORES = between("i32Store", "i64Store32");

/** Where outputs go, one after the other; below are inputs. */
const OUTPUT_AT = 4096;

/** Runs a contract in the reference, on V8 with metering, and its module on V8 as it is.
 * @returns what all three output, or "fault". */
function runEverywhere(module: Bytes): string {
  const code = contractCode(module);
  const [reference, metered] = (["reference", "v8"] as const).map((by) => runContract(code, { by }).outcome);
  assert.equal(metered!.status, reference!.status);
  assert.equal(metered!.gasLeft, reference!.gasLeft);
  assert.equal(toHex(metered!.output), toHex(reference!.output));
  assert.equal(runAsItIs(module), reference!.status === "fault" ? "fault" : toHex(reference!.output));
  return reference!.status === "fault" ? "fault" : toHex(reference!.output);
}

function runAsItIs(module: Bytes): string {
  let output = "nothing";
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module)), {
    ostrom: {
      output: (from: number, size: number) => {
        output = toHex(new Uint8Array(memory.buffer, from, size));
      },
    },
  });
  const { memory, call } = instance.exports as { memory: WebAssembly.Memory; call: () => number };
  try {
    assert.equal(call(), 0);
    return output;
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    return "fault";
  }
}

/** A contract that computes results and outputs them all. */
function computing(
  write: (code: CodeBuilder, keep: (type: ValueType, push: () => void) => void) => void,
): Bytes {
  return contractModule(
    ["output"],
    (code, { host }) => {
      let at = OUTPUT_AT;
      write(code, (type, push) => {
        code.i32Const(at);
        push();
        if (type === I32) code.i32Store();
        else code.i64Store();
        at += 8;
      });
      code
        .i32Const(OUTPUT_AT)
        .i32Const(at - OUTPUT_AT)
        .call(host.output)
        .i32Const(0);
    },
    undefined,
    ({ builder }) => {
      builder.export("memory", "memory");
      builder.data(
        8,
        Uint8Array.from({ length: 32 }, (_, index) => 0x71 + 13 * index),
      );
    },
  );
}

function constant(code: CodeBuilder, value: number | bigint): void {
  if (typeof value === "bigint") code.i64Const(value);
  else code.i32Const(value);
}

function resultType(name: Name): ValueType {
  const opcode = OPCODE[name];
  const compares = opcode >= OPCODE.i32Eqz && opcode <= OPCODE.i64GeU;
  return compares || name.startsWith("i32") ? I32 : I64;
}

function traps(name: Name, left: number | bigint, right: number | bigint): boolean {
  if (!/Div|Rem/.test(name)) return false;
  const least = typeof left === "bigint" ? -(2n ** 63n) : -(2 ** 31);
  return Number(right) === 0 || (name.endsWith("DivS") && left === least && Number(right) === -1);
}

for (const [names, values] of [
  [I32_BINARY, I32_VALUES],
  [I64_BINARY, I64_VALUES],
] as const) {
  test(`${names[0]} to ${names.at(-1)} compute what they compute on V8`, () => {
    for (const name of names) {
      const module = computing((code, keep) => {
        for (const left of values) {
          for (const right of values) {
            if (traps(name, left, right)) continue;
            keep(resultType(name), () => {
              constant(code, left);
              constant(code, right);
              code.op(OPCODE[name]);
            });
          }
        }
      });
      assert.notEqual(runEverywhere(module), "fault", name);
    }
  });
}

test("divisions trap where they trap on V8", () => {
  let faults = 0;
  for (const [names, values] of [
    [I32_BINARY, I32_VALUES],
    [I64_BINARY, I64_VALUES],
  ] as const) {
    for (const name of names) {
      for (const left of values) {
        for (const right of values) {
          if (!traps(name, left, right)) continue;
          // One dividend for each zero is enough.
          if (Number(right) === 0 && left !== values[1]) continue;
          const module = computing((code, keep) => {
            keep(resultType(name), () => {
              constant(code, left);
              constant(code, right);
              code.op(OPCODE[name]);
            });
          });
          assert.equal(runEverywhere(module), "fault", `${name} ${left} ${right}`);
          faults++;
        }
      }
    }
  }
  assert.equal(faults, 10);
});

test("instructions with one operand, and conversions, compute what they compute on V8", () => {
  const cases: (readonly [Name, readonly (number | bigint)[], ValueType])[] = [
    ...I32_UNARY.map((name) => [name, I32_VALUES, I32] as const),
    ...I64_UNARY.map((name) => [name, I64_VALUES, resultType(name)] as const),
    ["i32WrapI64", I64_VALUES, I32],
    ["i64ExtendI32S", I32_VALUES, I64],
    ["i64ExtendI32U", I32_VALUES, I64],
  ];
  for (const [name, values, type] of cases) {
    const module = computing((code, keep) => {
      for (const value of values) {
        keep(type, () => {
          constant(code, value);
          code.op(OPCODE[name]);
        });
      }
    });
    assert.notEqual(runEverywhere(module), "fault", name);
  }
});

test("loads and stores do what they do on V8, within the memory and at its end", () => {
  const access = (code: CodeBuilder, name: Name, offset: number): void => {
    code.u8(OPCODE[name]).u32(0).u32(offset);
  };
  for (const name of LOADS) {
    const type = name.startsWith("i32") ? I32 : I64;
    const module = computing((code, keep) => {
      for (const [address, offset] of [
        [8, 0],
        [9, 3],
        [0, 25],
        [65_000, 528],
      ] as const) {
        keep(type, () => {
          code.i32Const(address);
          access(code, name, offset);
        });
      }
    });
    assert.notEqual(runEverywhere(module), "fault", name);
  }
  for (const name of STORES) {
    const value = name.startsWith("i32") ? I32_VALUES[13]! : I64_VALUES[12]!;
    const module = computing((code, keep) => {
      for (const [address, offset] of [
        [100, 0],
        [101, 6],
      ] as const) {
        code.i32Const(address);
        constant(code, value);
        access(code, name, offset);
      }
      for (const at of [96, 104, 112]) keep(I64, () => code.i32Const(at).i64Load());
    });
    assert.notEqual(runEverywhere(module), "fault", name);
  }
  for (const name of [...LOADS, ...STORES]) {
    for (const [address, offset] of [
      [65_536, 0],
      [65_535, name.endsWith("8U") || name.endsWith("8S") || name.endsWith("8") ? 1 : 0],
      [-1, 0],
      [16, 0xffff_ffff],
    ] as const) {
      const module = computing((code) => {
        code.i32Const(address);
        if (STORES.includes(name)) constant(code, name.startsWith("i32") ? 1 : 1n);
        access(code, name, offset);
        if (LOADS.includes(name)) code.drop();
      });
      assert.equal(runEverywhere(module), "fault", `${name} ${address} ${offset}`);
    }
  }
});

test("memory.copy and memory.fill do what they do on V8, overlapping and out of bounds", () => {
  const after = (write: (code: CodeBuilder) => void): string =>
    runEverywhere(
      computing((code, keep) => {
        write(code);
        for (let at = 0; at < 48; at += 8) keep(I64, () => code.i32Const(at).i64Load());
      }),
    );
  for (const [to, from, count] of [
    [12, 8, 20],
    [4, 8, 20],
    [65_536, 0, 0],
  ] as const) {
    assert.notEqual(
      after((code) => code.i32Const(to).i32Const(from).i32Const(count).memoryCopy()),
      "fault",
    );
    assert.notEqual(
      after((code) => code.i32Const(to).i32Const(0x1ab).i32Const(count).memoryFill()),
      "fault",
    );
  }
  for (const [to, from, count] of [
    [65_530, 0, 7],
    [0, 65_530, 7],
    [65_537, 0, 0],
  ] as const) {
    assert.equal(
      after((code) => code.i32Const(to).i32Const(from).i32Const(count).memoryCopy()),
      "fault",
    );
  }
  assert.equal(
    after((code) => code.i32Const(65_530).i32Const(0).i32Const(7).memoryFill()),
    "fault",
  );
});
