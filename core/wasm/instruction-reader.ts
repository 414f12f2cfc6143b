import { ByteReader } from "./byte-reader.ts";
import { IMMEDIATE, immediatesOf, LANE_COUNT, MAX_ALIGNMENT } from "./instruction-table.ts";
import { BULK_BASE, BULK_PREFIX, OPCODE, SUB_OPCODE_COUNT, VECTOR_BASE, VECTOR_PREFIX } from "./opcodes.ts";
import type { Subset } from "./subset.ts";
import { readValueType } from "./value-types.ts";
import type { WasmModule } from "./wasm-module.ts";

/** `index` of a block without parameters and results. Those with one result have its type, in [-0x40, 0), seen as a signed
 * number of 7 bits; all others the index of their type. */
export const EMPTY_BLOCK_TYPE = -0x40;

const SHUFFLE_LANES = 32;
const VECTOR_BYTES = 16;

/** Reads function bodies, instruction by instruction. Each `next` overwrites the fields that its instruction has; nothing is
 * allocated for one.
 *
 * It checks form alone: that the instruction is in the subset and its immediates are well-formed. Types and indices are
 * `validateModule`'s. Errors (thrown): those of the subset, of form and of limits, `wasm/invalid` for an alignment or lane
 * too large. Source: WebAssembly core specification, "Binary Format", "Instructions". */
export class InstructionReader extends ByteReader {
  /** Where the instruction begins. */
  start = 0;
  /** See `OPCODE`. */
  opcode = 0;
  /** Of a label, function, local, global or type; the block type (`EMPTY_BLOCK_TYPE`); the type of a `select`; the alignment
   * of an access; the lane. `i32.const` has its value here. */
  index = 0;
  /** Constant offset of a memory access. */
  offset = 0;
  /** Labels of a `br_table`: the first `targetCount` count, the last of them is where other indices go. */
  readonly targets: number[] = [];
  targetCount = 0;

  readonly #immediates: Uint8Array;
  readonly #subset: Subset;

  constructor(module: WasmModule, subset: Subset) {
    super(module.bytes, 0, 0);
    this.#immediates = immediatesOf(subset);
    this.#subset = subset;
  }

  /** Goes to a part of the module: from `at`, to `end`. */
  seek(at: number, end: number): void {
    this.at = at;
    this.end = end;
  }

  /** Reads one instruction. */
  next(): void {
    this.start = this.at;
    const first = this.u8();
    this.opcode = first;
    if (first === BULK_PREFIX) this.opcode = this.#prefixed(BULK_BASE);
    else if (first === VECTOR_PREFIX) this.opcode = this.#prefixed(VECTOR_BASE);
    switch (this.#immediates[this.opcode]) {
      case IMMEDIATE.none:
        return;
      case IMMEDIATE.index:
        this.index = this.u32();
        return;
      case IMMEDIATE.i32:
        this.index = this.s32();
        return;
      case IMMEDIATE.i64:
        this.s64();
        return;
      case IMMEDIATE.access:
        this.#access();
        return;
      case IMMEDIATE.block:
        this.#blockType();
        return;
      default:
        this.#rareImmediate();
    }
  }

  #rareImmediate(): void {
    switch (this.#immediates[this.opcode]) {
      case IMMEDIATE.labels:
        this.#labels();
        return;
      case IMMEDIATE.indirect:
        this.index = this.u32();
        this.#zero("table");
        return;
      case IMMEDIATE.types:
        this.#selectType();
        return;
      case IMMEDIATE.memory:
        this.#zero("memory");
        return;
      case IMMEDIATE.twoMemories:
        this.#zero("memory");
        this.#zero("memory");
        return;
      case IMMEDIATE.v128:
        this.skip(VECTOR_BYTES);
        return;
      case IMMEDIATE.shuffle:
        for (let lane = 0; lane < VECTOR_BYTES; lane++) this.#lane(SHUFFLE_LANES);
        return;
      case IMMEDIATE.lane:
        this.#lane(LANE_COUNT[this.opcode]!);
        return;
      case IMMEDIATE.float:
        this.refuse("wasm/unsupported-float", "floating-point instructions are not accepted", this.start);
        break;
      default:
        this.refuse("wasm/unsupported", `an instruction outside the subset: ${this.#spelled()}`, this.start);
    }
  }

  /** The name of an instruction that only this subset leaves out, or the first byte of one that is unknown. */
  #spelled(): string {
    const known = Object.entries(OPCODE).find(([, opcode]) => opcode === this.opcode);
    return known?.[0] ?? `0x${this.bytes[this.start]!.toString(16)}`;
  }

  #prefixed(base: number): number {
    const sub = this.u32();
    if (sub >= SUB_OPCODE_COUNT)
      this.refuse("wasm/unsupported", "an instruction outside the subset", this.start);
    return base + sub;
  }

  #access(): void {
    const alignment = this.u32();
    if (alignment > MAX_ALIGNMENT[this.opcode]!) this.#refuseAlignment(alignment);
    this.index = alignment;
    this.offset = this.u64Below32();
  }

  #refuseAlignment(alignment: number): never {
    // With several memories, 64 marks an access that names its memory.
    if (alignment >= 64 && alignment < 128)
      this.refuse("wasm/unsupported", "one memory is accepted", this.start);
    this.refuse("wasm/invalid", "an alignment is larger than what is accessed", this.start);
  }

  #blockType(): void {
    const byte = this.u8();
    if (byte === 0x40) {
      this.index = EMPTY_BLOCK_TYPE;
      return;
    }
    this.at--;
    if (byte < 0x80 && (byte & 0x40) !== 0) {
      this.index = readValueType(this, this.#subset) - 0x80;
      return;
    }
    const index = this.#blockTypeIndex();
    if (index < 0) this.refuse("wasm/malformed-number", "a block type is no type", this.start);
    this.index = index;
  }

  /** A signed number of 33 bits that must not be negative. */
  #blockTypeIndex(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : -1;
    }
    const last = this.u8();
    if (last > 0x0f) return -1;
    return (value | (last << 28)) >>> 0;
  }

  #labels(): void {
    const count = this.count(this.#subset.maxBranchTargets, "targets of a br_table");
    if (count >= this.end - this.at) this.refuse("wasm/truncated", "a br_table ends within its targets");
    for (let index = 0; index <= count; index++) this.targets[index] = this.u32();
    this.targetCount = count + 1;
  }

  #selectType(): void {
    const count = this.u32();
    // Not `wasm/invalid`, because V8 14.6 looks at the lowest 8 bits of the count alone: it takes 257 for 1.
    if (count !== 1) this.refuse("wasm/unsupported", "a typed select names one type", this.start);
    this.index = readValueType(this, this.#subset);
  }

  #lane(count: number): void {
    const lane = this.u8();
    if (lane >= count) this.refuse("wasm/invalid", `lane ${lane} of ${count}`, this.start);
    this.index = lane;
  }

  #zero(what: string): void {
    const index = this.u32();
    if (index !== 0) this.refuse("wasm/unknown-index", `there is one ${what} at most`, this.start);
  }
}
