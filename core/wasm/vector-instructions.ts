import { assert, type Bytes } from "@ostrom/base";
import { IntegerInstructions } from "./integer-instructions.ts";

const VECTOR_PREFIX = 0xfd;
const VECTOR_BYTES = 16;

/** Emits the 128-bit vector instructions of the subset: those that serve 256-bit words, byte order and hashing.
 * Source: WebAssembly core specification, "Binary Format", "Vector Instructions". */
export class VectorInstructions extends IntegerInstructions {
  /** A constant of 16 bytes, lane 0 first. */
  v128Const(value: Bytes): this {
    assert(value.length === VECTOR_BYTES, "a vector constant has 16 bytes");
    return this.vector128(0x0c).raw(value);
  }

  /** Picks 16 bytes from two vectors: 0 to 15 are bytes of the first operand, 16 to 31 of the second. */
  i8x16Shuffle(lanes: readonly number[]): this {
    assert(lanes.length === VECTOR_BYTES, "a shuffle names 16 lanes");
    this.vector128(0x0d);
    for (const lane of lanes) this.u8(lane);
    return this;
  }

  i32x4ExtractLane(lane: number): this {
    return this.vector128(0x1b).u8(lane);
  }
  i32x4ReplaceLane(lane: number): this {
    return this.vector128(0x1c).u8(lane);
  }
  i64x2ExtractLane(lane: number): this {
    return this.vector128(0x1d).u8(lane);
  }
  i64x2ReplaceLane(lane: number): this {
    return this.vector128(0x1e).u8(lane);
  }

  v128Load(offset = 0, alignment = 4): this {
    return this.vector128(0x00).u32(alignment).u32(offset);
  }
  v128Load32Splat(offset = 0, alignment = 2): this {
    return this.vector128(0x09).u32(alignment).u32(offset);
  }
  v128Load64Splat(offset = 0, alignment = 3): this {
    return this.vector128(0x0a).u32(alignment).u32(offset);
  }
  v128Load32Zero(offset = 0, alignment = 2): this {
    return this.vector128(0x5c).u32(alignment).u32(offset);
  }
  v128Load64Zero(offset = 0, alignment = 3): this {
    return this.vector128(0x5d).u32(alignment).u32(offset);
  }
  v128Store(offset = 0, alignment = 4): this {
    return this.vector128(0x0b).u32(alignment).u32(offset);
  }

  i8x16Swizzle(): this {
    return this.vector128(0x0e);
  }
  i8x16Splat(): this {
    return this.vector128(0x0f);
  }
  i32x4Splat(): this {
    return this.vector128(0x11);
  }
  i64x2Splat(): this {
    return this.vector128(0x12);
  }
  i8x16Eq(): this {
    return this.vector128(0x23);
  }
  i32x4Eq(): this {
    return this.vector128(0x37);
  }
  v128Not(): this {
    return this.vector128(0x4d);
  }
  v128And(): this {
    return this.vector128(0x4e);
  }
  v128Andnot(): this {
    return this.vector128(0x4f);
  }
  v128Or(): this {
    return this.vector128(0x50);
  }
  v128Xor(): this {
    return this.vector128(0x51);
  }
  v128Bitselect(): this {
    return this.vector128(0x52);
  }
  v128AnyTrue(): this {
    return this.vector128(0x53);
  }
  i8x16AllTrue(): this {
    return this.vector128(0x63);
  }
  i8x16Bitmask(): this {
    return this.vector128(0x64);
  }
  i8x16Add(): this {
    return this.vector128(0x6e);
  }
  i8x16Sub(): this {
    return this.vector128(0x71);
  }
  i32x4Shl(): this {
    return this.vector128(0xab);
  }
  i32x4ShrS(): this {
    return this.vector128(0xac);
  }
  i32x4ShrU(): this {
    return this.vector128(0xad);
  }
  i32x4Add(): this {
    return this.vector128(0xae);
  }
  i32x4Sub(): this {
    return this.vector128(0xb1);
  }
  i32x4Mul(): this {
    return this.vector128(0xb5);
  }
  i64x2AllTrue(): this {
    return this.vector128(0xc3);
  }
  i64x2Bitmask(): this {
    return this.vector128(0xc4);
  }
  i64x2Shl(): this {
    return this.vector128(0xcb);
  }
  i64x2ShrS(): this {
    return this.vector128(0xcc);
  }
  i64x2ShrU(): this {
    return this.vector128(0xcd);
  }
  i64x2Add(): this {
    return this.vector128(0xce);
  }
  i64x2Sub(): this {
    return this.vector128(0xd1);
  }
  i64x2Mul(): this {
    return this.vector128(0xd5);
  }
  i64x2Eq(): this {
    return this.vector128(0xd6);
  }
  i64x2Ne(): this {
    return this.vector128(0xd7);
  }
  i64x2ExtmulLowI32x4S(): this {
    return this.vector128(0xdc);
  }
  i64x2ExtmulHighI32x4S(): this {
    return this.vector128(0xdd);
  }
  i64x2ExtmulLowI32x4U(): this {
    return this.vector128(0xde);
  }
  i64x2ExtmulHighI32x4U(): this {
    return this.vector128(0xdf);
  }

  private vector128(opcode: number): this {
    return this.u8(VECTOR_PREFIX).u32(opcode);
  }
}
