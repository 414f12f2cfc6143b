import type { Bytes } from "@ostrom/base";
import type { ByteReader } from "./byte-reader.ts";
import type { Subset } from "./subset.ts";
import { type ExternalKind, FUNCREF, type FunctionType, type GlobalType, type SizeLimits } from "./types.ts";
import { readValueType } from "./value-types.ts";
import type {
  ConstantExpression,
  DataSegment,
  ElementSegment,
  WasmExport,
  WasmGlobal,
  WasmImport,
} from "./wasm-module.ts";

/** A `WasmModule` while its sections are read. */
export type ModuleDraft = {
  readonly bytes: Bytes;
  types: FunctionType[];
  imports: WasmImport[];
  importedFunctionCount: number;
  functionTypes: Uint32Array;
  table: SizeLimits | undefined;
  memory: SizeLimits | undefined;
  globals: WasmGlobal[];
  exports: WasmExport[];
  elements: ElementSegment[];
  data: DataSegment[];
  dataCount: number | undefined;
  bodies: Uint32Array;
  customSections: { name: string; from: number; to: number }[];
};

const FUNCTION_FORM = 0x60;
/** Recursive groups, subtypes, structures and arrays of the garbage collection proposal. */
const UNSUPPORTED_FORMS: readonly number[] = [0x4e, 0x4f, 0x50, 0x5e, 0x5f];
/** Other kinds of references that a table may hold, and tables with an initial value. */
const MAX_UNSUPPORTED_ELEMENT_TYPE = 0x7f;
const TAG_KIND = 4;
const MAX_UNSUPPORTED_LIMITS_FLAGS = 0x0f;
/** The most pages that an address of 32 bits reaches. */
const MAX_PAGES = 65_536;
const MAX_ELEMENT_FLAGS = 7;
const MAX_DATA_FLAGS = 2;
const VECTOR_BYTES = 16;

const KINDS: readonly ExternalKind[] = ["function", "table", "memory", "global"];

export function emptyDraft(bytes: Bytes): ModuleDraft {
  return {
    bytes,
    types: [],
    imports: [],
    importedFunctionCount: 0,
    functionTypes: new Uint32Array(0),
    table: undefined,
    memory: undefined,
    globals: [],
    exports: [],
    elements: [],
    data: [],
    dataCount: undefined,
    bodies: new Uint32Array(0),
    customSections: [],
  };
}

export function readTypes(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxTypes, "types");
  for (let index = 0; index < count; index++) {
    const form = reader.u8();
    if (UNSUPPORTED_FORMS.includes(form))
      reader.refuse("wasm/unsupported", "only function types are accepted", reader.at - 1);
    if (form !== FUNCTION_FORM) reader.refuse("wasm/malformed", "no type begins so", reader.at - 1);
    const parameterCount = reader.count(subset.maxParameters, "parameters");
    const parameters = Array.from({ length: parameterCount }, () => readValueType(reader, subset));
    const resultCount = reader.count(subset.maxResults, "results");
    const results = Array.from({ length: resultCount }, () => readValueType(reader, subset));
    draft.types.push({ parameters, results });
  }
}

export function readImports(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxImports, "imports");
  const functionTypes: number[] = [];
  for (let index = 0; index < count; index++) {
    const module = reader.name(subset.maxNameBytes);
    const name = reader.name(subset.maxNameBytes);
    const kind = readKind(reader);
    switch (kind) {
      case "function": {
        const typeIndex = reader.u32();
        functionTypes.push(typeIndex);
        draft.imports.push({ module, name, kind, typeIndex });
        break;
      }
      case "table":
        draft.table = readTable(reader, draft, subset);
        draft.imports.push({ module, name, kind, limits: draft.table });
        break;
      case "memory":
        draft.memory = readMemory(reader, draft, subset);
        draft.imports.push({ module, name, kind, limits: draft.memory });
        break;
      case "global": {
        const type = readGlobalType(reader, subset);
        draft.globals.push({ ...type, initial: undefined });
        draft.imports.push({ module, name, kind, type });
        break;
      }
      default:
        kind satisfies never;
    }
  }
  draft.functionTypes = Uint32Array.from(functionTypes);
  draft.importedFunctionCount = functionTypes.length;
}

