import type { Bytes } from "@ostrom/base";
import { compileContract, type RefusalReason } from "../compiler/compile-contract.ts";
import { compileWasm, isCompileError, type WasmModule } from "../runtime/webassembly.ts";
import type { Fork } from "../types.ts";

/** Of whatever decides what code becomes: compiled code of one version is never used by another. */
export const ENGINE_VERSION = 1;

/** What became of code that was to be compiled. Code that is refused stays in tier 0. */
export type CompiledModule = {
  /** As requested. */
  readonly key: string;
} & (
  | { readonly kind: "compiled"; readonly module: WasmModule; readonly emittedBytes: number }
  | { readonly kind: "refused"; readonly reason: RefusalReason | "took too long" | "the compiler died" }
);

/** Compiles code somewhere else, while the engine goes on in tier 0. Synchronous on this side: core never waits. */
export type CompileService = {
  /** Asks for code to be compiled. @returns false if too much is asked for already: ask again later. */
  readonly request: (key: string, code: Bytes, fork: Fork) => boolean;
  /** What has been finished since it was last asked; each request is answered once. */
  readonly take: () => readonly CompiledModule[];
};

/** Compiles one code, on this thread. */
export function compileModule(key: string, code: Bytes, fork: Fork): CompiledModule {
  const compilation = compileContract(code, fork);
  if (compilation.kind === "refused") return { key, kind: "refused", reason: compilation.reason };
  const module = compileOrRefuse(compilation.bytes);
  return module === undefined
    ? { key, kind: "refused", reason: "refused by V8" }
    : { key, kind: "compiled", module, emittedBytes: compilation.bytes.length };
}

function compileOrRefuse(bytes: Bytes): WasmModule | undefined {
  try {
    return compileWasm(bytes);
  } catch (error) {
    if (isCompileError(error)) return undefined;
    throw error;
  }
}

/** Compiles on the thread that asks, at once: for tools and tests, where nobody waits for a first call. */
export function createInlineCompileService(): CompileService {
  let finished: CompiledModule[] = [];
  return {
    request: (key, code, fork) => {
      finished.push(compileModule(key, code, fork));
      return true;
    },
    take: () => {
      const taken = finished;
      finished = [];
      return taken;
    },
  };
}
