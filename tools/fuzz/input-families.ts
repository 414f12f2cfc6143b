import type { Bytes, Random } from "@ostrom/base";
import { addressToWord } from "@ostrom/base";
import { OP } from "@ostrom/vm";
import { CodeWriter, edgeWord, pick, type CodeWriter as Writer } from "./code-writer.ts";
import { beginCase, caseOf, contractAddress, type EngineCase } from "./engine-case.ts";

/** Contracts whose faults would show where one's memory becomes another's input: whoever shares it, and does not copy it, may
 * mix up what stands around it. */

const CONTRACT_COUNT = 3;
const SIZES = [0, 1, 31, 32, 33, 64, 100, 1023, 1024, 1025, 4095, 4096, 4100, 20_000, 70_000];
/** In the middle of what was written, at its end, and beyond. */
const OFFSETS = [0, 1, 32, 63, 1000, 4096, 8000, 40_000];
const IDENTITY = 4;

function size(random: Random): number {
  return random.chance(1, 3) ? random.below(200) : pick(random, SIZES);
}

/** Fills memory with what is not zero, so that whatever is read out of place shows. */
function fill(random: Random, writer: Writer): void {
  const words = 1 + random.below(6);
  for (let i = 0; i < words; i++) writer.push(edgeWord(random)).push(size(random)).emit(OP.MSTORE);
  if (random.chance(1, 2))
    writer.push(size(random)).push(random.below(64)).push(size(random)).emit(OP.CODECOPY);
}

/** Reads the input before, at and behind its end. */
function readInput(random: Random, writer: Writer): void {
  switch (random.below(5)) {
    case 0:
      writer.push(random.below(40)).emit(OP.CALLDATASIZE, OP.SUB, OP.CALLDATALOAD);
      break;
    case 1:
      writer.push(random.below(40)).emit(OP.CALLDATASIZE, OP.ADD, OP.CALLDATALOAD);
      break;
    case 2:
      writer.push(pick(random, OFFSETS)).emit(OP.CALLDATALOAD);
      break;
    case 3:
      writer.push(edgeWord(random)).emit(OP.CALLDATALOAD);
      break;
    default:
      writer.push(size(random)).push(pick(random, OFFSETS)).push(random.below(300)).emit(OP.CALLDATACOPY);
      return;
  }
  writer.push(random.below(300)).emit(OP.MSTORE);
}

/** To any of the contracts, to the identity precompile, or to nobody; what comes back may fall on what was given. */
function callWithInput(random: Random, writer: Writer): void {
  const opcode = pick(random, [OP.CALL, OP.CALL, OP.CALLCODE, OP.DELEGATECALL, OP.STATICCALL]);
  const offset = pick(random, OFFSETS);
  writer.push(size(random)).push(random.chance(1, 2) ? offset + random.below(40) : pick(random, OFFSETS));
  writer.push(size(random)).push(offset);
  if (opcode === OP.CALL || opcode === OP.CALLCODE) writer.push(random.chance(1, 6) ? 1 : 0);
  const target = random.below(CONTRACT_COUNT + 2);
  if (target < CONTRACT_COUNT) writer.push(addressToWord(contractAddress(target)));
  else writer.push(target === CONTRACT_COUNT ? IDENTITY : 0x7777);
  if (random.chance(1, 2)) writer.emit(OP.GAS);
  else writer.push(pick(random, [0, 700, 5000, 60_000]));
  writer.emit(opcode, OP.POP);
}

function hashMemory(writer: Writer): void {
  writer.emit(OP.MSIZE).push(0).emit(OP.KECCAK256);
}

/** What a program of this family does next. */
function act(random: Random, writer: Writer): void {
  switch (random.below(6)) {
    case 0:
      readInput(random, writer);
      break;
    case 1:
      fill(random, writer);
      break;
    case 2:
      // New memory must be zeros, whoever used it meanwhile.
      writer.emit(OP.MSIZE).push(random.below(200)).emit(OP.ADD, OP.MLOAD).push(32).emit(OP.MSTORE);
      break;
    case 3:
      hashMemory(writer);
      writer.push(0).emit(OP.MSTORE).push(32).push(0).emit(OP.LOG0);
      break;
    default:
      callWithInput(random, writer);
  }
}

function code(random: Random): Bytes {
  const writer = new CodeWriter();
  for (let i = 0; i < 3; i++) readInput(random, writer);
  fill(random, writer);
  const steps = 3 + random.below(9);
  for (let i = 0; i < steps; i++) act(random, writer);
  hashMemory(writer);
  writer.push(0).emit(OP.MSTORE).push(size(random)).push(0);
  writer.emit(pick(random, [OP.RETURN, OP.RETURN, OP.RETURN, OP.REVERT, OP.INVALID]));
  return writer.bytes();
}

/** Inputs of all lengths, from everywhere in memory, to everyone, with results that fall on them. */
export function inputHeavy(seed: number): EngineCase {
  const { random, fork } = beginCase(seed);
  const codes = Array.from({ length: CONTRACT_COUNT }, () => code(random));
  const base = caseOf(random, fork, codes, pick(random, [100_000, 400_000]) + random.below(3000));
  return { ...base, data: random.bytes(size(random) % 5000) };
}
