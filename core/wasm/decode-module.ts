import { type Bytes, err, ok, type Result } from "@ostrom/base";
import { ByteReader } from "./byte-reader.ts";
import {
  emptyDraft,
  type ModuleDraft,
  readBodies,
  readData,
  readElements,
  readExports,
  readFunctionTypes,
  readGlobals,
  readImports,
  readMemories,
  readTables,
  readTypes,
} from "./decode-sections.ts";
import { WasmError, type WasmFailure } from "./failure.ts";
import type { Subset } from "./subset.ts";
import type { WasmModule } from "./wasm-module.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00] as const;
const CUSTOM_SECTION = 0;
const START_SECTION = 8;
/** Exception tags, and strings: proposals that the subset leaves out. */
const UNSUPPORTED_SECTIONS: readonly number[] = [13, 14];

type SectionReader = (reader: ByteReader, draft: ModuleDraft, subset: Subset) => void;

/** Sections other than custom ones by id: their place in the order that the format prescribes, and their reader. */
const SECTIONS: Readonly<Record<number, { readonly place: number; readonly read: SectionReader }>> = {
  1: { place: 1, read: readTypes },
  2: { place: 2, read: readImports },
  3: { place: 3, read: readFunctionTypes },
  4: { place: 4, read: readTables },
  5: { place: 5, read: readMemories },
  6: { place: 6, read: readGlobals },
  7: { place: 7, read: readExports },
  9: { place: 8, read: readElements },
  12: { place: 9, read: readDataCount },
  10: { place: 10, read: readBodies },
  11: { place: 11, read: readData },
};

/** Reads the structure of a module: everything but what is inside function bodies. Nothing is copied; the module refers to
 * `bytes`, which must not change.
 *
 * It checks form, the subset and limits; `validateModule` checks meaning.
 * Errors: all codes but `wasm/unknown-index`. Source: WebAssembly core specification, "Binary Format", "Modules". */
export function decodeModule(bytes: Bytes, subset: Subset): Result<WasmModule, WasmFailure> {
  return resultOf(() => readModule(bytes, subset));
}

/** Runs what may throw `WasmError`, and turns that into a failure. */
export function resultOf<T>(read: () => T): Result<T, WasmFailure> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof WasmError)
      return err({ code: error.code, message: error.message, offset: error.offset });
    throw error;
  }
}

function readModule(bytes: Bytes, subset: Subset): WasmModule {
  const reader = new ByteReader(bytes);
  if (bytes.length > subset.maxModuleBytes)
    reader.refuse("wasm/limit", `the module has over ${subset.maxModuleBytes} bytes`);
  for (const byte of HEADER) {
    if (reader.u8() !== byte)
      reader.refuse("wasm/malformed", "no WebAssembly module of version 1", reader.at - 1);
  }
  const draft = emptyDraft(bytes);
  let lastPlace = 0;
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.u8();
    const length = reader.u32();
    const from = reader.at;
    reader.skip(length);
    const section = new ByteReader(bytes, from, reader.at);
    if (id === CUSTOM_SECTION) {
      readCustomSection(section, draft, subset);
      continue;
    }
    const known = SECTIONS[id];
    if (known === undefined) refuseSection(reader, id, start);
    if (known.place <= lastPlace)
      reader.refuse("wasm/malformed-section", `section ${id} comes twice or too late`, start);
    lastPlace = known.place;
    known.read(section, draft, subset);
    if (section.at !== section.end)
      section.refuse("wasm/malformed-section", `section ${id} has bytes after its last item`);
  }
  checkCounts(reader, draft);
  return draft;
}

function refuseSection(reader: ByteReader, id: number, offset: number): never {
  if (id === START_SECTION)
    reader.refuse("wasm/unsupported-start", "a start function is not accepted", offset);
  if (UNSUPPORTED_SECTIONS.includes(id))
    reader.refuse("wasm/unsupported", `section ${id} is outside the subset`, offset);
  reader.refuse("wasm/malformed-section", `there is no section ${id}`, offset);
}

function readCustomSection(reader: ByteReader, draft: ModuleDraft, subset: Subset): void {
  if (draft.customSections.length >= subset.maxCustomSections)
    reader.refuse("wasm/limit", `over ${subset.maxCustomSections} custom sections`);
  const name = reader.name(subset.maxNameBytes);
  draft.customSections.push({ name, from: reader.at, to: reader.end });
}

function readDataCount(reader: ByteReader, draft: ModuleDraft): void {
  draft.dataCount = reader.u32();
}

function checkCounts(reader: ByteReader, draft: ModuleDraft): void {
  const declared = draft.functionTypes.length - draft.importedFunctionCount;
  if (declared !== draft.bodies.length / 2)
    reader.refuse("wasm/malformed-section", "as many functions must be declared as have a body");
  if (draft.dataCount !== undefined && draft.dataCount !== draft.data.length)
    reader.refuse("wasm/malformed-section", "the data count section counts other than the data section");
}