export function readFunctionTypes(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxFunctions, "functions");
  if (count > reader.end - reader.at) reader.refuse("wasm/truncated", "fewer functions than are counted");
  const imported = draft.functionTypes;
  draft.functionTypes = new Uint32Array(imported.length + count);
  draft.functionTypes.set(imported);
  for (let index = 0; index < count; index++) draft.functionTypes[imported.length + index] = reader.u32();
}

export function readTables(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.u32();
  if (count > 1) reader.refuse("wasm/unsupported", "one table is accepted");
  if (count === 1) draft.table = readTable(reader, draft, subset);
}

export function readMemories(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.u32();
  if (count > 1) reader.refuse("wasm/unsupported", "one memory is accepted");
  if (count === 1) draft.memory = readMemory(reader, draft, subset);
}

export function readGlobals(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.u32();
  if (count + draft.globals.length > subset.maxGlobals)
    reader.refuse("wasm/limit", `over ${subset.maxGlobals} globals`);
  for (let index = 0; index < count; index++) {
    const type = readGlobalType(reader, subset);
    draft.globals.push({ ...type, initial: readConstantExpression(reader, subset) });
  }
}

export function readExports(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxExports, "exports");
  for (let index = 0; index < count; index++) {
    const name = reader.name(subset.maxNameBytes);
    const kind = readKind(reader);
    draft.exports.push({ name, kind, index: reader.u32() });
  }
}

export function readElements(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxElementSegments, "element segments");
  let elements = 0;
  for (let index = 0; index < count; index++) {
    const flags = reader.u32();
    if (flags > MAX_ELEMENT_FLAGS) reader.refuse("wasm/malformed", "no such kind of element segment");
    if (flags !== 0)
      reader.refuse("wasm/unsupported", "only active segments of functions for table 0 are accepted");
    const offset = readConstantExpression(reader, subset);
    const length = reader.count(subset.maxElements - elements, "elements");
    if (length > reader.end - reader.at) reader.refuse("wasm/truncated", "fewer elements than are counted");
    const functions = new Uint32Array(length);
    for (let place = 0; place < length; place++) functions[place] = reader.u32();
    elements += length;
    draft.elements.push({ offset, functions });
  }
}

export function readBodies(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxFunctions, "function bodies");
  if (count > reader.end - reader.at) reader.refuse("wasm/truncated", "fewer bodies than are counted");
  draft.bodies = new Uint32Array(2 * count);
  for (let index = 0; index < count; index++) {
    const length = reader.count(subset.maxBodyBytes, "bytes of a function");
    draft.bodies[2 * index] = reader.at;
    reader.skip(length);
    draft.bodies[2 * index + 1] = reader.at;
  }
}

export function readData(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  const count = reader.count(subset.maxDataSegments, "data segments");
  for (let index = 0; index < count; index++) {
    const flags = reader.u32();
    if (flags > MAX_DATA_FLAGS) reader.refuse("wasm/malformed", "no such kind of data segment");
    if (flags !== 0) reader.refuse("wasm/unsupported", "only active segments for memory 0 are accepted");
    const offset = readConstantExpression(reader, subset);
    const length = reader.u32();
    const from = reader.at;
    reader.skip(length);
    draft.data.push({ offset, from, to: reader.at });
  }
}

function readKind(reader: ByteReader): ExternalKind {
  const byte = reader.u8();
  const kind = KINDS[byte];
  if (kind !== undefined) return kind;
  if (byte === TAG_KIND) reader.refuse("wasm/unsupported", "exception tags are not accepted", reader.at - 1);
  reader.refuse("wasm/malformed", "no such kind of import or export", reader.at - 1);
}

