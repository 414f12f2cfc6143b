import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressFromHex,
  type Bytes,
  bytesToBigint,
  EMPTY_BYTES,
  must,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import { assemble, returning } from "../testing/assemble.ts";
import { accountWith, CALLER, CONTRACT, TEST_BLOCK } from "../testing/run-code.ts";
import type { Outcome } from "../types.ts";
import { CALL_STATUS, HOST_CALLS, type HostCallName } from "./host-calls.ts";
import { PAGE_SIZE } from "./program-gas.ts";
import {
  hostCall,
  runScripted,
  type Script,
  type ScriptCall,
  ScriptedKind,
} from "./testing/scripted-kind.ts";
import type { HostOperands } from "./types.ts";

const OTHER = addressFromHex(`0x${"b1".repeat(20)}`);
const TO = 1024;
/** Address of the precompile that returns its input. */
const IDENTITY = 4;

function run(script: Script, options: Parameters<typeof runScripted>[2] = {}): Outcome {
  const kind = new ScriptedKind();
  return runScripted(kind, kind.code(script), options).outcome;
}

/** What one call writes to TO. */
function answer(size: number, call: ScriptCall, options: Parameters<typeof runScripted>[2] = {}): Bytes {
  const { status, output } = run(function* (memory) {
    memory.set(OTHER);
    yield call;
    yield hostCall("output", TO, size);
    return 0;
  }, options);
  assert.equal(status, "success");
  return output;
}

test("a program reads its message, its transaction and its block", () => {
  const options = {
    data: Uint8Array.of(1, 2, 3),
    value: 9n,
    accounts: [accountWith({ address: OTHER, balance: 4n })],
  };
  assert.deepEqual(answer(4, hostCall("input_copy", TO, 1, 4), options), Uint8Array.of(2, 3, 0, 0));
  assert.deepEqual(answer(20, hostCall("address", TO)), new Uint8Array(CONTRACT));
  assert.deepEqual(answer(20, hostCall("caller", TO)), new Uint8Array(CALLER));
  assert.deepEqual(answer(20, hostCall("origin", TO)), new Uint8Array(CALLER));
  assert.deepEqual(answer(20, hostCall("coinbase", TO)), new Uint8Array(TEST_BLOCK.coinbase));
  assert.equal(bytesToBigint(answer(32, hostCall("value", TO), options)), 9n);
  assert.equal(bytesToBigint(answer(32, hostCall("gas_price", TO))), 10n);
  assert.equal(bytesToBigint(answer(32, hostCall("base_fee", TO))), 7n);
  assert.equal(bytesToBigint(answer(32, hostCall("blob_base_fee", TO))), 1n);
  assert.equal(bytesToBigint(answer(32, hostCall("balance", 0, TO), options)), 4n);
  run(function* () {
    assert.equal(yield hostCall("input_size"), 3);
    assert.equal(yield hostCall("block_number"), 1000n);
    assert.equal(yield hostCall("timestamp"), 1_700_000_000n);
    assert.equal(yield hostCall("gas_limit"), 30_000_000n);
    assert.equal(yield hostCall("chain_id"), 1337n);
    return 0;
  }, options);
});

test("arithmetic is modulo 2^256, and division by zero is 0", () => {
  const compute = (name: HostCallName, ...words: readonly bigint[]): bigint => {
    const { output } = run(function* (memory) {
      words.forEach((word, index) => {
        memory.set(wordToBytes(word), 32 * index);
      });
      yield hostCall(name, ...words.map((_, index) => 32 * index), TO);
      yield hostCall("output", TO, 32);
      return 0;
    });
    return bytesToBigint(output);
  };
  const most = 2n ** 256n - 1n;
  assert.equal(compute("u256_mul", most, 2n), most - 1n);
  assert.equal(compute("u256_div", 7n, 2n), 3n);
  assert.equal(compute("u256_div", 7n, 0n), 0n);
  assert.equal(compute("u256_mod", 7n, 4n), 3n);
  assert.equal(compute("u256_mod", 7n, 0n), 0n);
  assert.equal(compute("u256_addmod", most, most, 10n), (2n * most) % 10n);
  assert.equal(compute("u256_mulmod", most, most, 12n), (most * most) % 12n);
  assert.equal(compute("u256_exp", 3n, 200n), 3n ** 200n % 2n ** 256n);
});

