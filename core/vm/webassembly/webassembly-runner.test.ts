import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, type Bytes, bytesToBigint, EMPTY_BYTES, toHex } from "@ostrom/base";
import { type CodeBuilder, I32, I64 } from "@ostrom/wasm";
import { EXIT_STATUS, type HostCallName } from "../contract-host/host-calls.ts";
import { entryGas, FUEL_PER_GAS, INSTRUCTION_FUEL, loadGas, pagesGas } from "../contract-host/program-gas.ts";
import { isNodeFault, NodeFault } from "../runtime/webassembly.ts";
import { accountWith, CONTRACT, OTHER } from "../testing/run-code.ts";
import type { Outcome } from "../types.ts";
import { createWebAssemblyRunner } from "./index.ts";
import { type ContractDraft, contractModule } from "./testing/contract-module.ts";
import { type ContractRun, contractCode, runContract } from "./testing/run-contract.ts";

/** PUSH1 2, PUSH1 0, REVERT. */
const EVM_REVERT_TWO_BYTES = Uint8Array.of(0x60, 2, 0x60, 0, 0xfd);

/** Runs a message twice in the reference and three times on one runner of V8, which keeps its instances.
 * @returns the outcome, which was always the same. */
function runBoth(code: Bytes, options: Omit<ContractRun, "by"> = {}): Outcome {
  const runner = createWebAssemblyRunner();
  const runs = (["reference", "v8", "reference", "v8", "v8"] as const).map((by) => {
    const { outcome, state } = runContract(code, { ...options, by, runner });
    return { outcome, slot: state.storage(CONTRACT, 0n) };
  });
  const first = runs[0]!;
  for (const { outcome, slot } of runs) {
    assert.equal(outcome.status, first.outcome.status);
    assert.equal(outcome.gasLeft, first.outcome.gasLeft);
    assert.equal(toHex(outcome.output), toHex(first.outcome.output));
    assert.equal(slot, first.slot);
  }
  return first.outcome;
}

function contract<Name extends HostCallName>(
  imports: readonly Name[],
  write: (code: CodeBuilder, draft: ContractDraft<Name>) => void,
  ...rest: unknown[]
): Bytes {
  const [memory, prepare] = rest as [
    { minimum: number; maximum: number | undefined } | undefined,
    ((draft: ContractDraft<Name>) => void) | undefined,
  ];
  return contractCode(contractModule(imports, write, memory, prepare));
}

/** Outputs an i32 that is on the stack, from address 0. */
function outputTop(code: CodeBuilder, { host }: ContractDraft<"output">): void {
  const value = code.local(I32);
  code.localSet(value).i32Const(0).localGet(value).i32Store().i32Const(0).i32Const(4).call(host.output);
}

function numberOf(outcome: Outcome): number {
  assert.equal(outcome.status, "success", outcome.fault ?? "");
  return new DataView(outcome.output.buffer, outcome.output.byteOffset).getInt32(0, true);
}

test("a message costs its entry, its loading and its blocks, to the last fuel", () => {
  const code = contract([], (code) => code.i32Const(1).i32Const(2).i32Mul().drop().i32Const(0));
  const fuel = 4 * INSTRUCTION_FUEL.simple + INSTRUCTION_FUEL.multiply;
  const entry = entryGas(1, 0) + loadGas(code.length - 3, false);
  const gas = 100_000n;
  const outcome = runBoth(code, { gas });
  assert.equal(gas - outcome.gasLeft, BigInt(entry + Math.ceil(fuel / FUEL_PER_GAS)));
  const least = gas - outcome.gasLeft;
  assert.equal(runBoth(code, { gas: least }).status, "success");
  assert.equal(runBoth(code, { gas: least - 1n }).fault, "vm/out-of-gas");
});

test("a message pays for what an instance begins with: data, segments, globals, entries of the table", () => {
  const entryOf = (prepare: (draft: ContractDraft<never>) => void): bigint => {
    const code = contract([], (code) => code.i32Const(0), undefined, prepare);
    const gas = 1_000_000n;
    return gas - runBoth(code, { gas }).gasLeft - BigInt(loadGas(code.length - 3, false));
  };
  const call = BigInt(Math.ceil(INSTRUCTION_FUEL.simple / FUEL_PER_GAS));
  const expected = (bytes: number): bigint => BigInt(entryGas(1, bytes)) + call;
  assert.equal(
    entryOf(({ builder }) => builder.data(8, new Uint8Array(100))),
    expected(100 + 32),
  );
  assert.equal(
    entryOf(({ builder }) => void builder.global(I64, true, 0n)),
    expected(8),
  );
  for (const entries of [1, 5000]) {
    assert.equal(
      entryOf(({ builder }) => builder.table({ minimum: entries, maximum: undefined })),
      expected(24 * entries),
    );
  }
});

