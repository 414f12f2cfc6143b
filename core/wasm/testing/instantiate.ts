import { unwrap } from "@ostrom/base";
import type { ModuleBuilder } from "../module-builder.ts";
import { ENGINE_SUBSET } from "../subset.ts";
import { readValidModule } from "../validate-module.ts";

/** An exported function, with numbers for i32 and bigints for i64. */
export type Callable = (...parameters: (number | bigint)[]) => unknown;

export type Instance = {
  /** @param name of an exported function. */
  readonly call: (name: string, ...parameters: (number | bigint)[]) => unknown;
  readonly exports: WebAssembly.Exports;
  /** The exported memory "memory". */
  readonly memory: () => Uint8Array<ArrayBuffer>;
};

/** Checks with our validator what was built, and runs it in V8. */
export function instantiate(builder: ModuleBuilder, imports: WebAssembly.Imports = {}): Instance {
  const bytes = new Uint8Array(builder.encode());
  unwrap(readValidModule(bytes, ENGINE_SUBSET));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  return {
    call: (name, ...parameters) => (exports[name] as Callable)(...parameters),
    exports,
    memory: () => new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer as ArrayBuffer),
  };
}
