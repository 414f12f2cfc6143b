import { type Bytes, ok, type Result } from "@ostrom/base";
import { decodeModule, resultOf } from "./decode-module.ts";
import { WasmError, type WasmErrorCode, type WasmFailure } from "./failure.ts";
import { InstructionReader } from "./instruction-reader.ts";
import type { Subset } from "./subset.ts";
import { I32, I64, V128, type ValueType } from "./types.ts";
import { type FunctionExtent, FunctionValidator } from "./validate-function.ts";
import type { ConstantExpression, WasmExport, WasmModule } from "./wasm-module.ts";

const CONSTANT_TYPE = { i32: I32, i64: I64, v128: V128 } as const;

/** A module that was found valid.
 * @property extents what each function with a body takes at most. */
export type ValidModule = {
  readonly module: WasmModule;
  readonly extents: readonly FunctionExtent[];
};

/** Decodes and validates a module. What it accepts, V8 accepts; what it refuses as neither unsupported nor beyond a limit, V8
 * refuses.
 * Errors: all codes. */
export function readValidModule(bytes: Bytes, subset: Subset): Result<ValidModule, WasmFailure> {
  const decoded = decodeModule(bytes, subset);
  if (!decoded.ok) return decoded;
  const extents = validateModule(decoded.value, subset);
  return extents.ok ? ok({ module: decoded.value, extents: extents.value }) : extents;
}

/** Checks the meaning of a decoded module: indices, types, and every function.
 * @returns what each function with a body takes at most.
 * Errors: `wasm/unknown-index`, `wasm/type-mismatch`, `wasm/invalid`, and those of function bodies, which are read here:
 * `wasm/truncated`, `wasm/malformed`, `wasm/malformed-number`, `wasm/limit`, `wasm/unsupported`, `wasm/unsupported-float`.
 * Source: WebAssembly core specification, "Validation". */
export function validateModule(
  module: WasmModule,
  subset: Subset,
): Result<readonly FunctionExtent[], WasmFailure> {
  return resultOf(() => {
    checkFunctionTypes(module);
    checkGlobals(module);
    checkExports(module);
    checkSegments(module);
    const validator = new FunctionValidator(module, subset, new InstructionReader(module, subset));
    const extents: FunctionExtent[] = [];
    for (let place = 0; place < module.bodies.length / 2; place++) extents.push(validator.validate(place));
    return extents;
  });
}

/** Outside of code, what is wrong has no byte of its own worth naming. */
function refuse(code: WasmErrorCode, message: string): never {
  throw new WasmError(code, message, 0);
}

function checkFunctionTypes(module: WasmModule): void {
  for (const typeIndex of module.functionTypes) {
    if (typeIndex >= module.types.length)
      refuse("wasm/unknown-index", `a function has type ${typeIndex}, which is not there`);
  }
}

function checkGlobals(module: WasmModule): void {
  module.globals.forEach(({ type, initial }, index) => {
    if (initial !== undefined && typeOfConstant(module, initial, index) !== type)
      refuse("wasm/type-mismatch", `global ${index} begins with a value of another type`);
  });
}

/** @param visibleGlobals how many globals the expression may refer to: for a global, those before it. */
function typeOfConstant(
  module: WasmModule,
  expression: ConstantExpression,
  visibleGlobals: number,
): ValueType {
  if (expression.kind !== "global") return CONSTANT_TYPE[expression.kind];
  const global = module.globals[expression.index];
  if (global === undefined || expression.index >= visibleGlobals)
    refuse("wasm/unknown-index", `a constant expression uses global ${expression.index}, which is not there`);
  if (global.mutable)
    refuse("wasm/invalid", `a constant expression uses global ${expression.index}, a mutable one`);
  return global.type;
}

function checkExports(module: WasmModule): void {
  const names = new Set<string>();
  for (const entry of module.exports) {
    if (names.has(entry.name)) refuse("wasm/invalid", `${JSON.stringify(entry.name)} is exported twice`);
    names.add(entry.name);
    if (entry.index >= countOf(module, entry.kind))
      refuse(
        "wasm/unknown-index",
        `export ${JSON.stringify(entry.name)} names a ${entry.kind} that is not there`,
      );
  }
}

function countOf(module: WasmModule, kind: WasmExport["kind"]): number {
  switch (kind) {
    case "function":
      return module.functionTypes.length;
    case "table":
      return module.table === undefined ? 0 : 1;
    case "memory":
      return module.memory === undefined ? 0 : 1;
    case "global":
      return module.globals.length;
    default:
      return kind satisfies never;
  }
}

function checkSegments(module: WasmModule): void {
  for (const { offset, functions } of module.elements) {
    if (module.table === undefined) refuse("wasm/unknown-index", "elements need a table");
    checkOffset(module, offset);
    for (const index of functions) {
      if (index >= module.functionTypes.length)
        refuse("wasm/unknown-index", `an element names function ${index}, which is not there`);
    }
  }
  for (const { offset } of module.data) {
    if (module.memory === undefined) refuse("wasm/unknown-index", "data needs a memory");
    checkOffset(module, offset);
  }
}

function checkOffset(module: WasmModule, offset: ConstantExpression): void {
  if (typeOfConstant(module, offset, module.globals.length) !== I32)
    refuse("wasm/type-mismatch", "a segment's offset is an i32");
}
