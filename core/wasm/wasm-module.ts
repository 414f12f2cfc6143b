import type { Bytes } from "@ostrom/base";
import type { FunctionType, GlobalType, SizeLimits } from "./types.ts";

/** A module as `decodeModule` reads it. Indices count imports first. Function bodies, data and custom sections stay in `bytes`,
 * as ranges [from, to). */
export type WasmModule = {
  /** What was decoded: shared, not copied. */
  readonly bytes: Bytes;
  readonly types: readonly FunctionType[];
  readonly imports: readonly WasmImport[];
  readonly importedFunctionCount: number;
  /** The type index of each function, imported ones included. */
  readonly functionTypes: Uint32Array;
  readonly table: SizeLimits | undefined;
  readonly memory: SizeLimits | undefined;
  /** Imported ones included. */
  readonly globals: readonly WasmGlobal[];
  readonly exports: readonly WasmExport[];
  readonly elements: readonly ElementSegment[];
  readonly data: readonly DataSegment[];
  /** Two numbers for each function with a body: where its locals' declaration begins, and where its code ends. */
  readonly bodies: Uint32Array;
  readonly customSections: readonly { readonly name: string; readonly from: number; readonly to: number }[];
};

export type WasmImport = { readonly module: string; readonly name: string } & (
  | { readonly kind: "function"; readonly typeIndex: number }
  | { readonly kind: "table"; readonly limits: SizeLimits }
  | { readonly kind: "memory"; readonly limits: SizeLimits }
  | { readonly kind: "global"; readonly type: GlobalType }
);

export type WasmExport = {
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global";
  readonly index: number;
};

/** @property initial is undefined for an imported global. */
export type WasmGlobal = GlobalType & { readonly initial: ConstantExpression | undefined };

/** How globals begin and where segments go. */
export type ConstantExpression =
  | { readonly kind: "i32"; readonly value: number }
  | { readonly kind: "i64"; readonly value: bigint }
  /** 16 bytes of the module, from `from` on. */
  | { readonly kind: "v128"; readonly from: number }
  /** The value of an immutable global before this one. */
  | { readonly kind: "global"; readonly index: number };

/** Functions that go into the table from `offset` on. */
export type ElementSegment = {
  readonly offset: ConstantExpression;
  readonly functions: Uint32Array;
};

/** Bytes that go into the memory from `offset` on. */
export type DataSegment = {
  readonly offset: ConstantExpression;
  readonly from: number;
  readonly to: number;
};
