import { type Bytes, bigintToMinimalBytes, type Random } from "@ostrom/base";

export const OP = {
  STOP: 0x00,
  ADD: 0x01,
  SUB: 0x03,
  EXP: 0x0a,
  SIGNEXTEND: 0x0b,
  LT: 0x10,
  EQ: 0x14,
  ISZERO: 0x15,
  AND: 0x16,
  SAR: 0x1d,
  CLZ: 0x1e,
  KECCAK256: 0x20,
  CALLER: 0x33,
  CALLDATALOAD: 0x35,
  CALLDATASIZE: 0x36,
  CALLDATACOPY: 0x37,
  CODESIZE: 0x38,
  CODECOPY: 0x39,
  EXTCODECOPY: 0x3c,
  RETURNDATASIZE: 0x3d,
  RETURNDATACOPY: 0x3e,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  MSTORE8: 0x53,
  SLOAD: 0x54,
  SSTORE: 0x55,
  JUMP: 0x56,
  JUMPI: 0x57,
  PC: 0x58,
  MSIZE: 0x59,
  GAS: 0x5a,
  JUMPDEST: 0x5b,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  MCOPY: 0x5e,
  PUSH0: 0x5f,
  PUSH1: 0x60,
  PUSH2: 0x61,
  DUP1: 0x80,
  SWAP1: 0x90,
  LOG0: 0xa0,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  CREATE2: 0xf5,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
  SELFDESTRUCT: 0xff,
} as const;

const WORD_MASK = 2n ** 256n - 1n;

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** Words at the edges of limbs, of signs and of nothing. */
export function edgeWord(random: Random): bigint {
  const bit = 2n ** BigInt(pick(random, [0, 1, 5, 8, 31, 32, 63, 64, 65, 127, 128, 191, 192, 254, 255]));
  switch (random.below(6)) {
    case 0:
      return bit;
    case 1:
      return bit - 1n;
    case 2:
      return (WORD_MASK - bit) & WORD_MASK;
    case 3:
      return BigInt(random.below(300));
    case 4:
      return 0n;
    default:
      return BigInt(`0x${Buffer.from(random.bytes(32)).toString("hex")}`);
  }
}

/** EVM code that is being written. */
export class CodeWriter {
  readonly code: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: { readonly at: number; readonly label: string }[] = [];

  emit(...opcodes: readonly number[]): this {
    this.code.push(...opcodes);
    return this;
  }

  push(word: bigint | number): this {
    const bytes = bigintToMinimalBytes(BigInt(word));
    this.code.push(OP.PUSH0 + bytes.length, ...bytes);
    return this;
  }

  /** Pushes where a label is, or will be. */
  pushLabel(label: string): this {
    this.#references.push({ at: this.code.length + 1, label });
    this.code.push(OP.PUSH2, 0, 0);
    return this;
  }

  label(label: string): this {
    this.#labels.set(label, this.code.length);
    this.code.push(OP.JUMPDEST);
    return this;
  }

  /** A label that nobody has placed leads to 0, which is no jump destination as a rule. */
  bytes(): Bytes {
    for (const { at, label } of this.#references) {
      const target = this.#labels.get(label) ?? 0;
      this.code[at] = target >> 8;
      this.code[at + 1] = target & 0xff;
    }
    return Uint8Array.from(this.code);
  }
}
