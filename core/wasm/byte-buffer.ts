import { assert, type Bytes } from "@ostrom/base";

/** The most bytes that one write below may take without asking for room again: a v128 constant with its opcode. */
const MAX_WRITE = 32;

const TWO_TO_THE_32 = 2 ** 32;

/** Bytes of a LEB128 number that was padded so that it can be overwritten by any other of its range. */
export const PADDED_LEB_LENGTH = 5;
/** Padded signed numbers lie in [-2^34, 2^34). */
const PADDED_SIGNED_BOUND = 2 ** 34;

/** A byte array that grows, with the numbers of WebAssembly's binary format (LEB128).
 * Source: WebAssembly core specification, "Binary Format", "Values". */
export class ByteBuffer {
  protected bytes: Bytes;
  protected at = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(Math.max(capacity, MAX_WRITE));
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.at;
  }

  /** What has been written; shares memory with the buffer until that grows. */
  view(from = 0, to: number = this.at): Bytes {
    return this.bytes.subarray(from, to);
  }

  /** Makes room for `count` bytes more, so that what follows may write them unchecked. */
  protected reserve(count: number): void {
    if (this.at + count > this.bytes.length) this.grow(count);
  }

  private grow(count: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  u8(byte: number): this {
    if (this.at === this.bytes.length) this.grow(MAX_WRITE);
    this.bytes[this.at++] = byte;
    return this;
  }

  /** An unsigned number in [0, 2^32). */
  u32(value: number): this {
    this.reserve(PADDED_LEB_LENGTH);
    this.putU32(value);
    return this;
  }

  /** A signed number in [-2^31, 2^31). */
  s32(value: number): this {
    this.reserve(PADDED_LEB_LENGTH);
    this.putS32(value);
    return this;
  }

  /** A 64-bit number, signed or not, as its two halves (any 32-bit integers; only their bits count). */
  s64Halves(low: number, high: number): this {
    this.reserve(10);
    this.putS64(low | 0, high | 0);
    return this;
  }

  /** A 64-bit number of either sign: a bigint, or a safe integer. */
  s64(value: bigint | number): this {
    this.reserve(10);
    this.putS64Value(value);
    return this;
  }

  raw(source: Bytes): this {
    this.reserve(source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
    return this;
  }

  /** A vector of bytes: their count, then themselves. */
  vector(source: Bytes): this {
    return this.u32(source.length).raw(source);
  }

  /** An opcode and an index. */
  protected indexed(opcode: number, index: number): this {
    this.reserve(6);
    this.bytes[this.at++] = opcode;
    this.putU32(index);
    return this;
  }

  protected putU32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  protected putS32(value: number): void {
    let rest = value | 0;
    while (rest < -0x40 || rest > 0x3f) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>= 7;
    }
    this.bytes[this.at++] = rest & 0x7f;
  }

  protected putS64(low: number, high: number): void {
    let rest = low;
    let upper = high;
    while (upper !== rest >> 31) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest = (rest >>> 7) | (upper << 25);
      upper >>= 7;
    }
    this.putS32(rest);
  }

  /** A 64-bit number from a bigint of either sign, or from a safe integer. */
  protected putS64Value(value: bigint | number): void {
    if (typeof value === "number") {
      if ((value | 0) === value) {
        this.putS32(value);
        return;
      }
      assert(Number.isSafeInteger(value), "a 64-bit constant must be a safe integer or a bigint");
      this.putS64(value | 0, Math.floor(value / TWO_TO_THE_32) | 0);
      return;
    }
    this.putS64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Writes a padded signed number over the one at `offset`. */
  protected putPaddedSigned(offset: number, value: number): void {
    assert(
      value >= -PADDED_SIGNED_BOUND && value < PADDED_SIGNED_BOUND,
      "a patched constant must lie in [-2^34, 2^34)",
    );
    let rest = value;
    for (let index = 0; index < PADDED_LEB_LENGTH - 1; index++) {
      const upper = Math.floor(rest / 128);
      this.bytes[offset + index] = (rest - upper * 128) | 0x80;
      rest = upper;
    }
    this.bytes[offset + PADDED_LEB_LENGTH - 1] = rest & 0x7f;
  }
}
