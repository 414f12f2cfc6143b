import type { Instruction, Operation } from "../instruction.ts";
import { TEXT_ADDRESS } from "./elf-file.ts";
import { encode } from "./encode.ts";

type Fixup = { readonly at: number; readonly kind: "relative" | "address" | "word"; readonly label: string };

/** Writes the text of a program for tests: instructions in order, with labels that may come later. */
export class ProgramWriter {
  readonly #origin: number;
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: (Fixup & { readonly operation: Operation; readonly fields: Partial<Instruction> })[] = [];

  /** @param origin the address of the first instruction. */
  constructor(origin: number = TEXT_ADDRESS) {
    this.#origin = origin;
  }

  get size(): number {
    return this.#bytes.length;
  }

  add(operation: Operation, fields: Partial<Instruction> = {}): void {
    this.word(encode(operation, fields));
  }

  word(word: number): void {
    this.#bytes.push(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
  }

  half(half: number): void {
    this.#bytes.push(half & 0xff, half >>> 8);
  }

  label(name: string): void {
    this.#labels.set(name, this.size);
  }

  /** A branch or JAL to a label. */
  to(operation: Operation, label: string, fields: Partial<Instruction> = {}): void {
    this.#fixups.push({ at: this.size, kind: "relative", label, operation, fields });
    this.word(0);
  }

  /** LUI and ADDI: the address of a label. */
  address(rd: number, label: string): void {
    this.#fixups.push({ at: this.size, kind: "address", label, operation: "lui", fields: { rd } });
    this.word(0);
    this.word(0);
  }

  /** LUI and ADDIW: any signed 32-bit number. */
  constant(rd: number, value: number): void {
    const upper = (value + 0x800) & ~0xfff;
    this.add("lui", { rd, immediate: upper });
    this.add("addiw", { rd, rs1: rd, immediate: (value - upper) | 0 });
  }

  /** The address of a label as data. */
  addressWord(label: string): void {
    this.#fixups.push({ at: this.size, kind: "word", label, operation: "illegal", fields: {} });
    this.word(0);
  }

  align(): void {
    while (this.size % 4 !== 0) this.half(1);
  }

  /** All that was written. Labels that nobody wrote are where the text begins. */
  text(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    const view = new DataView(bytes.buffer);
    for (const { at, kind, label, operation, fields } of this.#fixups) {
      const target = this.#labels.get(label) ?? 0;
      const address = this.#origin + target;
      if (kind === "relative")
        view.setInt32(at, encode(operation, { ...fields, immediate: target - at }), true);
      else if (kind === "word") view.setUint32(at, address, true);
      else {
        const upper = (address + 0x800) & ~0xfff;
        const { rd = 0 } = fields;
        view.setInt32(at, encode("lui", { rd, immediate: upper }), true);
        view.setInt32(at + 4, encode("addi", { rd, rs1: rd, immediate: address - upper }), true);
      }
    }
    return bytes;
  }
}
