import type { Brand } from "@ostrom/base";

/** The value types of the subset, as the binary format writes them. */
export type ValueType = typeof I32 | typeof I64 | typeof V128;
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
/** The only element type of tables. */
export const FUNCREF = 0x70;

/** Parameters come from, and results go to, the operand stack; the last one is on top. */
export type FunctionType = {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
};

/** Sizes of a memory in pages of 64 KiB, or of a table in entries. */
export type SizeLimits = {
  readonly minimum: number;
  readonly maximum: number | undefined;
};

export type GlobalType = {
  readonly type: ValueType;
  readonly mutable: boolean;
};

/** A block that is open in the function being emitted: how many were open before it, plus one. 0 is the function itself,
 * so a branch to it returns. */
export type Label = Brand<number, "wasm-label">;

/** A place in a function body whose constant is filled in later. */
export type Patch = Brand<number, "wasm-patch">;

export type ExternalKind = "function" | "table" | "memory" | "global";