test("programs that are let go when there is no room for them compiled leave the same when they are compiled again", () => {
  const codes = [1, 2, 3].map((number) =>
    contract(["output"], (code, draft) => {
      code.i32Const(number);
      outputTop(code, draft);
      code.i32Const(0);
    }),
  );
  // One byte: only the newest is kept.
  const runner = createWebAssemblyRunner(1);
  for (let round = 0; round < 3; round++) {
    for (const [index, code] of codes.entries()) {
      for (let message = 0; message < 2; message++) {
        assert.equal(numberOf(runContract(code, { by: "v8", runner }).outcome), index + 1);
      }
    }
  }
});

test("what a program returns is its output, by return and by exit", () => {
  for (const ending of ["return", "exit"] as const) {
    for (const status of [EXIT_STATUS.success, EXIT_STATUS.revert, 2, -1]) {
      const code = contract(["output", "exit", "input_copy"], (code, { host }) => {
        code.i32Const(0).i32Const(1).i32Const(3).call(host.input_copy);
        code.i32Const(0).i32Const(3).call(host.output);
        code.i32Const(status);
        if (ending === "exit") code.call(host.exit).i32Const(0);
      });
      const outcome = runBoth(code, { data: Uint8Array.of(9, 8, 7, 6) });
      const expected = status === 0 ? "success" : status === 1 ? "revert" : "fault";
      assert.equal(outcome.status, expected);
      assert.equal(toHex(outcome.output), expected === "fault" ? "0x" : "0x080706");
      if (expected === "fault") assert.equal(outcome.fault, "vm/trap");
    }
  }
});

test("deployment runs `deploy` if there is one, and a message `call`", () => {
  const init = (module: Bytes, input: Bytes): Bytes => {
    const header = Uint8Array.of(0xef, 0x0a, 1, 0, 0, 0, 0);
    new DataView(header.buffer).setUint32(3, module.length);
    return Uint8Array.of(...header, ...module, ...input);
  };
  const plain = contractModule([], (code) => code.unreachable());
  assert.equal(runBoth(EMPTY_BYTES, { to: "create", data: init(plain, EMPTY_BYTES) }).status, "success");
  for (const status of [0, 1]) {
    const module = contractModule(
      ["input_size", "output"],
      (code) => code.unreachable(),
      undefined,
      ({ builder, host }) => {
        builder.function(
          builder.type([], [I32]),
          (code) => {
            code.i32Const(4).call(host.input_size).i32Store8().i32Const(4).i32Const(1).call(host.output);
            code.i32Const(status);
          },
          "deploy",
        );
      },
    );
    const outcome = runBoth(EMPTY_BYTES, { to: "create", data: init(module, new Uint8Array(5)) });
    assert.equal(outcome.status, status === 0 ? "success" : "revert");
    if (status === 1) assert.equal(toHex(outcome.output), "0x05");
    else assert.equal(toHex(outcome.output), toHex(contractCode(module)));
  }
});

test("an initializer runs before each message, on the fuel and stack of the same", () => {
  for (const name of ["_start", "_initialize"]) {
    const code = contract(
      ["output"],
      (code, draft) => {
        code.globalGet(0);
        outputTop(code, draft);
        code.i32Const(0);
      },
      undefined,
      ({ builder }: ContractDraft<"output">) => {
        const global = builder.global(I32, true, 5);
        const add = (code: CodeBuilder): unknown =>
          code.globalGet(global).i32Const(2).i32Add().globalSet(global);
        builder.function(builder.type([], []), add, name);
      },
    );
    assert.equal(numberOf(runBoth(code)), 7);
  }
});

