import { assert, type Bytes, utf8 } from "@ostrom/base";
import { ByteBuffer } from "./byte-buffer.ts";
import { type BodyRange, CodeBuilder } from "./code-builder.ts";
import {
  type ExternalKind,
  FUNCREF,
  type FunctionType,
  I32,
  type I64,
  type SizeLimits,
  type ValueType,
} from "./types.ts";

const MAGIC_AND_VERSION = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const FUNCTION_TYPE_FORM = 0x60;
const END = 0x0b;
const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
} as const;
const FUNCTION_NAMES = 1;
const KIND_BYTE: Readonly<Record<ExternalKind, number>> = { function: 0, table: 1, memory: 2, global: 3 };

type Body = { readonly code: CodeBuilder; readonly range: BodyRange };

/** Collects a module and writes its binary form.
 *
 * Imports come before everything that has an index of the same kind, because indices count imports first. Functions may be
 * declared long before they are written, so that they can call each other. Function bodies stay where they were emitted
 * until `encode` copies each once.
 * Source: WebAssembly core specification, "Binary Format", "Modules". */
export class ModuleBuilder {
  readonly #types: FunctionType[] = [];
  readonly #typeIndices = new Map<string, number>();
  readonly #imports = new Section();
  readonly #functions = new Section();
  readonly #tables = new Section();
  readonly #memories = new Section();
  readonly #globals = new Section();
  readonly #exports = new Section();
  readonly #elements = new Section();
  readonly #data = new Section();
  readonly #customs: { readonly name: string; readonly content: Bytes }[] = [];
  readonly #functionNames = new Map<number, string>();
  readonly #functionTypes: number[] = [];
  #importedFunctions = 0;
  #importedGlobals = 0;
  #importedTables = 0;
  readonly #bodies: (Body | undefined)[] = [];
  readonly #idleBuilders: CodeBuilder[] = [];