test("what a program returns is what it said last, and its exit status decides; others are traps", () => {
  const exiting = (status: number, byExit: boolean): Outcome =>
    run(function* (memory) {
      memory.set(utf8("ab"));
      yield hostCall("output", 0, 1);
      yield hostCall("output", 0, 2);
      if (byExit) yield hostCall("exit", status);
      return status;
    });
  for (const byExit of [false, true]) {
    assert.equal(exiting(0, byExit).status, "success");
    assert.deepEqual(exiting(0, byExit).output, utf8("ab"));
    assert.equal(exiting(1, byExit).status, "revert");
    assert.deepEqual(exiting(1, byExit).output, utf8("ab"));
    assert.deepEqual([exiting(2, byExit).fault, exiting(-1, byExit).fault], ["vm/trap", "vm/trap"]);
  }
});

test("a pointer out of memory is a trap, whatever the call", () => {
  for (const { name, parameters } of HOST_CALLS) {
    const pointers = parameters.flatMap(({ name: parameter, type }, index) =>
      type === "i32" && !["offset", "size", "index", "status", "topic_count", "pages"].includes(parameter)
        ? [index]
        : [],
    );
    for (const pointer of pointers) {
      const operands: HostOperands = parameters.map(({ name: parameter, type }, index) => {
        if (index === pointer) return PAGE_SIZE - 1;
        if (type === "i64") return 1000n;
        return parameter === "size" ? 2 : parameter === "topic_count" ? 1 : 0;
      });
      const { fault, gasLeft } = run(function* (memory) {
        memory[TO + 19] = IDENTITY;
        // So that there is something to copy: the identity precompile gives it back.
        yield hostCall("static_call", 100_000n, TO, 0, 64);
        yield hostCall(name, ...operands);
        return 0;
      });
      assert.deepEqual([fault, gasLeft], ["vm/trap", 0n], `${name}, operand ${pointer}`);
    }
  }
});

test("sizes and pointers near 2^32 are traps or out of gas, and allocate nothing", () => {
  const huge = -1;
  const calls: readonly ScriptCall[] = [
    hostCall("input_copy", 0, 0, huge),
    hostCall("input_copy", huge, 0, 1),
    hostCall("output", huge, huge),
    hostCall("log", 0, huge, 0, 0),
    hostCall("log", 0, 0, huge, 4),
    hostCall("log", 0, 0, 0, 5),
    hostCall("keccak256", 0, huge, 0),
    hostCall("code_copy", 0, 0, 0, huge),
    hostCall("call", 1n, 0, 0, 0, huge),
    hostCall("create", 0, 0, huge, 0),
  ];
  for (const call of calls) {
    const { status, gasLeft } = run(
      function* () {
        yield call;
        return 0;
      },
      { gas: 2n ** 50n },
    );
    assert.deepEqual([status, gasLeft], ["fault", 0n], call.name);
  }
});

test("a program called statically cannot change state", () => {
  const calls: readonly ScriptCall[] = [
    hostCall("storage_store", 0, 0),
    hostCall("transient_store", 0, 0),
    hostCall("log", 0, 0, 0, 0),
    hostCall("create", 0, 0, 0, TO),
    hostCall("create2", 0, 0, 0, 0, TO),
    hostCall("self_destruct", 0),
    hostCall("call", 0n, 0, 64, 0, 0),
  ];
  for (const call of calls) {
    const kind = new ScriptedKind();
    const callee = kind.code(function* (memory) {
      memory[95] = 1;
      yield call;
      return 0;
    });
    const caller = kind.code(function* (memory) {
      memory.set(OTHER);
      assert.equal(yield hostCall("static_call", 100_000n, 0, 0, 0), CALL_STATUS.fault);
      return 0;
    });
    const { outcome } = runScripted(kind, caller, {
      accounts: [accountWith({ address: OTHER, code: callee })],
    });
    assert.equal(outcome.status, "success", call.name);
  }
});

