import { ByteBuffer } from "./byte-buffer.ts";

/** Emits the integer instructions without immediates, one method each, named as the specification names them
 * (`i64.shr_u` is `i64ShrU`). Operands are on the stack, the last one on top.
 * Source: WebAssembly core specification, "Binary Format", "Numeric Instructions". */
export class IntegerInstructions extends ByteBuffer {
  i32Eqz(): this {
    return this.u8(0x45);
  }
  i32Eq(): this {
    return this.u8(0x46);
  }
  i32Ne(): this {
    return this.u8(0x47);
  }
  i32LtS(): this {
    return this.u8(0x48);
  }
  i32LtU(): this {
    return this.u8(0x49);
  }
  i32GtS(): this {
    return this.u8(0x4a);
  }
  i32GtU(): this {
    return this.u8(0x4b);
  }
  i32LeS(): this {
    return this.u8(0x4c);
  }
  i32LeU(): this {
    return this.u8(0x4d);
  }
  i32GeS(): this {
    return this.u8(0x4e);
  }
  i32GeU(): this {
    return this.u8(0x4f);
  }
  i32Clz(): this {
    return this.u8(0x67);
  }
  i32Ctz(): this {
    return this.u8(0x68);
  }
  i32Popcnt(): this {
    return this.u8(0x69);
  }
  i32Add(): this {
    return this.u8(0x6a);
  }
  i32Sub(): this {
    return this.u8(0x6b);
  }
  i32Mul(): this {
    return this.u8(0x6c);
  }
  i32DivS(): this {
    return this.u8(0x6d);
  }
  i32DivU(): this {
    return this.u8(0x6e);
  }
  i32RemS(): this {
    return this.u8(0x6f);
  }
  i32RemU(): this {
    return this.u8(0x70);
  }
  i32And(): this {
    return this.u8(0x71);
  }
  i32Or(): this {
    return this.u8(0x72);
  }
  i32Xor(): this {
    return this.u8(0x73);
  }
  i32Shl(): this {
    return this.u8(0x74);
  }
  i32ShrS(): this {
    return this.u8(0x75);
  }
  i32ShrU(): this {
    return this.u8(0x76);
  }
  i32Rotl(): this {
    return this.u8(0x77);
  }
  i32Rotr(): this {
    return this.u8(0x78);
  }
  i64Eqz(): this {
    return this.u8(0x50);
  }
  i64Eq(): this {
    return this.u8(0x51);
  }
  i64Ne(): this {
    return this.u8(0x52);
  }
  i64LtS(): this {
    return this.u8(0x53);
  }
  i64LtU(): this {
    return this.u8(0x54);
  }
  i64GtS(): this {
    return this.u8(0x55);
  }
  i64GtU(): this {
    return this.u8(0x56);
  }
  i64LeS(): this {
    return this.u8(0x57);
  }
  i64LeU(): this {
    return this.u8(0x58);
  }
  i64GeS(): this {
    return this.u8(0x59);
  }
  i64GeU(): this {
    return this.u8(0x5a);
  }
  i64Clz(): this {
    return this.u8(0x79);
  }
  i64Ctz(): this {
    return this.u8(0x7a);
  }
  i64Popcnt(): this {
    return this.u8(0x7b);
  }
  i64Add(): this {
    return this.u8(0x7c);
  }
  i64Sub(): this {
    return this.u8(0x7d);
  }
  i64Mul(): this {
    return this.u8(0x7e);
  }
  i64DivS(): this {
    return this.u8(0x7f);
  }
  i64DivU(): this {
    return this.u8(0x80);
  }
  i64RemS(): this {
    return this.u8(0x81);
  }
  i64RemU(): this {
    return this.u8(0x82);
  }
  i64And(): this {
    return this.u8(0x83);
  }
  i64Or(): this {
    return this.u8(0x84);
  }
  i64Xor(): this {
    return this.u8(0x85);
  }
  i64Shl(): this {
    return this.u8(0x86);
  }
  i64ShrS(): this {
    return this.u8(0x87);
  }
  i64ShrU(): this {
    return this.u8(0x88);
  }
  i64Rotl(): this {
    return this.u8(0x89);
  }
  i64Rotr(): this {
    return this.u8(0x8a);
  }
  i32WrapI64(): this {
    return this.u8(0xa7);
  }
  i64ExtendI32S(): this {
    return this.u8(0xac);
  }
  i64ExtendI32U(): this {
    return this.u8(0xad);
  }
  i32Extend8S(): this {
    return this.u8(0xc0);
  }
  i32Extend16S(): this {
    return this.u8(0xc1);
  }
  i64Extend8S(): this {
    return this.u8(0xc2);
  }
  i64Extend16S(): this {
    return this.u8(0xc3);
  }
  i64Extend32S(): this {
    return this.u8(0xc4);
  }
}
