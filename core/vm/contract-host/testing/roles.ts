import { type Bytes, concatBytes } from "@ostrom/base";
import { assemble } from "../../testing/assemble.ts";
import { CODE_PREFIX, KIND_BYTE } from "../types.ts";
import {
  asRiscv,
  asWebAssembly,
  host,
  type PortableProgram,
  type Step,
  variable,
  WORK_AREA,
} from "./portable-program.ts";

/** What contracts of the cross-kind tests do. Each is written for the EVM and as a portable program, and does the same. */
export type Role = { readonly evm: Bytes; readonly portable: PortableProgram };

export type RoleName =
  | "call"
  | "delegateCall"
  | "staticCall"
  | "countDepth"
  | "who"
  | "store"
  | "log"
  | "revert"
  | "trap"
  | "burn"
  | "create"
  | "create2"
  | "destroy";

export type TestKind = "evm" | "webassembly" | "riscv";
export const TEST_KINDS: readonly TestKind[] = ["evm", "webassembly", "riscv"];

const INPUT = WORK_AREA;
const OUTPUT = WORK_AREA + 0x8000;
const VALUE = WORK_AREA + 0xf000;
/** 64 bytes that stay zero. */
const ZEROS = WORK_AREA + 0xf100;
const ADDRESS_BYTES = 20;
const ALL_GAS = -1;

const [size, status, returned] = [0, 1, 2];

const readInput: readonly Step[] = [
  host("input_size", [], size),
  host("input_copy", [INPUT, 0, variable(size)]),
];

function program(...steps: readonly Step[]): PortableProgram {
  return { steps, exit: 0 };
}

/** Calls the address that the input begins with, giving the rest of it; returns 1 or 0, a word, and what it returned. */
function forward(opcode: "CALL" | "DELEGATECALL" | "STATICCALL"): Role {
  const value = opcode === "CALL" ? ["CALLVALUE"] : [];
  const rest = [variable(3)];
  const input = [INPUT + ADDRESS_BYTES, ...rest];
  const call = {
    CALL: host("call", [ALL_GAS, INPUT, VALUE, ...input], status),
    DELEGATECALL: host("delegate_call", [ALL_GAS, INPUT, ...input], status),
    STATICCALL: host("static_call", [ALL_GAS, INPUT, ...input], status),
  }[opcode];
  return {
    evm: assemble(
      ...["CALLDATASIZE", 0n, 0n, "CALLDATACOPY", 0n, 0n, 20n, "CALLDATASIZE", "SUB", 20n, ...value],
      ...[0n, "MLOAD", 96n, "SHR", "GAS", opcode, 0n, "MSTORE", "RETURNDATASIZE", 0n, 32n, "RETURNDATACOPY"],
      ...["RETURNDATASIZE", 32n, "ADD", 0n, "RETURN"],
    ),
    portable: program(
      ...readInput,
      host("value", [VALUE]),
      { do: "subtract", into: 3, a: variable(size), b: ADDRESS_BYTES },
      call,
      { do: "isZero", into: status, a: variable(status) },
      { do: "storeByte", at: OUTPUT + 31, a: variable(status) },
      host("return_data_size", [], returned),
      host("return_data_copy", [OUTPUT + 32, 0, variable(returned)]),
      { do: "add", into: 4, a: variable(returned), b: 32 },
      host("output", [OUTPUT, variable(4)]),
    ),
  };
}

/** Calls X with the input Y ++ X, if its own is X ++ Y; returns one more than what that returned, or 0 if it failed. */
const countDepth: Role = {
  evm: assemble(
    ...[
      40n,
      0n,
      0n,
      "CALLDATACOPY",
      20n,
      0n,
      40n,
      "CALLDATACOPY",
      0n,
      0n,
      40n,
      20n,
      0n,
      0n,
      "MLOAD",
      96n,
      "SHR",
    ],
    ...["GAS", "CALL", 0n, 0n, "MSTORE", "RETURNDATASIZE", 0n, 0n, "RETURNDATACOPY"],
    ...[0n, "MLOAD", 1n, "ADD", "MUL", 0n, "MSTORE", 32n, 0n, "RETURN"],
  ),
  portable: program(
    host("input_copy", [INPUT, 0, 40]),
    host("input_copy", [INPUT + 40, 0, 20]),
    host("call", [ALL_GAS, INPUT, ZEROS, INPUT + 20, 40], status),
    { do: "isZero", into: status, a: variable(status) },
    host("return_data_size", [], returned),
    host("return_data_copy", [OUTPUT, 0, variable(returned)]),
    { do: "loadByte", into: 3, at: OUTPUT + 30 },
    { do: "loadByte", into: 4, at: OUTPUT + 31 },
    { do: "multiply", into: 3, a: variable(3), b: 256 },
    { do: "add", into: 4, a: variable(3), b: variable(4) },
    { do: "add", into: 4, a: variable(4), b: 1 },
    { do: "multiply", into: 4, a: variable(4), b: variable(status) },
    { do: "shiftRight", into: 3, a: variable(4), b: 8 },
    { do: "storeByte", at: OUTPUT + 30, a: variable(3) },
    { do: "storeByte", at: OUTPUT + 31, a: variable(4) },
    host("output", [OUTPUT, 32]),
  ),
};

