import { assert, type Bytes, must } from "@ostrom/base";
import { FORKS } from "../fork-rules.ts";
import { instructionsOf } from "../instruction-set.ts";
import { OP } from "../opcodes.ts";
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

/** Bytes of a vector. */
export const BLOCK = 16;
/** For swizzles of a vector, by a count of bytes from 0 to BLOCK: turns around so many at its beginning, with zeros behind
 * them; keeps what lies behind them, with zeros before. */
export const REVERSALS: number = TRIE + TRIE_ROW * MAX_NODES;
export const REVERSAL = { turned: 0, kept: 16, size: 32 } as const;
const ZERO_LANE = 0x80;

export const TABLES_END: number = REVERSALS + REVERSAL.size * (BLOCK + 1);

/** Opcodes by their upper half: in these rows of 16, some are plain and others invalid, or not in all forks. In 6 and 7 all
 * have data, from 0xb to 0xe all are invalid, and in the others all are plain, or JUMPDEST. */
export const MIXED_ROWS: readonly number[] = [0x0, 0x1, 0x2, 0x4, 0xa, 0xf];
const DATA_ROWS: readonly number[] = [0x6, 0x7];
const INVALID_ROWS: readonly number[] = [0xb, 0xc, 0xd, 0xe];

export function writeTables(memory: Bytes): void {
  for (const fork of FORKS) {
    const classes = classesOf(fork);
    checkRows(classes);
    memory.set(classes, classesAddress(fork));
  }
  for (let count = 0; count <= BLOCK; count++) {
    for (let lane = 0; lane < BLOCK; lane++) {
      const at = REVERSALS + REVERSAL.size * count + lane;
      memory[at + REVERSAL.turned] = lane < count ? count - 1 - lane : ZERO_LANE;
      memory[at + REVERSAL.kept] = lane < count ? ZERO_LANE : lane;
    }
  }
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

function checkRows(classes: Bytes): void {
  for (const [opcode, byteClass] of classes.entries()) {
    const row = Math.floor(opcode / BLOCK);
    if (MIXED_ROWS.includes(row)) continue;
    const hasData = byteClass > 0 && byteClass <= DATA_SIZE_MASK;
    const isInvalid = byteClass === BYTE_CLASS.invalid;
    assert(
      DATA_ROWS.includes(row) === hasData && INVALID_ROWS.includes(row) === isInvalid,
      "rows of opcodes must be as the analysis passes them",
    );
  }
}
