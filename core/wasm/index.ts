export { ByteBuffer } from "./byte-buffer.ts";
export { CodeBuilder, FUNCTION_LABEL } from "./code-builder.ts";
export { ModuleBuilder } from "./module-builder.ts";
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
