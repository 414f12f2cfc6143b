import { type Bytes, concatBytes, must } from "@ostrom/base";
import { instructionsOf } from "../../instruction-set.ts";
import { OP } from "../../opcodes.ts";
import { assemble } from "../../testing/assemble.ts";

/** EVM code that asks a compiler for as much as its bytes can: each fills the largest code there may be. */

export const LARGEST_CODE = 24_576;
export const LARGEST_INIT_CODE = 49_152;

export type CodeShape = { readonly name: string; readonly code: Bytes };

/** A beginning, then a body again and again, as often as there is room, then an end. */
function filled(
  size: number,
  begin: Bytes,
  body: (at: number) => Bytes,
  end: Bytes = assemble("STOP"),
): Bytes {
  const code = new Uint8Array(size);
  code.set(begin);
  let at = begin.length;
  for (;;) {
    const next = body(at);
    if (at + next.length + end.length > size) break;
    code.set(next, at);
    at += next.length;
  }
  code.set(end, at);
  return code;
}

/** Words that no compiler knows. */
const SIXTEEN_WORDS = assemble(
  ...Array.from({ length: 16 }, (_, index) => [BigInt(5 * index), "CALLDATALOAD"]).flat(),
);

function repeated(name: string, ...body: readonly (string | bigint)[]): CodeShape {
  const bytes = assemble(...body);
  return { name, code: filled(LARGEST_CODE, SIXTEEN_WORDS, () => bytes) };
}

/** PUSH2: where labels are of one length. */
function push2(value: number): Bytes {
  return Uint8Array.of(OP.PUSH0 + 2, value >> 8, value & 0xff);
}

/** Each jump destination may be reached from each computed jump: so many entries, or a few more than are compiled. */
function computedJumps(name: string, entries: number): CodeShape {
  let placed = 0;
  const code = filled(LARGEST_CODE, SIXTEEN_WORDS, () => {
    const jump = assemble("DUP1", "CALLDATASIZE", "JUMPI");
    return placed++ < entries ? concatBytes(jump, assemble("JUMPDEST")) : jump;
  });
  return { name, code };
}

/** As compilers dispatch on selectors: no call has any of them. */
function dispatch(): CodeShape {
  const targets: number[] = [];
  const size = 11;
  const count = Math.floor((LARGEST_CODE - SIXTEEN_WORDS.length) / (size + 2)) - 4;
  const bodies = SIXTEEN_WORDS.length + count * size + 1;
  let index = 0;
  const code = filled(LARGEST_CODE, SIXTEEN_WORDS, (at) => {
    if (index >= count)
      return index++ === count
        ? assemble("STOP")
        : at >= bodies
          ? assemble("JUMPDEST", "STOP")
          : assemble("STOP");
    targets.push(bodies + 2 * index);
    const selector = Uint8Array.of(OP.PUSH0 + 4, index++ & 0xff, 0xaa, 0xbb, 0xcc);
    return concatBytes(
      assemble("DUP1"),
      selector,
      assemble("EQ"),
      push2(bodies + 2 * (index - 1)),
      assemble("JUMPI"),
    );
  });
  return { name: "a dispatch of two thousand selectors", code };
}

/** DUPs and SWAPs of all depths, and calls between that bring every word into memory. */
function stackJuggling(): CodeShape {
  let step = 0;
  const code = filled(LARGEST_CODE, SIXTEEN_WORDS, () => {
    step++;
    const swap = OP.SWAP1 + ((step * 7) % 15);
    const dup = OP.DUP1 + ((step * 11) % 16);
    return step % 9 === 0
      ? assemble("DUP1", "DUP1", "DUP1", "DUP1", "DUP1", "DUP1", "STATICCALL", "POP")
      : Uint8Array.of(dup, swap, OP.POP, swap);
  });
  return { name: "stack juggling and calls", code };
}

/** Loops in loops whose ends all jump back to the first. */
function backwardJumps(): CodeShape {
  const start = SIXTEEN_WORDS.length;
  const code = filled(LARGEST_CODE, concatBytes(SIXTEEN_WORDS, assemble("JUMPDEST")), () =>
    concatBytes(assemble("JUMPDEST", "DUP2", "DUP2", "LT"), push2(start), assemble("JUMPI")),
  );
  return { name: "four thousand jumps back", code };
}