  /** @returns the index of the type, one for all that are alike. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#types.push({ parameters: [...parameters], results: [...results] }) - 1;
    this.#typeIndices.set(key, index);
    return index;
  }

  /** @returns the function's index. */
  importFunction(module: string, name: string, typeIndex: number): number {
    assert(this.#functions.count === 0, "functions are imported before any is declared");
    this.#import(module, name, "function").u32(typeIndex);
    this.#importedFunctions++;
    return this.#functionTypes.push(typeIndex) - 1;
  }

  importMemory(module: string, name: string, limits: SizeLimits): void {
    writeLimits(this.#import(module, name, "memory"), limits);
  }

  /** @returns the global's index. */
  importGlobal(module: string, name: string, type: ValueType, mutable: boolean): number {
    assert(this.#globals.count === 0, "globals are imported before any is declared");
    this.#import(module, name, "global")
      .u8(type)
      .u8(mutable ? 1 : 0);
    return this.#importedGlobals++;
  }

  /** A table of functions. @returns its index. */
  importTable(module: string, name: string, limits: SizeLimits): number {
    assert(this.#tables.count === 0, "tables are imported before any is declared");
    writeLimits(this.#import(module, name, "table").u8(FUNCREF), limits);
    return this.#importedTables++;
  }

  /** The module's memory: there is one at most, imported or its own. */
  memory(limits: SizeLimits): void {
    writeLimits(this.#memories.item(), limits);
  }

  /** @returns the global's index. */
  global(type: typeof I32 | typeof I64, mutable: boolean, initial: bigint | number): number {
    const out = this.#globals.item();
    out.u8(type).u8(mutable ? 1 : 0);
    if (type === I32) out.u8(0x41).s32(Number(initial));
    else out.u8(0x42).s64(initial);
    out.u8(END);
    return this.#importedGlobals + this.#globals.count - 1;
  }

  /** A table of functions, for `callIndirect`. @returns its index. */
  table(limits: SizeLimits): number {
    writeLimits(this.#tables.item().u8(FUNCREF), limits);
    return this.#importedTables + this.#tables.count - 1;
  }

  /** Puts functions into table 0 from `offset` on, when the module is instantiated. */
  elements(offset: number, functionIndices: readonly number[]): void {
    const out = this.#elements.item().u8(0).u8(0x41).s32(offset).u8(END).u32(functionIndices.length);
    for (const index of functionIndices) out.u32(index);
  }

  /** Puts bytes into the memory from `offset` on, when the module is instantiated. */
  data(offset: number, bytes: Bytes): void {
    this.#data.item().u8(0).u8(0x41).s32(offset).u8(END).vector(bytes);
  }

  /** @returns the index of a function whose body comes later. */
  declareFunction(typeIndex: number): number {
    this.#functions.item().u32(typeIndex);
    this.#bodies.push(undefined);
    return this.#functionTypes.push(typeIndex) - 1;
  }

  /** Begins the body of a declared function. Several may be open at once; each has its own builder, and builders of
   * finished functions are used again. */
  begin(functionIndex: number): CodeBuilder {
    const type = this.#types[this.#functionTypes[functionIndex] ?? -1];
    assert(type !== undefined, "a function is declared, with a type of this module, before it is written");
    const code = this.#idleBuilders.pop() ?? new CodeBuilder();
    code.begin(functionIndex, type.parameters.length);
    return code;
  }

  /** Ends the body that `begin` began; the final `end` instruction is written here. */
  finish(code: CodeBuilder): void {
    const place = code.functionIndex - this.#importedFunctions;
    assert(place >= 0 && place < this.#bodies.length, "only a declared function has a body");
    assert(this.#bodies[place] === undefined, "a function is written once");
    this.#bodies[place] = { code, range: code.complete() };
    this.#idleBuilders.push(code);
  }

  /** Writes the whole body of a declared function. */
  define(functionIndex: number, write: (code: CodeBuilder) => void): void {
    const code = this.begin(functionIndex);
    write(code);
    this.finish(code);
  }

  /** Declares and writes a function. @returns its index. */
  function(typeIndex: number, write: (code: CodeBuilder) => void, exportName?: string): number {
    const index = this.declareFunction(typeIndex);
    this.define(index, write);
    if (exportName !== undefined) this.export(exportName, "function", index);
    return index;
  }

  export(name: string, kind: ExternalKind, index = 0): void {
    this.#exports.item().vector(utf8(name)).u8(KIND_BYTE[kind]).u32(index);
  }

  /** Names a function for stack traces and profilers; this writes a name section. */
  nameFunction(functionIndex: number, name: string): void {
    this.#functionNames.set(functionIndex, name);
  }

  customSection(name: string, content: Bytes): void {
    this.#customs.push({ name, content });
  }

  /** The module in binary. Every declared function must have been written. */
  encode(): Bytes {
    const head = new ByteBuffer().raw(MAGIC_AND_VERSION);
    this.#encodeTypes().writeTo(head, SECTION.type);
    this.#imports.writeTo(head, SECTION.import);
    this.#functions.writeTo(head, SECTION.function);
    this.#tables.writeTo(head, SECTION.table);
    this.#memories.writeTo(head, SECTION.memory);
    this.#globals.writeTo(head, SECTION.global);
    this.#exports.writeTo(head, SECTION.export);
    this.#elements.writeTo(head, SECTION.element);
    const tail = new ByteBuffer();
    this.#data.writeTo(tail, SECTION.data);
    for (const { name, content } of this.#customs) writeCustom(tail, name, content);
    if (this.#functionNames.size > 0) writeCustom(tail, "name", this.#encodeFunctionNames());

    const codeLength = this.#codeLength();
    const out = new ByteBuffer(head.length + tail.length + codeLength + MAX_SECTION_HEADER);
    out.raw(head.view());
    if (this.#bodies.length > 0) this.#writeCode(out, codeLength);
    out.raw(tail.view());
    return out.view();
  }

  #import(module: string, name: string, kind: ExternalKind): ByteBuffer {
    return this.#imports.item().vector(utf8(module)).vector(utf8(name)).u8(KIND_BYTE[kind]);
  }

  #encodeTypes(): Section {
    const section = new Section();
    for (const { parameters, results } of this.#types) {
      const out = section.item().u8(FUNCTION_TYPE_FORM).u32(parameters.length);
      for (const type of parameters) out.u8(type);
      out.u32(results.length);
      for (const type of results) out.u8(type);
    }
    return section;
  }

  #codeLength(): number {
    let length = lebLength(this.#bodies.length);
    for (const body of this.#bodies) {
      assert(body !== undefined, "every declared function must be written");
      const size = body.range.end - body.range.from;
      length += lebLength(size) + size;
    }
    return length;
  }

  #writeCode(out: ByteBuffer, length: number): void {
    out.u8(SECTION.code).u32(length).u32(this.#bodies.length);
    for (const body of this.#bodies) {
      assert(body !== undefined, "every declared function must be written");
      const { from, codeEnd, end } = body.range;
      out.u32(end - from);
      out.raw(body.code.view(codeEnd, end));
      out.raw(body.code.view(from, codeEnd));
    }
  }

  #encodeFunctionNames(): Bytes {
    const names = new ByteBuffer().u32(this.#functionNames.size);
    for (const [index, name] of [...this.#functionNames].sort((a, b) => a[0] - b[0])) {
      names.u32(index).vector(utf8(name));
    }
    return new ByteBuffer().u8(FUNCTION_NAMES).vector(names.view()).view();
  }
}

/** The id of a section, its size, and the count of its items. */
const MAX_SECTION_HEADER = 11;

/** A vector of items and their count. */
class Section {
  count = 0;
  readonly #items = new ByteBuffer(64);

  /** Counts one item more; the caller writes it. */
  item(): ByteBuffer {
    this.count++;
    return this.#items;
  }

  /** Writes the section, unless it is empty. */
  writeTo(out: ByteBuffer, id: number): void {
    if (this.count === 0) return;
    out
      .u8(id)
      .u32(lebLength(this.count) + this.#items.length)
      .u32(this.count);
    out.raw(this.#items.view());
  }
}

function writeCustom(out: ByteBuffer, name: string, content: Bytes): void {
  const encodedName = new ByteBuffer().vector(utf8(name));
  out.u8(SECTION.custom).u32(encodedName.length + content.length);
  out.raw(encodedName.view()).raw(content);
}

function writeLimits(out: ByteBuffer, limits: SizeLimits): void {
  if (limits.maximum === undefined) out.u8(0).u32(limits.minimum);
  else out.u8(1).u32(limits.minimum).u32(limits.maximum);
}

function lebLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
