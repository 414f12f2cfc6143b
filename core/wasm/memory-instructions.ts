import { VectorInstructions } from "./vector-instructions.ts";

const BULK_PREFIX = 0xfc;

/** Emits what touches memory. Every load and store takes the constant `offset` in bytes, added to the i32 address on the
 * stack, and `alignment`: a hint, as the power of two in bytes, at most the size of what is accessed; it changes no result.
 * Source: WebAssembly core specification, "Binary Format", "Memory Instructions". */
export class MemoryInstructions extends VectorInstructions {
  i32Load(offset = 0, alignment = 2): this {
    return this.access(0x28, alignment, offset);
  }
  i64Load(offset = 0, alignment = 3): this {
    return this.access(0x29, alignment, offset);
  }
  i32Load8S(offset = 0, alignment = 0): this {
    return this.access(0x2c, alignment, offset);
  }
  i32Load8U(offset = 0, alignment = 0): this {
    return this.access(0x2d, alignment, offset);
  }
  i32Load16S(offset = 0, alignment = 1): this {
    return this.access(0x2e, alignment, offset);
  }
  i32Load16U(offset = 0, alignment = 1): this {
    return this.access(0x2f, alignment, offset);
  }
  i64Load8S(offset = 0, alignment = 0): this {
    return this.access(0x30, alignment, offset);
  }
  i64Load8U(offset = 0, alignment = 0): this {
    return this.access(0x31, alignment, offset);
  }
  i64Load16S(offset = 0, alignment = 1): this {
    return this.access(0x32, alignment, offset);
  }
  i64Load16U(offset = 0, alignment = 1): this {
    return this.access(0x33, alignment, offset);
  }
  i64Load32S(offset = 0, alignment = 2): this {
    return this.access(0x34, alignment, offset);
  }
  i64Load32U(offset = 0, alignment = 2): this {
    return this.access(0x35, alignment, offset);
  }
  i32Store(offset = 0, alignment = 2): this {
    return this.access(0x36, alignment, offset);
  }
  i64Store(offset = 0, alignment = 3): this {
    return this.access(0x37, alignment, offset);
  }
  i32Store8(offset = 0, alignment = 0): this {
    return this.access(0x3a, alignment, offset);
  }
  i32Store16(offset = 0, alignment = 1): this {
    return this.access(0x3b, alignment, offset);
  }
  i64Store8(offset = 0, alignment = 0): this {
    return this.access(0x3c, alignment, offset);
  }
  i64Store16(offset = 0, alignment = 1): this {
    return this.access(0x3d, alignment, offset);
  }
  i64Store32(offset = 0, alignment = 2): this {
    return this.access(0x3e, alignment, offset);
  }

  /** Pushes the size of the memory, in pages of 64 KiB. */
  memorySize(): this {
    return this.u8(0x3f).u8(0);
  }

  /** Pops a count of pages, pushes the old size or -1. The engine does not let contracts use it. */
  memoryGrow(): this {
    return this.u8(0x40).u8(0);
  }

  /** Pops destination, source, count. The ranges may overlap. Traps before it writes anything. */
  memoryCopy(): this {
    return this.u8(BULK_PREFIX).u8(10).u8(0).u8(0);
  }

  /** Pops destination, byte, count. */
  memoryFill(): this {
    return this.u8(BULK_PREFIX).u8(11).u8(0);
  }

  private access(opcode: number, alignment: number, offset: number): this {
    this.reserve(12);
    this.bytes[this.at++] = opcode;
    this.putU32(alignment);
    this.putU32(offset);
    return this;
  }
}
