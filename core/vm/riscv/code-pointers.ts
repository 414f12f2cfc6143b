import type { RiscvImage } from "./elf.ts";
import { endsPath, type Text } from "./text.ts";

/** Pointers that are looked at; the rest is left to the interpreter. */
const MAX_POINTERS = 20_000;
/** Of a table of offsets. */
const MAX_TABLE_ENTRIES = 1024;
/** How far two instructions that make a constant may be apart, in bytes. */
const CONSTANT_REACH = 64;
/** Instructions that are looked at where a function may begin. */
const PROBE_LENGTH = 40;

/** Where computed jumps may lead, as far as a look at the file can tell. Any guess is safe: it only makes code fast. */
export type CodePointers = {
  /** Even addresses in the text that stand in the file as 32-bit or 64-bit words, or as offsets from the table they are in;
   * ascending. */
  readonly inTables: readonly number[];
  /** Addresses that instructions make, where something stands that looks like code. */
  readonly inCode: readonly number[];
};

export function findCodePointers(text: Text): CodePointers {
  const { image } = text;
  const inTables = new Set<number>();
  const constants = findConstants(text);
  for (const { bytes } of image.segments) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 4 <= bytes.length && inTables.size < MAX_POINTERS; at += 4) {
      const word = view.getUint32(at, true);
      if (text.has(word)) inTables.add(word);
    }
  }
  for (const constant of constants) {
    if (inTables.size < MAX_POINTERS) addOffsets(text, constant, inTables);
  }
  return {
    inTables: [...inTables].sort((a, b) => a - b),
    inCode: constants.filter((constant) => text.has(constant) && looksLikeCode(text, constant)),
  };
}

/** Addresses that LUI or AUIPC make together with an ADDI that follows soon. The text is read from its beginning, though it
 * may hold data: what does not fit is not found. */
function findConstants(text: Text): number[] {
  const { address, bytes } = text.image.text;
  const found = new Set<number>();
  const upper: ({ readonly value: number; readonly at: number } | undefined)[] = [];
  for (let pc = address; pc < address + bytes.length && found.size < MAX_POINTERS; ) {
    const { operation, rd, rs1, immediate, size } = text.at(pc);
    if (operation === "lui") upper[rd] = { value: immediate, at: pc };
    else if (operation === "auipc") upper[rd] = { value: pc + immediate, at: pc };
    else if (operation === "addi" || operation === "addiw") {
      const base = upper[rs1];
      if (base !== undefined && pc - base.at <= CONSTANT_REACH) found.add(base.value + immediate);
    }
    pc += size;
  }
  return [...found];
}

/** Entries of a table of signed 32-bit offsets from its own beginning, as long as they lead into the text. */
function addOffsets(text: Text, table: number, found: Set<number>): void {
  const segment = segmentAt(text.image, table);
  if (segment === undefined || table % 4 !== 0) return;
  const view = new DataView(segment.bytes.buffer, segment.bytes.byteOffset, segment.bytes.length);
  let at = table - segment.address;
  for (let count = 0; count < MAX_TABLE_ENTRIES && at + 4 <= view.byteLength; count++, at += 4) {
    const offset = view.getInt32(at, true);
    if (offset === 0 || !text.has(table + offset)) return;
    found.add(table + offset);
  }
}

function segmentAt(image: RiscvImage, address: number): RiscvImage["segments"][number] | undefined {
  return image.segments.find(
    (segment) => address >= segment.address && address < segment.address + segment.bytes.length,
  );
}

function looksLikeCode(text: Text, start: number): boolean {
  let pc = start;
  for (let count = 0; count < PROBE_LENGTH && text.has(pc); count++) {
    const instruction = text.at(pc);
    if (instruction.operation === "illegal") return false;
    if (endsPath(instruction)) return true;
    pc += instruction.size;
  }
  return false;
}
