import { addressToWord, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { assemble } from "../../testing/assemble.ts";
import { CONTRACT, OTHER } from "../../testing/run-code.ts";
import { contractModule } from "../../webassembly/testing/contract-module.ts";
import { contractCode } from "../../webassembly/testing/run-contract.ts";
import type { CodeRun } from "./compare-engines.ts";

const KEY = 512;
const WORD = 544;
const NO_VALUE = 448;
const ADDRESS_BYTES = 20;

/** A program that adds 1 to slot 0, calls the contract that its input names, with the rest of its input, adds 16 to slot 0 and
 * returns it. */
const CALLING_PROGRAM: Bytes = contractCode(
  contractModule(
    ["input_size", "input_copy", "storage_load", "storage_store", "gas_left", "call", "output"],
    (code, { host }) => {
      const add = (number: number): void => {
        code.i32Const(KEY).i32Const(WORD).call(host.storage_load);
        code
          .i32Const(0)
          .i32Const(0)
          .i32Load8U(WORD + 31)
          .i32Const(number)
          .i32Add()
          .i32Store8(WORD + 31);
        code.i32Const(KEY).i32Const(WORD).call(host.storage_store);
      };
      code.i32Const(0).i32Const(0).call(host.input_size).call(host.input_copy);
      add(1);
      code.call(host.input_size).i32Const(ADDRESS_BYTES).i32GeU().if();
      code.call(host.gas_left).i32Const(0).i32Const(NO_VALUE).i32Const(ADDRESS_BYTES);
      code.call(host.input_size).i32Const(ADDRESS_BYTES).i32Sub().call(host.call).drop();
      code.end();
      add(16);
      code.i32Const(WORD).i32Const(32).call(host.output).i32Const(0);
    },
  ),
);

/** An EVM contract that reads slot 0, has the program change it (by DELEGATECALL), which calls the contract back, which changes
 * it too, and then says what it finds in slot 0. */
export const REENTRANT_RUN: CodeRun = {
  fork: "osaka",
  code: reentrantContract(),
  otherCode: CALLING_PROGRAM,
  data: EMPTY_BYTES,
  gas: 2_000_000n,
};

function reentrantContract(): Bytes {
  const main = assemble(
    ...[0n, "SLOAD", "POP", "ADDRESS", 96n, "SHL", 0n, "MSTORE"],
    ...[32n, 64n, 21n, 0n, addressToWord(OTHER), "GAS", "DELEGATECALL", 2n, "SSTORE"],
    ...[0n, "SLOAD", 1n, "SSTORE", 64n, "MLOAD", 3n, "SSTORE", "RETURNDATASIZE", 4n, "SSTORE"],
    ...[32n, 64n, 0n, 0n, 0n, addressToWord(OTHER), "GAS", "CALL", 5n, "SSTORE", "STOP"],
  );
  const reentered = assemble("JUMPDEST", 0n, "SLOAD", 256n, "ADD", 0n, "SSTORE", 0n, "SLOAD", 6n, "SSTORE");
  const start = assemble("CALLDATASIZE", BigInt(main.length + 4), "JUMPI");
  return Uint8Array.of(...start, ...main, ...reentered);
}

/** A program that calls itself until the rules stop it, and counts how often. */
export const DEEP_PROGRAM_RUN: CodeRun = {
  fork: "osaka",
  code: contractCode(
    contractModule(["address", "storage_load", "storage_store", "gas_left", "call"], (code, { host }) => {
      code.i32Const(0).call(host.address);
      code.call(host.gas_left).i32Const(0).i32Const(NO_VALUE).i32Const(0).i32Const(0).call(host.call).drop();
      code.i32Const(KEY).i32Const(WORD).call(host.storage_load);
      code
        .i32Const(0)
        .i32Const(0)
        .i32Load(WORD + 16)
        .i32Const(1)
        .i32Add()
        .i32Store(WORD + 16);
      code.i32Const(KEY).i32Const(WORD).call(host.storage_store);
      code.i32Const(0);
    }),
  ),
  otherCode: EMPTY_BYTES,
  data: EMPTY_BYTES,
  gas: 2n ** 46n,
};

/** An EVM contract and a program that call each other until the rules stop them. */
export const DEEP_MIXED_RUN: CodeRun = {
  fork: "osaka",
  code: assemble(
    ...[
      addressToWord(CONTRACT),
      96n,
      "SHL",
      0n,
      "MSTORE",
      0n,
      0n,
      20n,
      0n,
      0n,
      addressToWord(OTHER),
      "GAS",
      "CALL",
    ],
    ...[0n, "SLOAD", "ADD", 0n, "SSTORE"],
  ),
  otherCode: CALLING_PROGRAM,
  data: EMPTY_BYTES,
  gas: 2n ** 46n,
};
