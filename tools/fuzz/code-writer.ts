import { type Bytes, bigintToMinimalBytes, type Random } from "@ostrom/base";
import { OP } from "@ostrom/vm";

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