function readGlobalType(reader: ByteReader, subset: Subset): GlobalType {
  const type = readValueType(reader, subset);
  const flags = reader.u8();
  if (flags > 1) reader.refuse("wasm/malformed", "a global is mutable (1) or not (0)", reader.at - 1);
  return { type, mutable: flags === 1 };
}

function readTable(reader: ByteReader, draft: ModuleDraft, subset: Subset): SizeLimits {
  if (draft.table !== undefined) reader.refuse("wasm/unsupported", "one table is accepted");
  const elementType = reader.u8();
  if (elementType !== FUNCREF) {
    if (elementType >= 0x40 && elementType <= MAX_UNSUPPORTED_ELEMENT_TYPE)
      reader.refuse("wasm/unsupported", "only tables of functions are accepted", reader.at - 1);
    reader.refuse("wasm/malformed", "no type of table", reader.at - 1);
  }
  const limits = readLimits(reader);
  if (limits.minimum > subset.maxTableEntries)
    reader.refuse("wasm/limit", `a table of over ${subset.maxTableEntries} entries`);
  return limits;
}

function readMemory(reader: ByteReader, draft: ModuleDraft, subset: Subset): SizeLimits {
  if (draft.memory !== undefined) reader.refuse("wasm/unsupported", "one memory is accepted");
  const limits = readLimits(reader);
  if (limits.minimum > MAX_PAGES || (limits.maximum ?? 0) > MAX_PAGES)
    reader.refuse("wasm/invalid", "a memory beyond 4 GiB");
  if (limits.minimum > subset.maxMemoryPages)
    reader.refuse("wasm/limit", `a memory of over ${subset.maxMemoryPages} pages`);
  return limits;
}

function readLimits(reader: ByteReader): SizeLimits {
  const flags = reader.u8();
  if (flags > 1) {
    if (flags <= MAX_UNSUPPORTED_LIMITS_FLAGS)
      reader.refuse("wasm/unsupported", "shared, 64-bit or paged otherwise is not accepted", reader.at - 1);
    reader.refuse("wasm/malformed", "no such kind of limits", reader.at - 1);
  }
  const minimum = reader.u32();
  const maximum = flags === 1 ? reader.u32() : undefined;
  if (maximum !== undefined && maximum < minimum)
    reader.refuse("wasm/invalid", "the maximum lies below the minimum");
  return { minimum, maximum };
}

/** A constant, or an immutable global before; then `end`. */
function readConstantExpression(reader: ByteReader, subset: Subset): ConstantExpression {
  const value = readConstant(reader, subset);
  if (reader.u8() !== 0x0b)
    reader.refuse("wasm/unsupported", "a constant expression is one instruction", reader.at - 1);
  return value;
}

function readConstant(reader: ByteReader, subset: Subset): ConstantExpression {
  const opcode = reader.u8();
  switch (opcode) {
    case 0x41:
      return { kind: "i32", value: reader.s32() };
    case 0x42:
      reader.s64();
      return { kind: "i64", value: (BigInt(reader.high) << 32n) | BigInt(reader.low >>> 0) };
    case 0x23:
      return { kind: "global", index: reader.u32() };
    case 0x43:
    case 0x44:
      reader.refuse("wasm/unsupported-float", "floating-point constants are not accepted", reader.at - 1);
      break;
    case 0x0b:
      reader.refuse("wasm/type-mismatch", "a constant expression leaves one value", reader.at - 1);
      break;
    case 0xfd:
      if (!subset.vectors || reader.u32() !== 0x0c) break;
      reader.skip(VECTOR_BYTES);
      return { kind: "v128", from: reader.at - VECTOR_BYTES };
  }
  reader.refuse("wasm/unsupported", "a constant expression outside the subset");
}
