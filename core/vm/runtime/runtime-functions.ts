import { type CodeBuilder, I32, I64, ModuleBuilder, type ValueType } from "@ostrom/wasm";
import { INITIAL_PAGES, MAXIMUM_PAGES } from "./memory-layout.ts";
import {
  writeCountDigits,
  writeDivideDigits,
  writeDivideScratch,
  writeDivision,
  writeNegate,
  writeSignedDivision,
} from "./runtime-divide.ts";
import { writeKeccak, writeKeccakAbsorb, writeKeccakOfAny } from "./runtime-keccak.ts";
import { writeBlobHash, writeClaim, writeCopyInput, writeExpand, writeLoadInput } from "./runtime-memory.ts";
import {
  writeAddModulo,
  writeAddModuloLarge,
  writeMakeReciprocal,
  writeMultiplyModulo,
  writeMultiplyModuloSmall,
} from "./runtime-modular.ts";
import { writeMultiply, writeMultiplyFull, writeMultiplyWide, writePower } from "./runtime-multiply.ts";
import { writeByteAt, writeShift, writeSignExtend } from "./runtime-shift.ts";
import { writeDivideWide } from "./runtime-short-division.ts";
import {
  SLOT_PARAMETERS,
  writeFindSlot,
  writePlaceSlot,
  writeRememberSlot,
  writeStoreSlot,
} from "./runtime-storage.ts";

/** What compiled code calls. The names say what each does; parameters and results stand with the writers. */
export type RuntimeName =
  | "multiplyWide"
  | "multiply"
  | "shiftLeft"
  | "shiftRight"
  | "shiftSigned"
  | "signExtend"
  | "byteAt"
  | "loadInput"
  | "blobHash"
  | "multiplyFull"
  | "power"
  | "countDigits"
  | "divideDigits"
  | "divideScratch"
  | "divideWide"
  | "divide"
  | "modulo"
  | "negate"
  | "divideSigned"
  | "moduloSigned"
  | "addModuloLarge"
  | "addModulo"
  | "multiplyModuloSmall"
  | "makeReciprocal"
  | "multiplyModulo"
  | "keccakAbsorb"
  | "keccakOfAny"
  | "keccak"
  | "expand"
  | "claim"
  | "copyInput"
  | "placeSlot"
  | "findSlot"
  | "rememberSlot"
  | "storeSlot";

/** @returns the index of a function in the module that is being built. */
export type FindFunction = (name: RuntimeName) => number;

type RuntimeFunction = {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly write: (code: CodeBuilder, find: FindFunction) => void;
};

const WORD: readonly ValueType[] = [I64, I64, I64, I64];

function make(
  parameters: readonly ValueType[],
  results: readonly ValueType[],
  write: RuntimeFunction["write"],
): RuntimeFunction {
  return { parameters, results, write };
}

