import type { Bytes } from "@ostrom/base";
import { WasmError, type WasmErrorCode } from "./failure.ts";

const MAX_CODE_POINT = 0x10_ffff;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** Reads a part of a module, strictly. Every method moves on, and throws `WasmError` at bytes that it refuses.
 * Source: WebAssembly core specification, "Binary Format", "Values". */
export class ByteReader {
  readonly bytes: Bytes;
  /** Where the next byte lies. */
  at: number;
  /** Where the part that may be read ends. */
  end: number;
  /** The number that `s64` read, as two 32-bit integers. */
  low = 0;
  high = 0;

  constructor(bytes: Bytes, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  refuse(code: WasmErrorCode, message: string, offset: number = this.at): never {
    throw new WasmError(code, message, offset);
  }

  u8(): number {
    if (this.at >= this.end) this.refuse("wasm/truncated", "the bytes end here");
    return this.bytes[this.at++]!;
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.refuse("wasm/truncated", `${count} bytes are needed`);
    this.at += count;
  }

  /** An unsigned number in [0, 2^32). */
  u32(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) this.refuse("wasm/malformed-number", "an unsigned number has over 32 bits", this.at - 1);
    return (value | (last << 28)) >>> 0;
  }

  /** A signed number in [-2^31, 2^31). */
  s32(): number {
    const first = this.u8();
    if (first < 0x80) return (first << 25) >> 25;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    // The four lowest bits are the number's; the three above repeat its sign.
    if (last > 0x07 && (last < 0x78 || last > 0x7f))
      this.refuse("wasm/malformed-number", "a signed number has over 32 bits", this.at - 1);
    return value | (last << 28);
  }

  /** A signed number of 64 bits, left in `low` and `high`. */
  s64(): void {
    const first = this.u8();
    if (first < 0x80) {
      this.low = (first << 25) >> 25;
      this.high = this.low >> 31;
      return;
    }
    this.#longS64(first & 0x7f);
  }

  #longS64(firstBits: number): void {
    let low = firstBits;
    let high = 0;
    let shift = 7;
    let byte = 0x80;
    for (; shift < 63 && byte >= 0x80; shift += 7) {
      byte = this.u8();
      const bits = byte & 0x7f;
      if (shift <= 28) low |= bits << shift;
      if (shift === 28) high = bits >> 4;
      else if (shift > 28) high |= bits << (shift - 32);
    }
    if (byte >= 0x80) {
      byte = this.u8();
      if (byte !== 0 && byte !== 0x7f)
        this.refuse("wasm/malformed-number", "a signed number has over 64 bits", this.at - 1);
      high |= byte << 31;
    } else if ((byte & 0x40) !== 0) {
      if (shift <= 28) {
        low |= -1 << shift;
        high = -1;
      } else high |= -1 << (shift - 32);
    }
    this.low = low;
    this.high = high;
  }

  /** An unsigned number of 64 bits that must lie in [0, 2^32): offsets of memory accesses are written so, since
   * memories may have 64-bit addresses. */
  u64Below32(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.u8();
      const bits = byte & 0x7f;
      if (shift < 28) value |= bits << shift;
      else if (shift === 28 && bits <= 0x0f) value |= bits << 28;
      else if (bits !== 0) this.#tooLarge(start);
      if (byte < 0x80) return value >>> 0;
    }
    const last = this.u8();
    if (last > 1) this.refuse("wasm/malformed-number", "an unsigned number has over 64 bits", this.at - 1);
    if (last !== 0) this.#tooLarge(start);
    return value >>> 0;
  }

  #tooLarge(offset: number): never {
    this.refuse("wasm/invalid", "a number that must lie below 2^32 does not", offset);
  }

  /** The count of a vector.
   * @param limit how many items there may be. */
  count(limit: number, what: string): number {
    const start = this.at;
    const count = this.u32();
    if (count > limit) this.refuse("wasm/limit", `${count} ${what}: at most ${limit} are accepted`, start);
    return count;
  }

  /** A name: strict UTF-8. */
  name(maxBytes: number): string {
    const length = this.count(maxBytes, "bytes of a name");
    const start = this.at;
    this.skip(length);
    let text = "";
    for (let at = start; at < this.at; ) {
      const codePoint = codePointAt(this.bytes, at, this.at);
      if (codePoint < 0) this.refuse("wasm/malformed-name", "a name is not UTF-8", at);
      text += String.fromCodePoint(codePoint);
      at += lengthInUtf8(codePoint);
    }
    return text;
  }
}

/** @returns the code point that begins at `at`, or -1 if there is none: shortest forms only, and no surrogates.
 * Source: RFC 3629, section 3. */
function codePointAt(bytes: Bytes, at: number, end: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc0 || first >= 0xf8 || at + length > end) return -1;
  let codePoint = first & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index]!;
    if ((byte & 0xc0) !== 0x80) return -1;
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isSurrogate = codePoint >= FIRST_SURROGATE && codePoint <= LAST_SURROGATE;
  if (codePoint > MAX_CODE_POINT || isSurrogate || lengthInUtf8(codePoint) !== length) return -1;
  return codePoint;
}

function lengthInUtf8(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}
