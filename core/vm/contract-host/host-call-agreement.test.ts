import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  addressToWord,
  type Bytes,
  createRandom,
  type Random,
  toHexDigits,
  wordToBytes,
} from "@ostrom/base";
import type { StateOverlay } from "@ostrom/state";
import { describeOpcode } from "../instruction-set.ts";
import { assemble, returning } from "../testing/assemble.ts";
import { accountWith, CALLER, CONTRACT } from "../testing/run-code.ts";
import { PROGRAM_GAS } from "./program-gas.ts";
import {
  hostCall,
  runScripted,
  type Script,
  type ScriptCall,
  ScriptedKind,
} from "./testing/scripted-kind.ts";

// The same actions by EVM code and by host calls must leave the same state, and cost the same but for the border.

const address = (digits: string): Address => addressFromHex(`0x${digits.repeat(20)}`);
const WRITER = address("a1");
const REVERTER = address("a2");
const RETURNER = address("a3");
const NOBODY = address("a4");
const DELEGATING = address("a5");
const ACCOUNTS: readonly Address[] = [
  WRITER,
  REVERTER,
  RETURNER,
  NOBODY,
  DELEGATING,
  CONTRACT,
  address("a6"),
];
const CALLEES: readonly Address[] = [WRITER, REVERTER, RETURNER, NOBODY, DELEGATING];

const CALLEE_CODE = [
  accountWith({
    address: WRITER,
    code: assemble(0n, "CALLDATALOAD", 1n, "SSTORE", 0n, 3n, "SSTORE", 7n, 9n, "TSTORE", 0n, 0n, "LOG0"),
    storage: [{ slot: 3n, value: 1n }],
  }),
  accountWith({ address: REVERTER, code: assemble(5n, 2n, "SSTORE", 77n, 0n, "MSTORE", 32n, 0n, "REVERT") }),
  accountWith({ address: RETURNER, code: returning("CALLVALUE", "CALLER", "ADD") }),
  accountWith({ address: DELEGATING, code: Uint8Array.of(0xef, 0x01, 0x00, ...RETURNER) }),
];

/** Operands of the actions lie here, in the memory of both. */
const SCRATCH = 0x400;
const TARGET = 0x800;
const GAS_GIVEN = 200_000n;

type Action = {
  /** EVM code that does it. */
  readonly code: Bytes;
  readonly opcode: string;
  /** Writes operands, then calls. */
  readonly call: (memory: Uint8Array) => ScriptCall;
  /** Words that the border charges for, besides the EVM's price. */
  readonly crossingWords?: number;
};

function word(memory: Uint8Array, at: number, value: bigint): number {
  memory.set(wordToBytes(value), at);
  return at;
}

