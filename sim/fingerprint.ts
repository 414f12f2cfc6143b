import type { Bytes } from "@ostrom/base";

const FIRST_PRIME = 0x85ebca6b;
const SECOND_PRIME = 0xc2b2ae35;

/** A running hash of numbers, of 64 bits: fast, and enough to tell whether two runs were the same. */
export class Fingerprint {
  #a = 0x9e3779b9;
  #b = 0x7f4a7c15;

  add(value: number): void {
    const low = value >>> 0;
    const rest = (value - low) / 0x1_0000_0000;
    this.#a = Math.imul(this.#a ^ low, FIRST_PRIME);
    this.#a = (this.#a << 13) | (this.#a >>> 19);
    this.#b = Math.imul(this.#b ^ (this.#a + rest), SECOND_PRIME);
    this.#b = (this.#b << 17) | (this.#b >>> 15);
  }

  hex(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

/** A hash of bytes, of 32 bits. */
export function fingerprintOf(bytes: Bytes): number {
  let hash = 0x9e3779b9 ^ bytes.length;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, FIRST_PRIME) + 0x165667b1;
  return (hash ^ (hash >>> 15)) >>> 0;
}