test("a call tells success, revert and fault apart, and what was returned can be fetched", () => {
  const callOther = (code: Bytes): readonly [number | bigint, Bytes] => {
    let status: number | bigint = -1;
    const { output } = run(
      function* (memory) {
        memory.set(OTHER);
        status = yield hostCall("call", 100_000n, 0, 64, 0, 0);
        const size = Number(yield hostCall("return_data_size"));
        yield hostCall("return_data_copy", TO, 0, size);
        yield hostCall("output", TO, size);
        return 0;
      },
      { accounts: [accountWith({ address: OTHER, code })] },
    );
    return [status, output];
  };
  assert.deepEqual(callOther(returning(5n)), [CALL_STATUS.success, wordToBytes(5n)]);
  assert.deepEqual(callOther(assemble(6n, 0n, "MSTORE", 32n, 0n, "REVERT")), [
    CALL_STATUS.revert,
    wordToBytes(6n),
  ]);
  assert.deepEqual(callOther(assemble("INVALID")), [CALL_STATUS.fault, EMPTY_BYTES]);
  assert.deepEqual(callOther(EMPTY_BYTES), [CALL_STATUS.success, EMPTY_BYTES]);
});

test("a creation writes the new address, or zeros", () => {
  const createFrom = (initCode: Bytes): readonly [number | bigint, bigint, number | bigint] => {
    let status: number | bigint = -1;
    let returned: number | bigint = -1;
    const { output } = run(function* (memory) {
      memory.fill(0xff, TO, TO + 20);
      memory.set(initCode, 64);
      status = yield hostCall("create", 0, 64, initCode.length, TO);
      returned = yield hostCall("return_data_size");
      yield hostCall("output", TO, 20);
      return 0;
    });
    return [status, bytesToBigint(output), returned];
  };
  const [status, created, returned] = createFrom(returning(1n));
  assert.deepEqual([status, created > 0n, returned], [CALL_STATUS.success, true, 0]);
  assert.deepEqual(createFrom(assemble(32n, 0n, "REVERT")), [CALL_STATUS.revert, 0n, 32]);
  assert.deepEqual(createFrom(assemble("INVALID")), [CALL_STATUS.fault, 0n, 0]);
});

test("frames of programs nest as deep as the EVM's, and all but a 64th of the gas goes along", () => {
  const kind = new ScriptedKind();
  const left: bigint[] = [];
  let deepest = 0;
  const code = kind.code(function* (memory, frame) {
    memory.set(CONTRACT);
    deepest = Math.max(deepest, frame.depth);
    left.push(BigInt(yield hostCall("gas_left")));
    const status = yield hostCall("call", 2n ** 64n - 1n, 0, 64, 0, 0);
    assert.equal(status, frame.depth === 1024 ? CALL_STATUS.fault : CALL_STATUS.success);
    return 0;
  });
  const { outcome } = runScripted(kind, code, { gas: 2n ** 45n });
  assert.equal(outcome.status, "success");
  assert.equal(deepest, 1024);
  const [first, second] = [must(left[0], "outermost"), must(left[1], "below it")];
  assert.ok(second < first - first / 64n && second > first - first / 64n - 1000n);
});

test("a number that names no host call is a trap; memory_grow is for who runs the program", () => {
  const known = new Set(HOST_CALLS.map(({ number }) => number));
  assert.equal(known.size, HOST_CALLS.length);
  for (const number of [0, 9, 112, 4000, -1]) {
    const outcome = run(function* () {
      yield { name: "input_size", number, operands: [] };
      return 0;
    });
    assert.equal(outcome.fault, "vm/trap", String(number));
  }
});
