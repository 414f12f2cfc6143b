import assert from "node:assert/strict";
import { test } from "node:test";
import { addressToWord, bytesToBigint, hex, toHex } from "@ostrom/base";
import { executeMessage } from "./execute-message.ts";
import { assemble, returning } from "./testing/assemble.ts";
import {
  accountWith,
  CALLER,
  CALLER_BALANCE,
  CONTRACT,
  gasOf,
  OTHER,
  runCode,
  TEST_BLOCK,
} from "./testing/run-code.ts";

const other = addressToWord(OTHER);

test("code that runs off its end succeeds without output", () => {
  const { outcome } = runCode(assemble(1n));
  assert.deepEqual(outcome, { status: "success", output: new Uint8Array(0), gasLeft: 1_000_000n - 3n });
});

test("a fault takes all gas, a revert gives the rest back, and both undo what was done", () => {
  const fault = runCode(assemble(1n, 0n, "SSTORE", "INVALID"));
  assert.deepEqual(fault.outcome, {
    status: "fault",
    fault: "vm/invalid-opcode",
    output: new Uint8Array(0),
    gasLeft: 0n,
  });
  assert.equal(fault.state.storage(CONTRACT, 0n), 0n);
  const revert = runCode(assemble(1n, 0n, "SSTORE", 0xabn, 0n, "MSTORE8", 1n, 0n, "REVERT"));
  assert.equal(revert.outcome.status, "revert");
  assert.deepEqual(revert.outcome.output, Uint8Array.of(0xab));
  assert.ok(revert.outcome.gasLeft > 900_000n);
  assert.equal(revert.state.storage(CONTRACT, 0n), 0n);
});

test("a jump must land on a JUMPDEST that is not data of a PUSH", () => {
  assert.equal(runCode(assemble(3n, "JUMP", "JUMPDEST")).outcome.status, "success");
  assert.equal(runCode(assemble(4n, "JUMP", 0x5bn)).outcome.fault, "vm/invalid-jump");
  assert.equal(runCode(assemble(2n ** 256n - 1n, "JUMP")).outcome.fault, "vm/invalid-jump");
});

test("data of a PUSH beyond the end of the code is zeros", () => {
  const stacks: bigint[][] = [];
  runCode(Uint8Array.of(0x62, 0xab), { onStep: ({ stack }) => stacks.push([...stack]) });
  assert.equal(runCode(hex("0x5f5f5260205ff3")).outcome.output.length, 32);
  assert.deepEqual(stacks, [[]]);
});

test("gas beyond 2^53 is counted exactly", () => {
  const gas = 2n ** 63n + 1n;
  const { outcome } = runCode(returning("GAS"), { gas });
  assert.equal(bytesToBigint(outcome.output), gas - 2n);
  assert.equal(outcome.gasLeft, gas - 2n - 2n - 3n - 3n - 3n - 2n);
});

test("calls nest to a depth of 1024, and one deeper fails without costing what it was given", () => {
  // Each frame calls the contract itself, then returns how many frames succeeded below it.
  const code = assemble(
    32n,
    0n,
    0n,
    0n,
    0n,
    "ADDRESS",
    "GAS",
    "CALL",
    0n,
    "MLOAD",
    "ADD",
    0n,
    "MSTORE",
    32n,
    0n,
    "RETURN",
  );
  const { outcome } = runCode(code, { gas: 2n ** 62n });
  assert.equal(outcome.status, "success");
  assert.equal(bytesToBigint(outcome.output), 1024n);
});

/** Gas left before the outermost frame's CALL, and before the first instruction of what it calls. */
function gasAroundCall(value: bigint): { readonly before: bigint; readonly inside: bigint } {
  const code = assemble(32n, 0n, 0n, 0n, value, other, 2n ** 256n - 1n, "CALL");
  const seen = new Map<number, bigint>();
  runCode(code, {
    value: 10n,
    accounts: [accountWith({ address: OTHER, code: assemble("STOP") })],
    onStep: ({ depth, gasLeft }) => seen.set(depth, gasLeft),
  });
  return { before: seen.get(1)!, inside: seen.get(2)! };
}

test("a call passes on at most all but a 64th of its gas (EIP-150), and value brings a stipend of 2300", () => {
  const memoryGas = 3n;
  const plain = gasAroundCall(0n);
  const left = plain.before - 2600n - memoryGas;
  assert.equal(plain.inside, left - left / 64n);
  const giving = gasAroundCall(1n);
  const leftWithValue = giving.before - 2600n - memoryGas - 9000n;
  assert.equal(giving.inside, leftWithValue - leftWithValue / 64n + 2300n);
});

