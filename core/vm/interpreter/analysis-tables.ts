import { assert, type Bytes, must } from "@ostrom/base";
import { OP } from "../compiler/opcodes.ts";
import { FORKS } from "../fork-rules.ts";
import { instructionsOf } from "../instruction-set.ts";
import { CODE_AREA } from "../runtime/memory-layout.ts";
import type { Fork } from "../types.ts";
import { dataSize, SEQUENCES } from "./sequences.ts";

// Tables for the analysis of code, at the beginning of CODE_AREA.

const OPCODES = 256;

/** What there is to do about a byte that is an opcode; below them, the number of bytes of data behind it. */
export const BYTE_CLASS = { jumpDestination: 64, invalid: 128 } as const;
export const DATA_SIZE_MASK = 63;

/** Address of a fork's table of classes, by opcode. */
export function classesAddress(fork: Fork): number {
  return CODE_AREA.at + OPCODES * FORKS.indexOf(fork);
}

/** Address of the table of sequences' opcodes, by the node of the trie at which they end; 0: none does. */
export const SEQUENCE_OPCODES: number = CODE_AREA.at + OPCODES * FORKS.length;
/** Address of the trie of sequences: a row for each node, the root first; in it, by opcode, the next node, or 0. */
export const TRIE: number = SEQUENCE_OPCODES + OPCODES;
export const TRIE_ROW: number = OPCODES;
const MAX_NODES = 256;
export const TABLES_END: number = TRIE + TRIE_ROW * MAX_NODES;

export function writeTables(memory: Bytes): void {
  for (const fork of FORKS) memory.set(classesOf(fork), classesAddress(fork));
  let nodes = 1;
  for (const { opcode, instructions } of SEQUENCES) {
    let node = 0;
    for (const instruction of instructions) {
      const at = TRIE + TRIE_ROW * node + instruction.opcode;
      if (memory[at] === 0) memory[at] = nodes++;
      node = must(memory[at], "the trie lies in memory");
    }
    memory[SEQUENCE_OPCODES + node] = opcode;
  }
  assert(nodes <= MAX_NODES, "a node's number must fit a byte");
}

function classesOf(fork: Fork): Bytes {
  return Uint8Array.from(instructionsOf(fork), (instruction) => {
    if (instruction === undefined) return BYTE_CLASS.invalid;
    return instruction.opcode === OP.JUMPDEST ? BYTE_CLASS.jumpDestination : dataSize(instruction.opcode);
  });
}