test("memory, data and globals are as new for every message", () => {
  const code = contract(
    ["output"],
    (code, draft) => {
      const addOne = (at: number): unknown =>
        code.i32Const(at).i32Const(at).i32Load().i32Const(1).i32Add().i32Store();
      addOne(100);
      addOne(40_000);
      code.globalGet(0).i32Const(1).i32Add().globalSet(0);
      code.globalGet(1).i64Const(1).i64Add().globalSet(1);
      code.i32Const(100).i32Load().i32Const(40_000).i32Load().i32Add();
      code.globalGet(0).i32Add().globalGet(1).i32WrapI64().i32Add();
      outputTop(code, draft);
      code.i32Const(0);
    },
    undefined,
    ({ builder }: ContractDraft<"output">) => {
      builder.global(I32, true, 1000);
      builder.global(I64, true, -(2n ** 63n));
      builder.data(100, Uint8Array.of(50));
    },
  );
  assert.equal(numberOf(runBoth(code)), 51 + 1 + 1001 + 1);
});

test("memory.grow costs its pages and gives -1 beyond the maximum", () => {
  const growing = (pages: number, times: number): Bytes =>
    contract(
      ["output"],
      (code, draft) => {
        for (let index = 0; index < times; index++) code.i32Const(pages).memoryGrow().drop();
        code.i32Const(pages).memoryGrow();
        code.memorySize().i32Const(1000).i32Mul().i32Add();
        outputTop(code, draft);
        code.i32Const(0);
      },
      { minimum: 1, maximum: 4 },
    );
  assert.equal(numberOf(runBoth(growing(1, 0))), 2001);
  assert.equal(numberOf(runBoth(growing(1, 3))), 3999);
  assert.equal(numberOf(runBoth(growing(0, 1))), 1001);
  assert.equal(numberOf(runBoth(growing(4, 0))), 999);
  assert.equal(numberOf(runBoth(growing(-1, 0))), 999);
  const gas = 100_000n;
  const used = gas - runBoth(growing(2, 0), { gas }).gasLeft;
  const ofNone = gas - runBoth(growing(0, 0), { gas }).gasLeft;
  assert.equal(used - ofNone, BigInt(pagesGas(3) - pagesGas(1)));
  assert.equal(runBoth(growing(2, 0), { gas: used - 1n }).fault, "vm/out-of-gas");
});

test("memory that grew is zero and can be used to its end, and by the host", () => {
  const code = contract(
    ["output", "caller"],
    (code, { host }) => {
      code.i32Const(1).memoryGrow().drop();
      code.i32Const(131_052).call(host.caller);
      code.i32Const(131_040).i32Const(32).call(host.output).i32Const(0);
    },
    { minimum: 1, maximum: 2 },
  );
  assert.equal(toHex(runBoth(code).output), `0x${"00".repeat(12)}${"ca".repeat(20)}`);
});

test("loops and recursion without end run out of gas, and deep recursion traps", () => {
  const looping = contract([], (code) => {
    const again = code.loop();
    code.br(again).end().i32Const(0);
  });
  assert.equal(runBoth(looping, { gas: 30_000n }).fault, "vm/out-of-gas");
  const withFunction = (write: (code: CodeBuilder, self: number) => void): Bytes =>
    contract(
      [],
      (code) => code.call(0).i32Const(0),
      undefined,
      ({ builder }: ContractDraft<never>) => {
        const self = builder.declareFunction(builder.type([], []));
        builder.define(self, (code) => write(code, self));
      },
    );
  assert.equal(runBoth(withFunction((code, self) => code.call(self))).fault, "vm/trap");
  const branching = withFunction((code, self) => code.call(self).call(self));
  assert.equal(runBoth(branching, { gas: 60_000n }).status, "fault");
});

test("fuel is counted exactly at each host call", () => {
  const code = contract(["gas_left", "output"], (code, { host }) => {
    const count = code.local(I32);
    code.i32Const(20).localSet(count);
    const again = code.loop();
    code.localGet(count).i32Const(8).i32Mul().call(host.gas_left).i64Store();
    code.localGet(count).i32Const(3).i32RemU();
    code.if();
    code.i32Const(7).i32Const(5).i32DivU().drop().end();
    code.localGet(count).i32Const(1).i32Sub().localTee(count).brIf(again).end();
    code.i32Const(0).i32Const(168).call(host.output).i32Const(0);
  });
  const { output } = runBoth(code);
  const view = new DataView(output.buffer, output.byteOffset);
  const steps = Array.from({ length: 19 }, (_, index) =>
    Number(view.getBigInt64(8 * (index + 2), true) - view.getBigInt64(8 * (index + 1), true)),
  );
  assert.ok(steps.every((step) => step > 0));
  // The remainder of fuel below one gas is kept from one call to the next.
  assert.ok(new Set(steps).size > 1);
});

