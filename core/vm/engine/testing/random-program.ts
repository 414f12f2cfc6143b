import type { Bytes, Random } from "@ostrom/base";
import { OP } from "../../opcodes.ts";

/** Opcodes of which a random program is made, by how many words they leave more than they take. All but those that end it
 * or jump, which are written apart. */
const CALM: readonly number[] = [
  ...range(OP.ADD, OP.SIGNEXTEND),
  ...range(OP.LT, OP.CLZ),
  ...range(OP.ADDRESS, OP.CALLDATASIZE),
  OP.CODESIZE,
  OP.GASPRICE,
  OP.EXTCODESIZE,
  OP.RETURNDATASIZE,
  OP.EXTCODEHASH,
  ...range(OP.BLOCKHASH, OP.BLOBBASEFEE),
  OP.POP,
  OP.SLOAD,
  OP.PC,
  OP.MSIZE,
  OP.GAS,
  OP.TLOAD,
  ...range(OP.DUP1, OP.DUP16),
  ...range(OP.SWAP1, OP.SWAP16),
  ...range(OP.DUP1, OP.DUP16),
  ...range(OP.SWAP1, OP.SWAP16),
];
/** These are given small operands, since random ones would only run out of gas. */
const WITH_OFFSETS: readonly (readonly [opcode: number, operands: number])[] = [
  [OP.KECCAK256, 2],
  [OP.CALLDATACOPY, 3],
  [OP.CODECOPY, 3],
  [OP.MLOAD, 1],
  [OP.MSTORE, 1],
  [OP.MSTORE8, 1],
  [OP.MCOPY, 3],
  [OP.SSTORE, 2],
  [OP.TSTORE, 2],
  [OP.LOG0, 2],
  [OP.LOG0 + 1, 2],
  [OP.EXTCODECOPY, 4],
  [OP.RETURNDATACOPY, 3],
  [OP.CREATE, 3],
];
const ENDS = [OP.STOP, OP.RETURN, OP.REVERT, OP.SELFDESTRUCT, OP.INVALID, 0x0c, 0xef];
const FIRST_WORDS = 17;

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Writes code at random, with jumps wherever they fall: much of it fails, loops until its gas is gone, or overflows the
 * stack, which is what it is for.
 * @param length in instructions, or so. */
export function randomProgram(random: Random, length: number): Bytes {
  const code: number[] = [];
  const jumps: number[] = [];
  const destinations: number[] = [];
  for (let i = 0; i < FIRST_WORDS; i++) pushAny(random, code);
  for (let i = 0; i < length; i++) writeInstruction(random, code, jumps, destinations);
  for (const at of jumps) {
    const known = destinations.length > 0 && !random.chance(1, 20);
    const target = known ? destinations[random.below(destinations.length)]! : random.below(code.length + 5);
    code[at] = target >> 8;
    code[at + 1] = target & 0xff;
  }
  return Uint8Array.from(code);
}

function writeInstruction(random: Random, code: number[], jumps: number[], destinations: number[]): void {
  switch (random.below(10)) {
    case 0:
    case 1:
      pushAny(random, code);
      break;
    case 2:
      destinations.push(code.length);
      code.push(OP.JUMPDEST);
      break;
    case 3:
      code.push(OP.PUSH0 + 2);
      jumps.push(code.length);
      code.push(0, 0, random.chance(3, 4) ? OP.JUMPI : OP.JUMP);
      break;
    case 4:
    case 5: {
      const [opcode, operands] = WITH_OFFSETS[random.below(WITH_OFFSETS.length)]!;
      for (let i = 0; i < operands; i++)
        code.push(OP.PUSH0 + 1, random.below(random.chance(1, 4) ? 256 : 70));
      code.push(opcode);
      break;
    }
    case 6:
      if (random.chance(1, 6)) code.push(ENDS[random.below(ENDS.length)]!);
      else writeCall(random, code);
      break;
    default:
      code.push(CALM[random.below(CALM.length)]!);
  }
}

/** To a precompile, the contract itself, or nobody. */
function writeCall(random: Random, code: number[]): void {
  const hasValue = random.chance(1, 2);
  for (let i = 0; i < 4; i++) code.push(OP.PUSH0 + 1, random.below(70));
  if (hasValue) code.push(OP.PUSH0 + 1, random.below(2));
  if (random.chance(1, 2)) code.push(OP.ADDRESS);
  else code.push(OP.PUSH0 + 1, random.below(12));
  code.push(OP.PUSH0 + 2, random.below(256), random.below(256));
  const opcodes = hasValue ? [OP.CALL, OP.CALLCODE] : [OP.DELEGATECALL, OP.STATICCALL];
  code.push(opcodes[random.below(2)]!);
}

/** Words of all lengths; many are small, or at the edge of a limb. */
function pushAny(random: Random, code: number[]): void {
  const size = [0, 1, 1, 2, 8, 9, 16, 24, 31, 32][random.below(10)]!;
  code.push(OP.PUSH0 + size);
  const fill = [0x00, 0xff, 0x80, undefined, undefined, undefined][random.below(6)];
  for (let i = 0; i < size; i++) code.push(fill ?? random.below(256));
  if (size > 0 && fill !== undefined && random.chance(1, 2)) code[code.length - 1] = random.below(256);
}
