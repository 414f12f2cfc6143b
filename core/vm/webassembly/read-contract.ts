import { type Bytes, err, must, ok, type Result } from "@ostrom/base";
import {
  type ConstantExpression,
  type FunctionExtent,
  type FunctionType,
  I32,
  I64,
  readValidModule,
  type ValueType,
  type WasmModule,
} from "@ostrom/wasm";
import { HOST_CALLS, HOST_MODULE, type HostCall } from "../contract-host/host-calls.ts";
import { MAX_PROGRAM_PAGES } from "../contract-host/program-gas.ts";
import { WASM_PAGE_SIZE } from "../runtime/webassembly.ts";
import { FuelAnalyst, type FunctionFuel } from "./block-fuel.ts";
import {
  FREE_MERGED_VALUES,
  MAX_LOOPS,
  MAX_MERGED_VALUES_PER_BYTE,
  PROGRAM_SUBSET,
} from "./contract-limits.ts";

/** A module that was found to be a contract.
 * @property hostCalls what each imported function is. */
export type Contract = {
  readonly module: WasmModule;
  readonly extents: readonly FunctionExtent[];
  readonly hostCalls: readonly HostCall[];
  /** Of each function with a body. */
  readonly fuel: readonly FunctionFuel[];
  /** Function indices. */
  readonly call: number;
  readonly deploy: number | undefined;
  /** Runs before either, in every message. */
  readonly initialize: number | undefined;
  /** Pages of 64 KiB. */
  readonly initialPages: number;
  readonly maximumPages: number;
  /** How each global begins: i32 as a number, i64 as a bigint, both signed. */
  readonly globals: readonly (number | bigint)[];
  /** What the memory begins with, beside zeros; parts of `module.bytes`. */
  readonly data: readonly { readonly to: number; readonly bytes: Bytes }[];
  /** Function indices; -1 where the table is empty. */
  readonly table: Int32Array;
};

const ENTRY_TYPE: FunctionType = { parameters: [], results: [I32] };
const INITIALIZER_TYPE: FunctionType = { parameters: [], results: [] };
const INITIALIZER_NAMES: readonly string[] = ["_initialize", "_start"];

const VALUE_TYPES = { i32: I32, i64: I64 } as const;
const HOST_CALLS_BY_NAME: ReadonlyMap<string, HostCall> = new Map(
  HOST_CALLS.map((call) => [call.name, call]),
);

class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Decodes and validates a contract.
 * @returns the contract, or why it is none, for people. */
export function readContract(bytes: Bytes): Result<Contract, string> {
  const valid = readValidModule(bytes, PROGRAM_SUBSET);
  if (!valid.ok) {
    const { code, message, offset } = valid.error;
    return err(`${code} at byte ${offset}: ${message}`);
  }
  try {
    return ok(readParts(valid.value.module, valid.value.extents));
  } catch (error) {
    if (error instanceof Refusal) return err(error.message);
    throw error;
  }
}

function readParts(module: WasmModule, extents: readonly FunctionExtent[]): Contract {
  const globals = valuesOfGlobals(module);
  const { initialPages, maximumPages } = memoryOf(module);
  return {
    module,
    extents,
    hostCalls: hostCallsOf(module),
    fuel: fuelOf(module, extents),
    call: exportedFunction(module, "call", ENTRY_TYPE) ?? refuse("no function `call` is exported"),
    deploy: exportedFunction(module, "deploy", ENTRY_TYPE),
    initialize: initializerOf(module),
    initialPages,
    maximumPages,
    globals,
    data: dataOf(module, globals, initialPages),
    table: tableOf(module, globals),
  };
}

function refuse(why: string): never {
  throw new Refusal(why);
}

/** Cuts all functions into blocks, and refuses those that would take V8 too long. */
function fuelOf(module: WasmModule, extents: readonly FunctionExtent[]): FunctionFuel[] {
  const analyst = new FuelAnalyst(module);
  let merged = 0;
  const fuel = extents.map(({ locals, operands }, place) => {
    const found = analyst.analyse(place);
    if (found.loops > MAX_LOOPS)
      refuse(
        `function ${module.importedFunctionCount + place} has ${found.loops} loops: at most ${MAX_LOOPS} are accepted`,
      );
    merged += (found.merges + 1) * (locals + operands);
    return found;
  });
  if (merged > FREE_MERGED_VALUES + MAX_MERGED_VALUES_PER_BYTE * module.bytes.length)
    refuse("the functions have too many locals and operands for so many branches");
  return fuel;
}