test("giving to an account that is not there costs 25000 more, calling it without value nothing", () => {
  const call = (value: bigint): bigint =>
    gasOf(assemble(0n, 0n, 0n, 0n, value, other, 0n, "CALL"), { value: 10n });
  // PUSH1 instead of PUSH0, and the stipend comes back.
  assert.equal(call(1n) - call(0n), 1n + 9000n + 25_000n - 2300n);
});

test("a call that the balance does not cover fails, and keeps the gas it was given", () => {
  const code = returning(0n, 0n, 0n, 0n, 11n, other, 100_000n, "CALL");
  const accounts = [accountWith({ address: OTHER, code: assemble("INVALID") })];
  const { outcome } = runCode(code, { value: 10n, accounts });
  assert.equal(bytesToBigint(outcome.output), 0n);
  assert.ok(outcome.gasLeft > 980_000n);
});

test("in a static call, whatever would change state fails (EIP-214)", () => {
  const forbidden = [
    assemble(1n, 0n, "SSTORE"),
    assemble(1n, 0n, "TSTORE"),
    assemble(0n, 0n, "LOG0"),
    assemble(0n, 0n, 0n, "CREATE"),
    assemble(0n, 0n, 0n, 0n, "CREATE2"),
    assemble(0n, "SELFDESTRUCT"),
    assemble(0n, 0n, 0n, 0n, 1n, 0n, 0n, "CALL"),
  ];
  for (const code of forbidden) {
    const accounts = [accountWith({ address: OTHER, balance: 1n, code })];
    const { outcome } = runCode(returning(0n, 0n, 0n, 0n, other, 100_000n, "STATICCALL"), { accounts });
    assert.equal(bytesToBigint(outcome.output), 0n, toHex(code));
  }
});

test("RETURNDATACOPY beyond the return data fails (EIP-211)", () => {
  const accounts = [accountWith({ address: OTHER, code: returning(0x1234n) })];
  const call = [0n, 0n, 0n, 0n, other, 100_000n, "STATICCALL", "POP"] as const;
  const whole = runCode(assemble(...call, 32n, 0n, 0n, "RETURNDATACOPY", 32n, 0n, "RETURN"), { accounts });
  assert.equal(bytesToBigint(whole.outcome.output), 0x1234n);
  const beyond = runCode(assemble(...call, 1n, 32n, 0n, "RETURNDATACOPY"), { accounts });
  assert.equal(beyond.outcome.fault, "vm/return-data-out-of-bounds");
  // Beyond the end even nothing may be copied.
  assert.equal(
    runCode(assemble(...call, 0n, 33n, 0n, "RETURNDATACOPY"), { accounts }).outcome.fault,
    "vm/return-data-out-of-bounds",
  );
});

test("a created contract may not begin with 0xef (EIP-3541) nor exceed 24576 bytes (EIP-170)", () => {
  const create = (data: Uint8Array) =>
    runCode(new Uint8Array(0), { to: "create", data, gas: 10_000_000n }).outcome;
  assert.equal(create(assemble(0xefn, 0n, "MSTORE8", 1n, 0n, "RETURN")).fault, "vm/code-begins-with-ef");
  assert.equal(create(assemble(24_577n, 0n, "RETURN")).fault, "vm/code-too-large");
  const largest = create(assemble(24_576n, 0n, "RETURN"));
  assert.equal(largest.status, "success");
  assert.equal(largest.output.length, 24_576);
  assert.equal(largest.created?.length, 20);
});

test("init code above 49152 bytes fails, and is charged by the word below (EIP-3860)", () => {
  assert.equal(runCode(assemble(49_153n, 0n, 0n, "CREATE")).outcome.fault, "vm/init-code-too-large");
  const one = gasOf(assemble(1n, 0n, 0n, "CREATE"));
  const two = gasOf(assemble(33n, 0n, 0n, "CREATE"));
  // One word more: 3 for memory, 2 for init code, and two zero bytes that run as STOP.
  assert.equal(two - one, 3n + 2n);
});

test("a contract is not created where there is a nonce, code or storage (EIP-684, EIP-7610)", () => {
  const created = runCode(assemble(0n, 0n, 0n, "CREATE"), { to: "create", data: assemble("STOP") }).outcome
    .created!;
  for (const taken of [
    accountWith({ address: created }),
    accountWith({ address: created, nonce: 0n, code: assemble("STOP") }),
    accountWith({ address: created, nonce: 0n, balance: 1n, storage: [{ slot: 7n, value: 1n }] }),
  ]) {
    const { outcome } = runCode(new Uint8Array(0), {
      to: "create",
      data: assemble("STOP"),
      accounts: [taken],
    });
    assert.deepEqual(outcome, {
      status: "fault",
      fault: "vm/create-collision",
      output: new Uint8Array(0),
      gasLeft: 0n,
    });
  }
  const funded = accountWith({ address: created, nonce: 0n, balance: 5n });
  assert.equal(
    runCode(new Uint8Array(0), { to: "create", data: assemble("STOP"), accounts: [funded] }).outcome.status,
    "success",
  );
});