/** A contract that calls OTHER, or itself while its input is longer than a byte, with the input less a byte, and outputs the status and
 * what came back. */
function calling(to: Address): Bytes {
  return contract(
    ["call", "input_size", "input_copy", "output", "return_data_size", "return_data_copy", "storage_store"],
    (code, { host }) => {
      const size = code.local(I32);
      code.call(host.input_size).localTee(size).i32Eqz();
      code.if();
      code.i32Const(0).return().end();
      code.i32Const(128).i32Const(1).localGet(size).i32Const(1).i32Sub().call(host.input_copy);
      // Storage slot 0 counts down to what the innermost wrote last.
      code.i32Const(64).localGet(size).i32Store8();
      code.i32Const(0).i32Const(33).call(host.storage_store);
      code
        .i32Const(32 + 64)
        .localGet(size)
        .i32Store8();
      code.i32Const(97);
      code.i64Const(-1).i32Const(1024).i32Const(0).i32Const(128).localGet(size).i32Const(1).i32Sub();
      code.call(host.call).i32Store8();
      code.i32Const(98).call(host.return_data_size).i32Store8();
      code.i32Const(99).i32Const(0).call(host.return_data_size).call(host.return_data_copy);
      code.i32Const(96).i32Const(3).call(host.return_data_size).i32Add().call(host.output);
      code.globalGet(0).i32Const(1).i32Add().globalSet(0);
      code.globalGet(0).i32Const(1).i32Ne();
    },
    undefined,
    ({ builder }: ContractDraft<HostCallName>) => {
      builder.data(1024, to);
      builder.global(I32, true, 0);
    },
  );
}

test("a program may be entered while a frame of it waits, with globals and memory of its own", () => {
  const outcome = runBoth(calling(CONTRACT), { data: new Uint8Array(5), gas: 30_000_000n });
  assert.equal(outcome.status, "success", outcome.fault ?? "");
  // At each level: the size of its input, the callee's status, the length of what that returned, and that.
  assert.equal(toHex(outcome.output), "0x05000c040009030006020003010000");
});

test("a child's revert and fault are statuses, and its return data is there", () => {
  const reverting = accountWith({ address: OTHER, code: EVM_REVERT_TWO_BYTES });
  const outcome = runBoth(calling(OTHER), { data: new Uint8Array(1), accounts: [reverting] });
  assert.equal(toHex(outcome.output), "0x0101020000");
  const trapping = accountWith({ address: OTHER, code: contract([], (code) => code.unreachable()) });
  assert.equal(
    toHex(runBoth(calling(OTHER), { data: new Uint8Array(1), accounts: [trapping] }).output),
    "0x010200",
  );
});

test("what fails in the host is a fault of the node in every frame that waits, and no trap", () => {
  const code = calling(CONTRACT);
  const runner = createWebAssemblyRunner();
  for (const thrown of [
    new RangeError("stack"),
    new WebAssembly.RuntimeError("unreachable"),
    new NodeFault("memory"),
  ]) {
    let depth = 0;
    const failing: typeof runner = (machine, frame, program, runChild) => {
      if (++depth === 3) throw thrown;
      runner(machine, frame, program, runChild);
    };
    assert.throws(
      () => runContract(code, { by: "v8", data: new Uint8Array(5), gas: 30_000_000n, runner: failing }),
      (error) => error instanceof NodeFault && isNodeFault(error),
    );
  }
  const bug = new Error("an invariant is broken");
  const broken: typeof runner = (machine, frame, program, runChild) => {
    if (frame.depth === 2) throw bug;
    runner(machine, frame, program, runChild);
  };
  assert.throws(
    () => runContract(code, { by: "v8", data: new Uint8Array(5), gas: 30_000_000n, runner: broken }),
    (error) => error === bug,
  );
});

test("more gas than a program can count is kept", () => {
  const code = contract(["gas_left", "output"], (code, { host }) => {
    code.i32Const(0).call(host.gas_left).i64Store().i32Const(0).i32Const(8).call(host.output).i32Const(0);
  });
  for (const gas of [2n ** 48n + 5n, 2n ** 53n, 2n ** 63n + 7n]) {
    const { output, gasLeft } = runBoth(code, { gas });
    const seen = bytesToBigint(Uint8Array.from(output).reverse());
    assert.ok(gas - gasLeft < 10_000n);
    assert.ok(seen > gasLeft && seen < gas);
  }
});