export const EVM_BOMBS: readonly CodeShape[] = [
  { name: "jump destinations alone", code: new Uint8Array(LARGEST_CODE).fill(OP.JUMPDEST) },
  repeated("MULMOD of three words", "DUP1", "DUP3", "DUP5", "MULMOD", "SWAP7", "POP"),
  repeated("signed divisions", "DUP1", "DUP3", "SDIV", "DUP4", "SMOD", "SWAP5", "POP"),
  repeated("EXP", "DUP1", "DUP3", "EXP", "SWAP5", "POP"),
  repeated("shifts by what is not known", "DUP1", "DUP3", "SAR", "DUP4", "SHL", "SWAP5", "POP"),
  repeated("all code copied", 24_576n, 0n, 0n, "CODECOPY"),
  repeated("memory written and hashed", "DUP1", 5n, "MSTORE", 64n, 3n, "KECCAK256", "SWAP4", "POP"),
  repeated("storage", "DUP1", "SLOAD", "DUP3", "SSTORE"),
  repeated("calls", 0n, 0n, 0n, 0n, 0n, 9n, "GAS", "CALL", "POP"),
  repeated("PUSH32 and additions", 2n ** 255n + 5n, "ADD"),
  {
    name: "jumps on a condition, not taken",
    code: filled(LARGEST_CODE, SIXTEEN_WORDS, () => assemble("DUP1", "CALLDATASIZE", "JUMPI")),
  },
  computedJumps("computed jumps among 4,000 entries", 4000),
  computedJumps("computed jumps among more entries than are compiled", 100_000),
  dispatch(),
  stackJuggling(),
  backwardJumps(),
  { name: "undefined instructions", code: new Uint8Array(LARGEST_CODE).fill(0x0c) },
  { name: "PUSH32 cut off by the end", code: new Uint8Array(LARGEST_CODE).fill(OP.PUSH0 + 32) },
];

/** Code of one opcode again and again, with operands before it and its result dropped; for each opcode that is defined. */
export function opcodeBombs(): CodeShape[] {
  const instructions = instructionsOf("osaka");
  const shapes: CodeShape[] = [];
  for (let opcode = 0; opcode < 256; opcode++) {
    const instruction = instructions[opcode];
    if (instruction === undefined) continue;
    const isStackOperation = opcode >= OP.DUP1 && opcode <= OP.SWAP1 + 15;
    const pops = isStackOperation ? 0 : instruction.pops;
    const before = new Uint8Array(pops).fill(OP.DUP1);
    const immediate =
      opcode > OP.PUSH0 && opcode <= OP.PUSH0 + 32
        ? new Uint8Array(opcode - OP.PUSH0).fill(0xa7)
        : new Uint8Array();
    const isDup = opcode >= OP.DUP1 && opcode < OP.SWAP1;
    const pushes = isStackOperation ? (isDup ? 1 : 0) : instruction.pushes;
    const body = concatBytes(before, Uint8Array.of(opcode), immediate, new Uint8Array(pushes).fill(OP.POP));
    const begin = concatBytes(SIXTEEN_WORDS, assemble(1n));
    shapes.push({ name: instruction.name, code: filled(LARGEST_CODE, begin, () => body) });
  }
  return shapes;
}

/** Creates a contract from its input again and again, until its gas is gone. */
export const CREATING_LOOP: Bytes = (() => {
  const begin = assemble("CALLDATASIZE", 0n, 0n, "CALLDATACOPY");
  const loop = assemble("JUMPDEST", "CALLDATASIZE", 0n, 0n, "CREATE", "POP", BigInt(begin.length), "JUMP");
  return concatBytes(begin, loop);
})();

/** A body again and again, until its gas is gone. */
export function endless(begin: readonly (string | bigint)[], ...body: readonly (string | bigint)[]): Bytes {
  const before = assemble(...begin);
  return concatBytes(before, assemble("JUMPDEST", ...body, BigInt(before.length), "JUMP"));
}

export function bombNamed(name: string): Bytes {
  return must(
    EVM_BOMBS.find((shape) => shape.name === name),
    "there is such a shape",
  ).code;
}
