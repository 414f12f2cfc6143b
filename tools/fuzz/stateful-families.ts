import { addressToWord, type Bytes, type Random } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import { CodeWriter, edgeWord, pick } from "./code-writer.ts";
import { beginCase, caseOf, contractAddress, type EngineCase } from "./engine-case.ts";

/** Families of programs whose faults would show in memory, storage and what contracts tell each other. */

const CONTRACT_COUNT = 4;

/** Something that a program may do next. */
type Action = (random: Random, writer: CodeWriter) => void;

function act(random: Random, writer: CodeWriter, actions: readonly Action[], times: number): void {
  for (let i = 0; i < times; i++) pick(random, actions)(random, writer);
}

function smallOrNot(random: Random): bigint {
  const size = pick(random, [0, 1, 31, 32, 33, 64, 95, 200, 1000, 5000]);
  if (random.chance(1, 500)) return pick(random, [2n ** 16n, 2n ** 31n, 2n ** 32n, 2n ** 64n, 2n ** 255n]);
  return BigInt(size + random.below(3));
}

const pushOffset: Action = (random, writer) => {
  writer.push(smallOrNot(random));
};

function withOffsets(count: number, ...opcodes: readonly number[]): Action {
  return (random, writer) => {
    for (let i = 0; i < count; i++) pushOffset(random, writer);
    writer.emit(pick(random, opcodes));
  };
}

/** Stores what an action has left on the stack. */
function stored(...actions: readonly Action[]): Action {
  return (random, writer) => {
    for (const action of actions) action(random, writer);
    pushOffset(random, writer);
    writer.emit(OP.MSTORE);
  };
}

const pushEdge: Action = (random, writer) => {
  writer.push(edgeWord(random));
};

const MEMORY_ACTIONS: readonly Action[] = [
  stored(pushEdge),
  stored(pushEdge),
  (random, writer) => {
    pushEdge(random, writer);
    pushOffset(random, writer);
    writer.emit(OP.MSTORE8);
  },
  stored(withOffsets(1, OP.MLOAD)),
  withOffsets(3, OP.MCOPY),
  withOffsets(3, OP.CALLDATACOPY, OP.CODECOPY),
  stored(withOffsets(2, OP.KECCAK256)),
  stored((_, writer) => void writer.emit(OP.MSIZE)),
  stored((_, writer) => void writer.emit(OP.GAS)),
  (random, writer) => {
    for (let i = 0; i < 3; i++) pushOffset(random, writer);
    writer.push(addressToWord(contractAddress(0))).emit(OP.EXTCODECOPY);
  },
  (random, writer) => {
    const topics = random.below(5);
    for (let i = 0; i < topics; i++) pushEdge(random, writer);
    withOffsets(2, OP.LOG0 + topics)(random, writer);
  },
];

/** Overlapping copies, growth by all ways, reads across ends; the memory's hash is returned. */
export function memoryHeavy(seed: number): EngineCase {
  const { random, fork, writer } = beginCase(seed);
  act(random, writer, MEMORY_ACTIONS, 40);
  writer.emit(OP.MSIZE).push(0).emit(OP.KECCAK256).push(0).emit(OP.MSTORE).push(64).push(0).emit(OP.RETURN);
  return caseOf(random, fork, [writer.bytes()]);
}

function writeCall(random: Random, writer: CodeWriter): void {
  const opcode = pick(random, [OP.CALL, OP.CALL, OP.CALLCODE, OP.DELEGATECALL, OP.STATICCALL]);
  const hasValue = opcode === OP.CALL || opcode === OP.CALLCODE;
  for (let i = 0; i < 4; i++) writer.push(random.below(100));
  if (hasValue) writer.push(random.chance(1, 4) ? 1 : 0);
  const precompile = BigInt(1 + random.below(9));
  writer.push(
    random.chance(1, 8) ? precompile : addressToWord(contractAddress(random.below(CONTRACT_COUNT))),
  );
  if (random.chance(1, 2)) writer.emit(OP.GAS);
  else writer.push(pick(random, [0, 100, 2300, 5000, 50_000]));
  writer.emit(opcode);
}