const FUNCTIONS: Readonly<Record<RuntimeName, RuntimeFunction>> = {
  multiplyWide: make([I64, I64], [I64, I64], writeMultiplyWide),
  multiply: make([...WORD, ...WORD], WORD, writeMultiply),
  shiftLeft: make([I64, ...WORD], WORD, (code) => writeShift(code, "left")),
  shiftRight: make([I64, ...WORD], WORD, (code) => writeShift(code, "right")),
  shiftSigned: make([I64, ...WORD], WORD, (code) => writeShift(code, "signed")),
  signExtend: make([I64, ...WORD], WORD, writeSignExtend),
  byteAt: make([I64, ...WORD], [I64], writeByteAt),
  loadInput: make([I32, I64], WORD, writeLoadInput),
  blobHash: make([I64], WORD, writeBlobHash),
  multiplyFull: make([...WORD, ...WORD], [], writeMultiplyFull),
  power: make([...WORD, ...WORD], WORD, writePower),
  countDigits: make([I32, I32], [I32], writeCountDigits),
  divideDigits: make([I32, I32], [], writeDivideDigits),
  divideScratch: make([I32], [], writeDivideScratch),
  divideWide: make([I64, I64, I64], [I64, I64], writeDivideWide),
  divide: make([...WORD, ...WORD], WORD, (code, find) => writeDivision(code, find, "quotient")),
  modulo: make([...WORD, ...WORD], WORD, (code, find) => writeDivision(code, find, "remainder")),
  negate: make(WORD, WORD, writeNegate),
  divideSigned: make([...WORD, ...WORD], WORD, (code, find) => writeSignedDivision(code, find, "quotient")),
  moduloSigned: make([...WORD, ...WORD], WORD, (code, find) => writeSignedDivision(code, find, "remainder")),
  addModulo: make([...WORD, ...WORD, ...WORD], WORD, writeAddModulo),
  addModuloLarge: make([...WORD, ...WORD, ...WORD], WORD, writeAddModuloLarge),
  multiplyModuloSmall: make([...WORD, ...WORD, ...WORD], WORD, writeMultiplyModuloSmall),
  makeReciprocal: make([I32, ...WORD], [], writeMakeReciprocal),
  multiplyModulo: make([...WORD, ...WORD, ...WORD], WORD, writeMultiplyModulo),
  keccakAbsorb: make([I32], [], writeKeccakAbsorb),
  keccakOfAny: make([I32, I32], WORD, writeKeccakOfAny),
  keccak: make([I32, I32], WORD, writeKeccak),
  expand: make([I32, I64, I64], [I64], writeExpand),
  claim: make([I32, I64, I64], [I64, I64], writeClaim),
  copyInput: make([I32, I32, I32, I64], [], writeCopyInput),
  placeSlot: make(SLOT_PARAMETERS, [I32], writePlaceSlot),
  findSlot: make(SLOT_PARAMETERS, [I32], writeFindSlot),
  rememberSlot: make([...SLOT_PARAMETERS, ...WORD], [], writeRememberSlot),
  storeSlot: make([I32, I64, ...WORD, ...WORD], [I64], writeStoreSlot),
};

/** Long or seldom called: they are in one module for all contracts, always hot. Calling into another module costs more
 * than what the others do, which each contract has for itself if it uses them. */
const SHARED: readonly RuntimeName[] = [
  "power",
  "divide",
  "modulo",
  "divideSigned",
  "moduloSigned",
  "addModulo",
  "multiplyModulo",
  "keccak",
  "expand",
  "claim",
  "copyInput",
  "rememberSlot",
  "storeSlot",
];

export const RUNTIME_MODULE = "runtime";
export const MEMORY_NAME = "memory";

/** What a module of the engine calls, and its memory. */
export type RuntimeFunctions = { readonly find: FindFunction };

export function importMemory(module: ModuleBuilder): void {
  module.importMemory(RUNTIME_MODULE, MEMORY_NAME, { minimum: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
}

/** Makes the shared functions callable in a module; the others are written into it when they are first asked for. Must
 * come before the module's own functions. */
export function importRuntime(module: ModuleBuilder): RuntimeFunctions {
  const imported = new Map<RuntimeName, number>();
  for (const name of SHARED) {
    const { parameters, results } = FUNCTIONS[name];
    imported.set(name, module.importFunction(RUNTIME_MODULE, name, module.type(parameters, results)));
  }
  return { find: functionsIn(module, imported) };
}

function functionsIn(module: ModuleBuilder, known: Map<RuntimeName, number>): FindFunction {
  const find: FindFunction = (name) => {
    const index = known.get(name);
    if (index !== undefined) return index;
    const { parameters, results, write } = FUNCTIONS[name];
    const declared = module.declareFunction(module.type(parameters, results));
    known.set(name, declared);
    module.define(declared, (code) => write(code, find));
    return declared;
  };
  return find;
}

/** The module of all runtime functions, each exported under its name. */
export function encodeRuntime(): Uint8Array {
  const module = new ModuleBuilder();
  importMemory(module);
  const find = functionsIn(module, new Map());
  for (const name of Object.keys(FUNCTIONS) as RuntimeName[]) module.export(name, "function", find(name));
  return module.encode();
}
