/** The few parts of V8's WebAssembly interface that the engine uses. Core's library has no types for it, because its
 * asynchronous half does not belong here: all that is declared is synchronous.
 * Source: WebAssembly JavaScript Interface, W3C. */
export type WasmMemory = {
  /** Replaced by another object when the memory grows: never kept across a call into WebAssembly. */
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
};

export type WasmModule = { readonly kind?: "module" };

/** What crosses the border: i32 as a number, i64 as a bigint (signed), several results as an array. */
export type WasmFunction = (
  ...operands: readonly (number | bigint)[]
) => number | bigint | readonly (number | bigint)[] | undefined;

export type WasmExports = Readonly<Record<string, WasmFunction>>;

export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmFunction | WasmMemory>>>>;

// Shadows the global's own types, where a library has them, in this file alone.
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: WasmImports) => { readonly exports: WasmExports };
  readonly RuntimeError: new () => Error;
  readonly CompileError: new () => Error;
};

export const WASM_PAGE_SIZE = 65_536;

export function createWasmMemory(initial: number, maximum: number): WasmMemory {
  return new WebAssembly.Memory({ initial, maximum });
}

/** Throws if V8 refuses the bytes (`isCompileError`). */
export function compileWasm(bytes: Uint8Array): WasmModule {
  return new WebAssembly.Module(bytes);
}

/** V8 has refused a module: it is malformed, or beyond a limit of V8's. */
export function isCompileError(error: unknown): boolean {
  return error instanceof WebAssembly.CompileError;
}

export function instantiateWasm(module: WasmModule, imports: WasmImports): WasmExports {
  return new WebAssembly.Instance(module, imports).exports;
}

/** A memory that an instance exports. */
export function exportedMemory(exports: WasmExports, name: string): WasmMemory {
  return (exports as unknown as Readonly<Record<string, WasmMemory>>)[name]!;
}

/** Code in WebAssembly has trapped: `unreachable`, a division by zero, an access out of bounds, and the like. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}

/** A trap, or what V8 throws when its own stack or memory is used up. None of these is a result of the program. */
export function isNodeFault(error: unknown): boolean {
  return (
    error instanceof NodeFault || error instanceof WebAssembly.RuntimeError || error instanceof RangeError
  );
}

/** The machine failed, not the program: whatever ran must be undone and run again in another way. */
export class NodeFault extends Error {
  override readonly name = "NodeFault";
  readonly code = "vm/node-fault";
}