function hostCallsOf(module: WasmModule): HostCall[] {
  return module.imports.map((entry) => {
    const what = `${entry.module}.${entry.name}`;
    if (entry.kind !== "function")
      refuse(`the import ${what} is a ${entry.kind}: only functions are accepted`);
    const call = HOST_CALLS_BY_NAME.get(entry.name);
    if (entry.module !== HOST_MODULE || call === undefined) refuse(`there is no host function ${what}`);
    if (call.name === "memory_grow") refuse(`${what} is for RISC-V: use the instruction memory.grow`);
    if (!sameType(module.types[entry.typeIndex], typeOfHostCall(call)))
      refuse(`the import ${what} has another type than the host's function`);
    return call;
  });
}

export function typeOfHostCall({ parameters, result }: HostCall): FunctionType {
  return {
    parameters: parameters.map(({ type }) => VALUE_TYPES[type]),
    results: result === "nothing" ? [] : [VALUE_TYPES[result]],
  };
}

function sameType(a: FunctionType | undefined, b: FunctionType): boolean {
  return a !== undefined && sameValues(a.parameters, b.parameters) && sameValues(a.results, b.results);
}

function sameValues(a: readonly ValueType[], b: readonly ValueType[]): boolean {
  return a.length === b.length && a.every((type, index) => type === b[index]);
}

/** @returns the index of a function of the module's own. */
function exportedFunction(module: WasmModule, name: string, type: FunctionType): number | undefined {
  const entry = module.exports.find((candidate) => candidate.name === name);
  if (entry === undefined) return undefined;
  if (entry.kind !== "function") refuse(`the export \`${name}\` is a ${entry.kind}, and no function`);
  if (entry.index < module.importedFunctionCount) refuse(`the export \`${name}\` is an imported function`);
  const typeIndex = must(module.functionTypes[entry.index], "exports of a valid module name what is there");
  if (!sameType(module.types[typeIndex], type))
    refuse(
      `the function \`${name}\` must take nothing and return ${type.results.length === 0 ? "nothing" : "an i32"}`,
    );
  return entry.index;
}

function initializerOf(module: WasmModule): number | undefined {
  const found = INITIALIZER_NAMES.map((name) => exportedFunction(module, name, INITIALIZER_TYPE)).filter(
    (index) => index !== undefined,
  );
  if (found.length > 1) refuse(`one of ${INITIALIZER_NAMES.join(" and ")} may be exported`);
  return found[0];
}

function memoryOf(module: WasmModule): { readonly initialPages: number; readonly maximumPages: number } {
  if (module.memory === undefined) refuse("the module has no memory");
  const { minimum, maximum = MAX_PROGRAM_PAGES } = module.memory;
  if (minimum > MAX_PROGRAM_PAGES)
    refuse(`the memory begins with ${minimum} pages: at most ${MAX_PROGRAM_PAGES} are accepted`);
  return { initialPages: minimum, maximumPages: Math.min(maximum, MAX_PROGRAM_PAGES) };
}

function valuesOfGlobals(module: WasmModule): (number | bigint)[] {
  const values: (number | bigint)[] = [];
  for (const { initial } of module.globals) {
    // Imported globals are refused with the other imports, which are read later: their value never counts.
    values.push(initial === undefined ? 0 : constantValue(initial, values));
  }
  return values;
}

function constantValue(
  expression: ConstantExpression,
  globals: readonly (number | bigint)[],
): number | bigint {
  if (expression.kind === "global")
    return must(globals[expression.index], "a valid constant expression refers to a global before it");
  if (expression.kind === "v128") refuse("vectors are not accepted");
  return expression.value;
}

function dataOf(
  module: WasmModule,
  globals: readonly (number | bigint)[],
  initialPages: number,
): { readonly to: number; readonly bytes: Bytes }[] {
  const size = initialPages * WASM_PAGE_SIZE;
  return module.data.map(({ offset, from, to }) => {
    const start = Number(constantValue(offset, globals)) >>> 0;
    if (start + (to - from) > size)
      refuse(`data for [${start}, ${start + (to - from)}) lies beyond the initial memory`);
    return { to: start, bytes: module.bytes.subarray(from, to) };
  });
}

function tableOf(module: WasmModule, globals: readonly (number | bigint)[]): Int32Array {
  const table = new Int32Array(module.table?.minimum ?? 0).fill(-1);
  for (const { offset, functions } of module.elements) {
    const start = Number(constantValue(offset, globals)) >>> 0;
    if (start + functions.length > table.length)
      refuse(`elements for [${start}, ${start + functions.length}) lie beyond the table`);
    functions.forEach((index, place) => {
      table[start + place] = index;
    });
  }
  return table;
}
