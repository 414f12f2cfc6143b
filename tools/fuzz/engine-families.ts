import { createRandom, EMPTY_BYTES } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import { randomRun } from "../../core/vm/engine/testing/compare-engines.ts";
import { edgeWord, pick } from "./code-writer.ts";
import { beginCase, caseOf, contract, type EngineCase, returnStack } from "./engine-case.ts";
import { inputHeavy } from "./input-families.ts";
import { callHeavy, memoryHeavy, storageHeavy } from "./stateful-families.ts";

/** Families of programs that go where engines go wrong. The same seed gives the same case for ever. */
export const FAMILIES: Readonly<Record<string, (seed: number) => EngineCase>> = {
  anything: anythingAtAll,
  arithmetic,
  "stack-deep": stackDeep,
  "jump-heavy": jumpHeavy,
  "memory-heavy": memoryHeavy,
  "call-heavy": callHeavy,
  "storage-heavy": storageHeavy,
  "input-heavy": inputHeavy,
  invalid,
};

const BINARY = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1b,
  0x1c, 0x1d,
];
const UNARY = [0x15, 0x19];
const TERNARY = [0x08, 0x09];

function anythingAtAll(seed: number): EngineCase {
  const run = randomRun(seed);
  const random = createRandom(seed);
  return {
    fork: run.fork,
    contracts: [contract(0, run.code), contract(1, run.otherCode)],
    data: run.data,
    value: BigInt(random.below(4)),
    gas: run.gas,
  };
}

/** Words at edges through every operation; all results are returned. */
function arithmetic(seed: number): EngineCase {
  const { random, fork, writer } = beginCase(seed);
  let height = 0;
  const pushWord = (): void => {
    if (random.chance(1, 3)) writer.push(random.below(68)).emit(OP.CALLDATALOAD);
    else writer.push(edgeWord(random));
    height++;
  };
  for (let i = 0; i < 6; i++) pushWord();
  const steps = 20 + random.below(60);
  for (let i = 0; i < steps; i++) {
    while (height < 4) pushWord();
    switch (random.below(8)) {
      case 0:
        pushWord();
        break;
      case 1:
        writer.emit(OP.DUP1 + random.below(Math.min(16, height)));
        height++;
        break;
      case 2:
        writer.emit(OP.SWAP1 + random.below(Math.min(16, height - 1)));
        break;
      case 3:
        writer.emit(pick(random, fork === "osaka" ? [...UNARY, OP.CLZ] : UNARY));
        break;
      case 4:
        writer.emit(pick(random, TERNARY));
        height -= 2;
        break;
      case 5:
        writer.push(random.below(300)).emit(pick(random, [0x1b, 0x1c, 0x1d, OP.SIGNEXTEND, 0x1a]));
        break;
      case 6:
        if (random.chance(1, 6)) {
          writer.push(BigInt(random.below(40))).emit(OP.SWAP1, OP.EXP);
          break;
        }
        writer.emit(pick(random, BINARY));
        height--;
        break;
      default:
        writer.emit(pick(random, BINARY));
        height--;
    }
  }
  returnStack(writer, height);
  return caseOf(random, fork, [writer.bytes()]);
}

/** Near 1,024 words, with DUPs and SWAPs across blocks, loops that grow the stack, and now and then one too many. */
function stackDeep(seed: number): EngineCase {
  const { random, fork, writer } = beginCase(seed);
  const target = 1024 - random.below(30);
  writer.push(0);
  // Each round adds one word below the counter, until the target is reached (or passed).
  writer.label("grow");
  writer.push(edgeWord(random)).emit(OP.SWAP1).push(1).emit(OP.ADD);
  writer.emit(OP.DUP1).push(target).emit(OP.SWAP1, OP.LT).pushLabel("grow").emit(OP.JUMPI);
  for (let i = 0; i < 40; i++) {
    switch (random.below(7)) {
      case 0:
        writer.emit(OP.DUP1 + random.below(16));
        break;
      case 1:
        writer.emit(OP.SWAP1 + random.below(16));
        break;
      case 2:
        writer.emit(OP.POP);
        break;
      case 3:
        writer.emit(pick(random, BINARY));
        break;
      case 4:
        writer.label(`here${i}`);
        break;
      case 5:
        writer
          .push(random.below(2))
          .pushLabel(`here${random.below(40)}`)
          .emit(OP.JUMPI);
        break;
      default:
        writer.push(edgeWord(random));
    }
  }
  returnStack(writer, 8);
  return caseOf(random, fork, [writer.bytes()], 40_000 + random.below(100_000));
}

/** Blocks that jump to each other by constants, by computed addresses and by return addresses; a counter bounds them. */
function jumpHeavy(seed: number): EngineCase {
  const { random, fork, writer } = beginCase(seed);
  const blocks = 3 + random.below(40);
  const name = (index: number): string => `block${index}`;
  const any = (): string => name(random.below(blocks));
  writer.push(random.below(400)).push(edgeWord(random));
  for (let i = 0; i < blocks; i++) {
    writer.label(name(i));
    // stack: counter, accumulator
    if (random.chance(1, 2)) writer.push(edgeWord(random)).emit(pick(random, BINARY));
    writer.emit(OP.SWAP1).push(1).emit(OP.SWAP1, OP.SUB, OP.SWAP1);
    writer
      .emit(OP.DUP1 + 1, OP.ISZERO)
      .pushLabel("end")
      .emit(OP.JUMPI);
    switch (random.below(7)) {
      case 0:
        writer.pushLabel(any()).emit(OP.JUMP);
        break;
      case 1:
        writer.emit(OP.DUP1).push(1).emit(OP.AND).pushLabel(any()).emit(OP.JUMPI);
        break;
      case 2:
        // A call of a function and its return.
        writer.pushLabel(`after${i}`).pushLabel("function").emit(OP.JUMP);
        writer.label(`after${i}`);
        break;
      case 3:
        // One of two, computed.
        writer
          .pushLabel(any())
          .pushLabel(any())
          .emit(0x18)
          .emit(OP.DUP1 + 1)
          .push(1)
          .emit(OP.AND, 0x02);
        writer.pushLabel(any()).emit(0x18, OP.JUMP);
        break;
      case 4:
        writer.emit(OP.DUP1).push(7).emit(OP.AND, OP.ISZERO, OP.ISZERO).pushLabel(any()).emit(OP.JUMPI);
        break;
      case 5:
        if (random.chance(1, 12)) writer.push(random.below(500)).emit(OP.JUMP);
        break;
      default:
        writer.emit(OP.PC, OP.ADD);
    }
  }
  writer.label("end").emit(OP.GAS);
  returnStack(writer, 2);
  // stack: counter, accumulator, return address
  writer
    .label("function")
    .emit(OP.SWAP1)
    .push(edgeWord(random))
    .emit(pick(random, BINARY), OP.SWAP1, OP.JUMP);
  return caseOf(random, fork, [writer.bytes()]);
}

/** Bytes that nobody wrote: undefined instructions, PUSHes cut off by the end, jumps into data, empty code. */
function invalid(seed: number): EngineCase {
  const { random, fork } = beginCase(seed);
  const length = pick(random, [0, 1, 2, 33, 100, 2000]);
  const bytes = random.bytes(length);
  for (let i = 0; i < length; i++)
    if (random.chance(1, 3)) bytes[i] = pick(random, [OP.JUMPDEST, OP.PUSH1, OP.DUP1, OP.JUMPI]);
  return caseOf(random, fork, [bytes, EMPTY_BYTES]);
}