function bytes(memory: Uint8Array, at: number, value: Bytes): number {
  memory.set(value, at);
  return at;
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

/** What both find in memory: a pattern. */
const PATTERN_BYTES = 128;
const pattern: Bytes = Uint8Array.from({ length: PATTERN_BYTES }, (_, index) => index + 1);

/** None faults: that would take a part of the gas that is left, which differs. */
const INIT_CODES: readonly Bytes[] = [
  returning(1n),
  assemble(1n, 0n, "SSTORE", 0n, 0n, "RETURN"),
  assemble(9n, 0n, "MSTORE", 32n, 0n, "REVERT"),
];

const ACTIONS: readonly ((random: Random) => Action)[] = [
  (random) => {
    const slot = BigInt(random.below(4));
    return {
      code: assemble(slot, "SLOAD", "POP"),
      opcode: "SLOAD",
      call: (memory) => hostCall("storage_load", word(memory, SCRATCH, slot), TARGET),
    };
  },
  (random) => {
    const slot = BigInt(random.below(4));
    const value = BigInt(random.below(3));
    return {
      code: assemble(value, slot, "SSTORE"),
      opcode: "SSTORE",
      call: (memory) =>
        hostCall("storage_store", word(memory, SCRATCH, slot), word(memory, SCRATCH + 32, value)),
    };
  },
  (random) => {
    const slot = BigInt(random.below(3));
    const value = BigInt(random.below(3));
    return {
      code: assemble(value, slot, "TSTORE"),
      opcode: "TSTORE",
      call: (memory) =>
        hostCall("transient_store", word(memory, SCRATCH, slot), word(memory, SCRATCH + 32, value)),
    };
  },
  (random) => {
    const slot = BigInt(random.below(3));
    return {
      code: assemble(slot, "TLOAD", "POP"),
      opcode: "TLOAD",
      call: (memory) => hostCall("transient_load", word(memory, SCRATCH, slot), TARGET),
    };
  },
  (random) => {
    const topics = Array.from({ length: random.below(5) }, () => BigInt(random.below(1000)));
    const size = random.below(PATTERN_BYTES);
    return {
      code: assemble(...[...topics].reverse(), BigInt(size), 0n, `LOG${topics.length}`),
      opcode: `LOG${topics.length}`,
      call: (memory) => {
        topics.forEach((topic, index) => {
          word(memory, SCRATCH + 32 * index, topic);
        });
        return hostCall("log", 0, size, SCRATCH, topics.length);
      },
    };
  },
  (random) => {
    const account = pick(random, ACCOUNTS);
    const [opcode, name] = pick(random, [
      ["BALANCE", "balance"],
      ["EXTCODEHASH", "code_hash"],
      ["EXTCODESIZE", "code_size"],
    ] as const);
    return {
      code: assemble(addressToWord(account), opcode, "POP"),
      opcode,
      call: (memory) =>
        name === "code_size"
          ? hostCall(name, bytes(memory, SCRATCH, account))
          : hostCall(name, bytes(memory, SCRATCH, account), TARGET),
    };
  },
  (random) => {
    const account = pick(random, ACCOUNTS);
    const size = random.below(100);
    return {
      code: assemble(BigInt(size), 1n, BigInt(TARGET), addressToWord(account), "EXTCODECOPY"),
      opcode: "EXTCODECOPY",
      call: (memory) => hostCall("code_copy", bytes(memory, SCRATCH, account), TARGET, 1, size),
    };
  },
  (random) => callAction(random, "CALL"),
  (random) => callAction(random, "CALL"),
  (random) => callAction(random, "DELEGATECALL"),
  (random) => callAction(random, "STATICCALL"),
  (random) => createAction(random),
  (random) => {
    const size = random.below(PATTERN_BYTES);
    return {
      code: assemble(BigInt(size), 0n, "KECCAK256", "POP"),
      opcode: "KECCAK256",
      call: () => hostCall("keccak256", 0, size, TARGET),
    };
  },
  (random) => {
    const number = BigInt(700 + random.below(400));
    return {
      code: assemble(number, "BLOCKHASH", "POP"),
      opcode: "BLOCKHASH",
      call: () => hostCall("block_hash", number, TARGET),
    };
  },
  (random) => {
    const [base, exponent] = [BigInt(random.below(1000)), BigInt(random.nextUint32())];
    return {
      code: assemble(exponent, base, "EXP", "POP"),
      opcode: "EXP",
      call: (memory) =>
        hostCall("u256_exp", word(memory, SCRATCH, base), word(memory, SCRATCH + 32, exponent), TARGET),
    };
  },
];

function callAction(random: Random, opcode: "CALL" | "DELEGATECALL" | "STATICCALL"): Action {
  const callee = pick(random, CALLEES);
  const size = random.below(PATTERN_BYTES);
  const value = opcode === "CALL" && random.chance(1, 2) ? BigInt(random.below(50)) : 0n;
  const input = [BigInt(size), 0n] as const;
  const crossingWords = Math.ceil(size / 32);
  const gas = GAS_GIVEN;
  const target = addressToWord(callee);
  if (opcode === "CALL") {
    return {
      code: assemble(0n, 0n, ...input, value, target, gas, opcode, "POP"),
      opcode,
      crossingWords,
      call: (memory) =>
        hostCall("call", gas, bytes(memory, SCRATCH, callee), word(memory, SCRATCH + 32, value), 0, size),
    };
  }
  const name = opcode === "DELEGATECALL" ? "delegate_call" : "static_call";
  return {
    code: assemble(0n, 0n, ...input, target, gas, opcode, "POP"),
    opcode,
    crossingWords,
    call: (memory) => hostCall(name, gas, bytes(memory, SCRATCH, callee), 0, size),
  };
}

function createAction(random: Random): Action {
  const initCode = pick(random, INIT_CODES);
  const value = BigInt(random.below(3));
  const isSalted = random.chance(1, 2);
  const salt = BigInt(random.nextUint32());
  const size = initCode.length;
  // Written by the EVM code a byte at a time: memory is claimed already.
  const store = [...initCode].flatMap((byte, index) => [
    BigInt(byte),
    BigInt(SCRATCH + 64 + index),
    "MSTORE8",
  ]);
  const opcode = isSalted ? "CREATE2" : "CREATE";
  const operands = [...(isSalted ? [salt] : []), BigInt(size), BigInt(SCRATCH + 64), value];
  return {
    code: assemble(...store, ...operands, opcode, "POP"),
    opcode,
    crossingWords: Math.ceil(size / 32),
    call: (memory) => {
      const code = bytes(memory, SCRATCH + 64, initCode);
      const valueAt = word(memory, SCRATCH, value);
      if (!isSalted) return hostCall("create", valueAt, code, size, TARGET);
      return hostCall("create2", valueAt, code, size, word(memory, SCRATCH + 32, salt), TARGET);
    },
  };
}

const CODE_BEFORE = assemble(
  0n,
  0x1000n,
  "MSTORE",
  ...[0, 32, 64, 96].flatMap((at) => [
    BigInt(`0x${toHexDigits(pattern.subarray(at, at + 32))}`),
    BigInt(at),
    "MSTORE",
  ]),
);

/** Runs the actions in EVM code. @returns what each cost. */
function runInEvm(actions: readonly Action[]): { state: StateOverlay; costs: bigint[]; left: bigint } {
  const code = Uint8Array.from(
    [CODE_BEFORE, ...actions.map((action) => action.code)].flatMap((part) => [...part]),
  );
  const wanted = new Set<number>();
  let at = CODE_BEFORE.length;
  for (const action of actions) {
    at += action.code.length;
    // The instruction is the last, or a POP follows.
    const last = code[at - 1]!;
    wanted.add(describeOpcode(last) === "POP" && action.opcode !== "POP" ? at - 2 : at - 1);
  }
  const costs: bigint[] = [];
  let before: bigint | undefined;
  const { state, outcome } = runScripted(new ScriptedKind(), code, {
    accounts: CALLEE_CODE,
    onStep: ({ depth, programCounter, gasLeft }) => {
      if (depth !== 1) return;
      if (before !== undefined) costs.push(before - gasLeft);
      before = wanted.has(programCounter) ? gasLeft : undefined;
    },
  });
  assert.equal(outcome.status, "success");
  if (before !== undefined) costs.push(before - outcome.gasLeft);
  return { state, costs, left: outcome.gasLeft };
}

function runInProgram(actions: readonly Action[]): { state: StateOverlay; costs: bigint[]; names: string[] } {
  const kind = new ScriptedKind();
  const script: Script = function* (memory) {
    memory.set(pattern);
    for (const action of actions) yield action.call(memory);
    return 0;
  };
  const { state, outcome } = runScripted(kind, kind.code(script), { accounts: CALLEE_CODE });
  assert.equal(outcome.status, "success");
  const costs = kind.costs.map(({ gas }, index) => {
    const words = actions[index]!.crossingWords ?? 0;
    return gas - BigInt(PROGRAM_GAS.hostCall + PROGRAM_GAS.crossingWord * words);
  });
  return { state, costs, names: kind.costs.map(({ name }) => name) };
}

function observe(state: StateOverlay): unknown {
  const accounts = [...ACCOUNTS, CALLER].map((account) => ({
    balance: state.balance(account),
    nonce: state.nonce(account),
    storage: [0n, 1n, 2n, 3n].map((slot) => state.storage(account, slot)),
    transient: [0n, 1n, 2n, 9n].map((slot) => state.transientStorage(account, slot)),
  }));
  const logs = state.logs().map(({ address: from, topics, data }) => ({
    from: toHexDigits(from),
    topics: topics.map((topic) => toHexDigits(topic)),
    data: toHexDigits(data),
  }));
  const refund = state.refund();
  const warm = [...ACCOUNTS, CALLER].map((account) => ({
    address: state.warmAddress(account),
    slots: [0n, 1n, 2n, 3n].map((slot) => state.warmSlot(account, slot)),
  }));
  return { accounts, logs, refund, warm };
}

test("host calls cost what the EVM's instructions cost, besides the border, and leave the same state", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = createRandom(seed);
    const actions = Array.from({ length: 1 + random.below(20) }, () => pick(random, ACTIONS)(random));
    const evm = runInEvm(actions);
    const program = runInProgram(actions);
    assert.equal(program.costs.length, actions.length);
    for (const [index, action] of actions.entries()) {
      assert.equal(program.costs[index], evm.costs[index], `seed ${seed}, action ${index}, ${action.opcode}`);
    }
    assert.deepEqual(observe(program.state), observe(evm.state), `seed ${seed}`);
  }
});
