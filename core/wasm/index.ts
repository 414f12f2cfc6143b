export { ByteBuffer } from "./byte-buffer.ts";
export { CodeBuilder, FUNCTION_LABEL } from "./code-builder.ts";
export { decodeModule } from "./decode-module.ts";
export type { WasmErrorCode, WasmFailure } from "./failure.ts";
export { readLocals } from "./function-locals.ts";
export { EMPTY_BLOCK_TYPE, InstructionReader } from "./instruction-reader.ts";
export { ModuleBuilder } from "./module-builder.ts";
export { OPCODE } from "./opcodes.ts";
export { CONTRACT_SUBSET, ENGINE_SUBSET, type Subset } from "./subset.ts";
export {
  type ExternalKind,
  FUNCREF,
  type FunctionType,
  type GlobalType,
  I32,
  I64,
  type Label,
  type Patch,
  type SizeLimits,
  V128,
  type ValueType,
} from "./types.ts";
export type { FunctionExtent } from "./validate-function.ts";
export { readValidModule, type ValidModule, validateModule } from "./validate-module.ts";
export type {
  ConstantExpression,
  DataSegment,
  ElementSegment,
  WasmExport,
  WasmGlobal,
  WasmImport,
  WasmModule,
} from "./wasm-module.ts";
