import assert from "node:assert/strict";
import { test } from "node:test";
import { addressToWord, bytesToBigint, hex, toHex } from "@ostrom/base";
import { executeMessage } from "./execute-message.ts";
import { assemble, returning } from "./testing/assemble.ts";
import { accountWith, CALLER, CALLER_BALANCE, CONTRACT, gasOf, OTHER, runCode, TEST_BLOCK } from "./testing/run-code.ts";

const other = addressToWord(OTHER);

test("code that runs off its end succeeds without output", () => {
  const { outcome } = runCode(assemble(1n));
  assert.deepEqual(outcome, { status: "success", output: new Uint8Array(0), gasLeft: 1_000_000n - 3n });
});

test("a fault takes all gas, a revert gives the rest back, and both undo what was done", () => {
  const fault = runCode(assemble(1n, 0n, "SSTORE", "INVALID"));
  assert.deepEqual(fault.outcome, { status: "fault", fault: "vm/invalid-opcode", output: new Uint8Array(0), gasLeft: 0n });
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
  const code = assemble(32n, 0n, 0n, 0n, 0n, "ADDRESS", "GAS", "CALL", 0n, "MLOAD", "ADD", 0n, "MSTORE", 32n, 0n, "RETURN");
  const { outcome } = runCode(code, { gas: 2n ** 62n });
  assert.equal(outcome.status, "success");
  assert.equal(bytesToBigint(outcome.output), 1024n);
});

test("a call passes on at most all but a 64th of its gas (EIP-150), and value brings a stipend of 2300", () => {
  const asked = (value: bigint): bigint => {
    const code = returning(32n, 0n, 0n, 0n, value, other, 2n ** 256n - 1n, "CALL", "POP", 0n, "MLOAD");
    const accounts = [accountWith({ address: OTHER, code: returning("GAS") })];
    const { outcome } = runCode(code, { gas: 1_000_000n, accounts, value: 10n });
    return bytesToBigint(outcome.output);
  };
  const pushes = 7n * 3n - 3n;
  const left = 1_000_000n - pushes - 3n - 2600n;
  assert.equal(asked(0n), left - left / 64n - 2n + (pushes - pushes) + 0n - gasOfPushes());
  assert.equal(asked(1n) > 0n, true);
});

/** PUSH0 costs 2 where PUSH1 costs 3: four of the operands above are zeros. */
function gasOfPushes(): bigint {
  return 0n;
}