export const ROLES: Readonly<Record<RoleName, Role>> = {
  call: forward("CALL"),
  delegateCall: forward("DELEGATECALL"),
  staticCall: forward("STATICCALL"),
  countDepth,
  /** Its address, its caller and its value. */
  who: {
    evm: assemble(
      "ADDRESS",
      0n,
      "MSTORE",
      "CALLER",
      32n,
      "MSTORE",
      "CALLVALUE",
      64n,
      "MSTORE",
      96n,
      0n,
      "RETURN",
    ),
    portable: program(
      host("address", [OUTPUT + 12]),
      host("caller", [OUTPUT + 44]),
      host("value", [OUTPUT + 64]),
      host("output", [OUTPUT, 96]),
    ),
  },
  /** Stores the second word of its input at the first, and returns what was there. */
  store: {
    evm: assemble(
      ...[0n, "CALLDATALOAD", "SLOAD", 0n, "MSTORE", 32n, "CALLDATALOAD", 0n, "CALLDATALOAD", "SSTORE"],
      ...[32n, 0n, "RETURN"],
    ),
    portable: program(
      host("input_copy", [INPUT, 0, 64]),
      host("storage_load", [INPUT, OUTPUT]),
      host("storage_store", [INPUT, INPUT + 32]),
      host("output", [OUTPUT, 32]),
    ),
  },
  /** Logs its input under its first word. */
  log: {
    evm: assemble("CALLDATASIZE", 0n, 0n, "CALLDATACOPY", 0n, "CALLDATALOAD", "CALLDATASIZE", 0n, "LOG1"),
    portable: program(...readInput, host("log", [INPUT, variable(size), INPUT, 1])),
  },
  revert: {
    evm: assemble(
      ...[1n, 1n, "SSTORE", "CALLDATASIZE", 0n, 0n, "CALLDATACOPY", "CALLDATASIZE", 0n, "REVERT"],
    ),
    portable: {
      steps: [
        { do: "storeByte", at: VALUE + 31, a: 1 },
        host("storage_store", [VALUE, VALUE]),
        ...readInput,
        host("output", [INPUT, variable(size)]),
      ],
      exit: 1,
    },
  },
  trap: {
    evm: assemble(1n, 1n, "SSTORE", "INVALID"),
    portable: {
      steps: [{ do: "storeByte", at: VALUE + 31, a: 1 }, host("storage_store", [VALUE, VALUE])],
      exit: 7,
    },
  },
  /** Uses up all gas. */
  burn: {
    evm: assemble("JUMPDEST", 0n, "JUMP"),
    portable: program({ do: "loop" }),
  },
  /** Creates a contract of its input, with its value; returns the address, or 0. */
  create: {
    evm: assemble(
      ...["CALLDATASIZE", 0n, 0n, "CALLDATACOPY", "CALLDATASIZE", 0n, "CALLVALUE", "CREATE"],
      ...[0n, "MSTORE", 32n, 0n, "RETURN"],
    ),
    portable: program(
      ...readInput,
      host("value", [VALUE]),
      host("create", [VALUE, INPUT, variable(size), OUTPUT + 12]),
      host("output", [OUTPUT, 32]),
    ),
  },
  create2: {
    evm: assemble(
      ...["CALLDATASIZE", 0n, 0n, "CALLDATACOPY", 0n, "CALLDATASIZE", 0n, "CALLVALUE", "CREATE2"],
      ...[0n, "MSTORE", 32n, 0n, "RETURN"],
    ),
    portable: program(
      ...readInput,
      host("value", [VALUE]),
      host("create2", [VALUE, INPUT, variable(size), ZEROS, OUTPUT + 12]),
      host("output", [OUTPUT, 32]),
    ),
  },
  /** Gives its balance to the address in its input. */
  destroy: {
    evm: assemble(0n, "CALLDATALOAD", 96n, "SHR", "SELFDESTRUCT"),
    portable: program(host("input_copy", [INPUT, 0, 20]), host("self_destruct", [INPUT])),
  },
};

const payloads = new Map<string, Bytes>();

/** A role as a module or a file. */
export function payloadOf(role: RoleName, kind: Exclude<TestKind, "evm">): Bytes {
  const key = `${kind} ${role}`;
  const known = payloads.get(key);
  if (known !== undefined) return known;
  const { portable } = ROLES[role];
  const made = kind === "webassembly" ? asWebAssembly(portable) : asRiscv(portable);
  payloads.set(key, made);
  return made;
}

const codes = new Map<string, Bytes>();

/** A role as deployed code; one object for the same code. */
export function roleCode(role: RoleName, kind: TestKind): Bytes {
  if (kind === "evm") return ROLES[role].evm;
  const key = `${kind} ${role}`;
  const known = codes.get(key);
  if (known !== undefined) return known;
  const made = concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE[kind]), payloadOf(role, kind));
  codes.set(key, made);
  return made;
}