function writeCreate(random: Random, writer: CodeWriter): void {
  // Init code that returns a few bytes of itself, from this code's own bytes or from zeros.
  const salted = random.chance(1, 2);
  writer.push(40).push(0).push(0).emit(OP.CODECOPY);
  if (random.chance(1, 2)) {
    const init = new CodeWriter()
      .push(edgeWord(random))
      .push(0)
      .emit(OP.MSTORE)
      .push(random.below(40))
      .push(0);
    init.emit(pick(random, [OP.RETURN, OP.RETURN, OP.RETURN, OP.REVERT, OP.STOP]));
    const bytes = init.bytes();
    for (const [at, byte] of bytes.entries()) writer.push(byte).push(at).emit(OP.MSTORE8);
  }
  if (salted) writer.push(random.below(2));
  writer
    .push(random.below(60))
    .push(0)
    .push(random.chance(1, 5) ? 1 : 0);
  writer.emit(salted ? OP.CREATE2 : OP.CREATE);
}

const STORES = [OP.SSTORE, OP.TSTORE];

const CALL_ACTIONS: readonly Action[] = [
  ...Array.from(
    { length: 3 },
    (): Action => (random, writer) => {
      writeCall(random, writer);
      writer.push(random.below(4)).emit(pick(random, [...STORES, OP.MSTORE]));
    },
  ),
  (random, writer) => {
    writeCreate(random, writer);
    writer.push(random.below(4)).emit(OP.SSTORE);
  },
  (random, writer) => {
    writer.emit(OP.RETURNDATASIZE).push(0).push(random.below(64)).emit(OP.RETURNDATACOPY);
  },
  (random, writer) => {
    writer.push(random.below(3)).emit(pick(random, [OP.SLOAD, OP.TLOAD]));
    writer.push(1).emit(OP.ADD).push(random.below(3)).emit(pick(random, STORES));
  },
  (random, writer) => {
    writer.emit(OP.GAS).push(random.below(100)).emit(OP.MSTORE);
  },
  (_, writer) => {
    writer.push(32).push(0).emit(OP.LOG0);
  },
  (random, writer) => {
    if (random.chance(1, 10)) writer.emit(OP.CALLER, OP.SELFDESTRUCT);
    else writer.push(64).push(0).emit(OP.KECCAK256).push(0).emit(OP.MSTORE);
  },
];
const ENDS = [OP.RETURN, OP.RETURN, OP.RETURN, OP.REVERT, OP.INVALID, OP.STOP];

/** A contract that calls the others and itself, creates, destroys, and looks at what came back. */
export function callingCode(random: Random): Bytes {
  const writer = new CodeWriter();
  act(random, writer, CALL_ACTIONS, 3 + random.below(10));
  writer.push(64).push(0).emit(pick(random, ENDS));
  return writer.bytes();
}

/** Contracts that call each other and themselves. */
export function callHeavy(seed: number): EngineCase {
  const { random, fork } = beginCase(seed);
  const codes = Array.from({ length: CONTRACT_COUNT }, () => callingCode(random));
  return caseOf(random, fork, codes);
}

const pushSlot: Action = (random, writer) => {
  writer.push(random.chance(1, 8) ? edgeWord(random) : random.below(4));
};

const STORAGE_ACTIONS: readonly Action[] = [
  (random, writer) => {
    pushSlot(random, writer);
    writer.emit(OP.SLOAD, OP.POP);
  },
  (random, writer) => {
    writer.push(pick(random, [0n, 1n, 2n ** 255n, 5n]));
    pushSlot(random, writer);
    writer.emit(OP.SSTORE);
  },
  (random, writer) => {
    pushSlot(random, writer);
    writer.emit(OP.SLOAD).push(1).emit(OP.ADD);
    pushSlot(random, writer);
    writer.emit(OP.SSTORE);
  },
  (random, writer) => {
    writer.emit(OP.GAS);
    pushSlot(random, writer);
    writer.emit(OP.SSTORE);
  },
  (random, writer) => {
    writeCall(random, writer);
    writer.emit(OP.POP);
  },
];

/** Slots written and read again, cleared, reverted by children, read through delegated code, in loops. */
export function storageHeavy(seed: number): EngineCase {
  const { random, fork } = beginCase(seed);
  const codes = Array.from({ length: 3 }, () => {
    const writer = new CodeWriter();
    writer.push(random.below(3)).label("again");
    act(random, writer, STORAGE_ACTIONS, 10);
    writer.emit(OP.DUP1, OP.ISZERO).pushLabel("out").emit(OP.JUMPI);
    writer.push(1).emit(OP.SWAP1, OP.SUB).pushLabel("again").emit(OP.JUMP);
    writer.label("out").push(0).emit(OP.SLOAD).push(0).emit(OP.MSTORE).push(32).push(0);
    writer.emit(pick(random, [OP.RETURN, OP.RETURN, OP.REVERT]));
    return writer.bytes();
  });
  return caseOf(random, fork, codes, pick(random, [30_000, 100_000, 2_000_000]) + random.below(3000));
}