test("SELFDESTRUCT only moves the balance, but removes what its own transaction created (EIP-6780)", () => {
  const old = runCode(assemble(other, "SELFDESTRUCT"), { value: 10n });
  old.state.endTransaction();
  assert.equal(old.state.balance(OTHER), 10n);
  assert.equal(old.state.exists(CONTRACT), true);
  const toItself = runCode(assemble("ADDRESS", "SELFDESTRUCT"), { value: 10n });
  toItself.state.endTransaction();
  assert.equal(toItself.state.balance(CONTRACT), 10n);
  const young = runCode(new Uint8Array(0), {
    to: "create",
    data: assemble("ADDRESS", "SELFDESTRUCT"),
    value: 10n,
  });
  young.state.endTransaction();
  assert.equal(young.state.exists(young.outcome.created!), false);
  assert.equal(young.state.balance(CALLER), CALLER_BALANCE - 10n);
});

test("a delegated account runs its target's code as its own, and EXTCODE* see the designator (EIP-7702)", () => {
  const designator = hex(`0xef0100${toHex(CONTRACT).slice(2)}`);
  const accounts = [accountWith({ address: OTHER, code: designator })];
  const code = assemble("ADDRESS", "EXTCODESIZE", 0n, "MSTORE", "CODESIZE", 32n, "MSTORE", 64n, 0n, "RETURN");
  const prague = runCode(code, { to: OTHER, accounts, fork: "prague" }).outcome;
  assert.equal(bytesToBigint(prague.output.subarray(0, 32)), 23n);
  assert.equal(bytesToBigint(prague.output.subarray(32)), BigInt(code.length));
  assert.equal(runCode(code, { to: OTHER, accounts, fork: "cancun" }).outcome.fault, "vm/invalid-opcode");
});

test("a call to a delegated account pays for its target's access too", () => {
  const target = addressToWord(CALLER);
  const plain = gasOf(assemble(0n, 0n, 0n, 0n, other, 0n, "STATICCALL"), {
    accounts: [accountWith({ address: OTHER })],
  });
  const designator = hex(`0xef0100${target.toString(16)}`);
  const accounts = [accountWith({ address: OTHER, code: designator })];
  assert.equal(gasOf(assemble(0n, 0n, 0n, 0n, other, 0n, "STATICCALL"), { accounts }) - plain, 2600n);
});

test("memory costs 3 a word and a 512th of the square of words, and beyond 2^31 bytes is out of gas", () => {
  const cost = (end: bigint): bigint => gasOf(assemble(0n, end - 32n, "MSTORE"), { gas: 2n ** 40n });
  const words = 2n ** 20n;
  assert.equal(
    cost(words * 32n) - cost((words - 1n) * 32n),
    3n + (words * words) / 512n - (words - 1n) ** 2n / 512n,
  );
  for (const offset of [2n ** 31n, 2n ** 64n, 2n ** 256n - 1n]) {
    assert.equal(runCode(assemble(0n, offset, "MSTORE"), { gas: 2n ** 63n }).outcome.fault, "vm/out-of-gas");
    assert.equal(runCode(assemble(0n, offset, "RETURN")).outcome.status, "success");
  }
});

test("BLOCKHASH asks for the last 256 blocks only", () => {
  const asked: bigint[] = [];
  const { state } = runCode(new Uint8Array(0));
  const blockHash = (number: bigint): undefined => {
    asked.push(number);
  };
  const block = { ...TEST_BLOCK, blockHash };
  const transaction = { origin: CALLER, gasPrice: 1n, blobVersionedHashes: [] };
  const ask = [1000n, 999n, 744n, 743n].flatMap((number) => [number, "BLOCKHASH", "POP"]);
  const message = { caller: CALLER, to: undefined, value: 0n, data: assemble(...ask), gas: 100_000n };
  assert.equal(executeMessage({ fork: "osaka", block, transaction, state }, message).status, "success");
  assert.deepEqual(asked, [999n, 744n]);
});

test("onStep sees each instruction before its gas is taken", () => {
  const steps: string[] = [];
  runCode(assemble(1n, 2n, "ADD"), {
    gas: 100n,
    onStep: ({ depth, programCounter, opcode, gasLeft, stack }) =>
      steps.push(`${depth} ${programCounter} ${opcode.toString(16)} ${gasLeft} [${stack.join()}]`),
  });
  assert.deepEqual(steps, ["1 0 60 100 []", "1 2 60 97 [1]", "1 4 1 94 [1,2]"]);
});
