import { type Bytes, err, ok, type Result } from "@ostrom/base";
import { MAX_PROGRAM_PAGES, PAGE_SIZE } from "../contract-host/program-gas.ts";
import type { ProgramVerdict } from "../contract-host/types.ts";

/** What is loaded from a file: `bytes` at `address`, a part of the file. */
export type RiscvSegment = { readonly address: number; readonly bytes: Bytes };

/** A program that is ready to run. All addresses are in bytes. */
export type RiscvImage = {
  /** Where a message begins. */
  readonly entry: number;
  readonly segments: readonly RiscvSegment[];
  /** The bytes of the file that are executed, and where they begin. Stores never change what is executed. */
  readonly text: RiscvSegment;
  /** What sp holds at the beginning: everything below the lowest segment is stack. */
  readonly stackTop: number;
  /** Of memory, at the beginning. */
  readonly pages: number;
  /** In all segments. */
  readonly initializedBytes: number;
};

export const MAX_SEGMENTS = 16;
/** Other headers than PT_LOAD are passed over, but not without end. */
export const MAX_PROGRAM_HEADERS = 64;
/** Nothing is loaded below, so that address 0 is no code and there is some stack. */
export const MIN_SEGMENT_ADDRESS = 4096;
const STACK_ALIGNMENT = 16;

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const IDENTITY = [0x7f, 0x45, 0x4c, 0x46] as const;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const CURRENT_VERSION = 1;
const TYPE_EXECUTABLE = 2;
const MACHINE_RISCV = 243;
/** The only flag that is accepted: the program uses compressed instructions. */
const FLAG_COMPRESSED = 0x1;
const LOADED = 1;
const DYNAMIC = 2;
const INTERPRETER = 3;
const EXECUTABLE = 1;
const WRITABLE = 2;

type ProgramHeader = {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
};

/** Whether a file may be deployed as a contract: see README.md, "Which files are accepted". */
export function validateRiscv(bytes: Bytes): ProgramVerdict {
  const image = readElf(bytes);
  return image.ok ? { ok: true } : { ok: false, reason: image.error };
}

/** Reads a static executable for RV64 (ELF64, little-endian).
 * Errors: why the file is refused, for people.
 * Sources: System V ABI, "Object Files"; RISC-V ELF psABI, "File Header". */
export function readElf(file: Bytes): Result<RiscvImage, string> {
  if (file.length < FILE_HEADER_BYTES) return err("the file ends within its header");
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const complaint = checkFileHeader(view);
  if (complaint !== undefined) return err(complaint);
  const headers = readProgramHeaders(view);
  if (!headers.ok) return headers;
  const loaded = headers.value.filter((header) => header.type === LOADED && header.memorySize > 0);
  const problem = checkSegments(loaded, file.length);
  if (problem !== undefined) return err(problem);
  return makeImage(file, loaded, readU64(view, 24));
}

function checkFileHeader(view: DataView): string | undefined {
  if (IDENTITY.some((byte, index) => view.getUint8(index) !== byte)) return "this is no ELF file";
  if (view.getUint8(4) !== CLASS_64) return "the file must be of class ELF64";
  if (view.getUint8(5) !== LITTLE_ENDIAN) return "the file must be little-endian";
  if (view.getUint8(6) !== CURRENT_VERSION || view.getUint32(20, true) !== CURRENT_VERSION) {
    return "the version of ELF must be 1";
  }
  if (view.getUint16(16, true) !== TYPE_EXECUTABLE) return "the file must be an executable (ET_EXEC)";
  if (view.getUint16(18, true) !== MACHINE_RISCV) return "the machine must be RISC-V";
  const flags = view.getUint32(48, true);
  if ((flags & ~FLAG_COMPRESSED) !== 0) {
    return `the flags 0x${flags.toString(16)} ask for more than RV64IMC with soft floats (lp64)`;
  }
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES) return "a program header must have 56 bytes";
  return undefined;
}

function readProgramHeaders(view: DataView): Result<ProgramHeader[], string> {
  const start = readU64(view, 32);
  const count = view.getUint16(56, true);
  if (count > MAX_PROGRAM_HEADERS) return err(`there are more than ${MAX_PROGRAM_HEADERS} program headers`);
  if (start + count * PROGRAM_HEADER_BYTES > view.byteLength) {
    return err("the program headers are not all inside the file");
  }
  const headers: ProgramHeader[] = [];
  for (let at = start; headers.length < count; at += PROGRAM_HEADER_BYTES) {
    const header = {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: readU64(view, at + 8),
      address: readU64(view, at + 16),
      fileSize: readU64(view, at + 32),
      memorySize: readU64(view, at + 40),
    };
    if (header.type === DYNAMIC || header.type === INTERPRETER)
      return err("the program must be linked statically");
    headers.push(header);
  }
  return ok(headers);
}

/** A double holds what lies in any file or memory exactly, and whatever is larger stays too large. */
function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function checkSegments(loaded: readonly ProgramHeader[], fileLength: number): string | undefined {
  if (loaded.length > MAX_SEGMENTS) return `there are more than ${MAX_SEGMENTS} segments`;
  let end = MIN_SEGMENT_ADDRESS;
  for (const { flags, offset, address, fileSize, memorySize } of loaded) {
    const name = `the segment at 0x${address.toString(16)}`;
    if (address < MIN_SEGMENT_ADDRESS) return `${name} lies below 0x${MIN_SEGMENT_ADDRESS.toString(16)}`;
    if (address < end) return `${name} begins before the one before it ends`;
    if (fileSize > memorySize) return `${name} has more bytes in the file than in memory`;
    if (offset + fileSize > fileLength) return `${name} is not all inside the file`;
    end = address + memorySize;
    if (end > MAX_PROGRAM_PAGES * PAGE_SIZE) return `${name} ends beyond ${MAX_PROGRAM_PAGES} pages`;
    if ((flags & EXECUTABLE) !== 0 && (flags & WRITABLE) !== 0)
      return `${name} is executable and writable (link with -z max-page-size=4)`;
  }
  const executable = loaded.filter(({ flags }) => (flags & EXECUTABLE) !== 0);
  if (executable.length !== 1) return `one segment must be executable, not ${executable.length}`;
  if (executable[0]!.address % 2 !== 0) return "the executable segment must begin at an even address";
  return undefined;
}

function makeImage(file: Bytes, loaded: readonly ProgramHeader[], entry: number): Result<RiscvImage, string> {
  const segments = loaded.map(({ address, offset, fileSize }) => ({
    address,
    bytes: file.subarray(offset, offset + fileSize),
  }));
  const text = segments[loaded.findIndex(({ flags }) => (flags & EXECUTABLE) !== 0)]!;
  if (entry < text.address || entry >= text.address + text.bytes.length || entry % 2 !== 0) {
    return err("the entry must be an even address in the executable segment");
  }
  const { address, memorySize } = loaded[loaded.length - 1]!;
  const lowest = segments[0]!.address;
  return ok({
    entry,
    segments,
    text,
    stackTop: lowest - (lowest % STACK_ALIGNMENT),
    pages: Math.ceil((address + memorySize) / PAGE_SIZE),
    initializedBytes: segments.reduce((sum, { bytes }) => sum + bytes.length, 0),
  });
}
