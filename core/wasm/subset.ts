/** What of WebAssembly is accepted, and how much of it. All counts are of one module, unless they say otherwise.
 *
 * Whatever exceeds a limit is refused before memory is taken for it, with the code `wasm/limit`. */
export type Subset = {
  /** Whether code may grow its memory. */
  readonly memoryGrow: boolean;
  /** Whether v128 and its instructions may be used. */
  readonly vectors: boolean;
  /** Whether `return_call` and `return_call_indirect` may be used. */
  readonly tailCalls: boolean;
  readonly maxModuleBytes: number;
  readonly maxTypes: number;
  /** Of one function type. */
  readonly maxParameters: number;
  /** Of one function type. */
  readonly maxResults: number;
  readonly maxImports: number;
  /** Without the imported ones. */
  readonly maxFunctions: number;
  readonly maxGlobals: number;
  readonly maxExports: number;
  /** Of one import, export or custom section, in bytes. */
  readonly maxNameBytes: number;
  /** Sections without meaning for the machine. */
  readonly maxCustomSections: number;
  /** The least size that a table may ask for, in entries. */
  readonly maxTableEntries: number;
  /** The least size that a memory may ask for, in pages of 64 KiB. */
  readonly maxMemoryPages: number;
  readonly maxElementSegments: number;
  /** Function indices in all element segments. */
  readonly maxElements: number;
  readonly maxDataSegments: number;
  /** Of one function: its locals' declaration and its code. */
  readonly maxBodyBytes: number;
  /** Of one function: parameters and locals. */
  readonly maxLocals: number;
  /** Of one function: blocks inside each other, the function itself counted. */
  readonly maxNesting: number;
  /** Of one function: values on the operand stack. */
  readonly maxOperands: number;
  /** Of one `br_table`, without the last one. */
  readonly maxBranchTargets: number;
};

/** For the engine's own modules: every instruction that the encoder knows, with limits within V8's own, so that V8 takes
 * whatever is accepted. Source of V8's: `src/wasm/wasm-limits.h`. */
export const ENGINE_SUBSET: Subset = {
  memoryGrow: true,
  vectors: true,
  tailCalls: true,
  maxModuleBytes: 64 * 1024 * 1024,
  maxTypes: 10_000,
  maxParameters: 1_000,
  maxResults: 1_000,
  maxImports: 10_000,
  maxFunctions: 100_000,
  maxGlobals: 10_000,
  maxExports: 100_000,
  maxNameBytes: 10_000,
  maxCustomSections: 1_000,
  maxTableEntries: 1_000_000,
  maxMemoryPages: 65_536,
  maxElementSegments: 10_000,
  maxElements: 1_000_000,
  maxDataSegments: 10_000,
  maxBodyBytes: 7_654_321,
  maxLocals: 50_000,
  maxNesting: 100_000,
  maxOperands: 1_000_000,
  maxBranchTargets: 65_000,
};

/** For contracts: what compilers emit for plain C, Rust and AssemblyScript, within limits that keep the time and the memory
 * of validation in proportion to the bytes. core/vm may narrow it further. */
export const CONTRACT_SUBSET: Subset = {
  memoryGrow: false,
  vectors: false,
  tailCalls: false,
  maxModuleBytes: 1024 * 1024,
  maxTypes: 1_000,
  maxParameters: 64,
  maxResults: 16,
  maxImports: 256,
  maxFunctions: 10_000,
  maxGlobals: 1_000,
  maxExports: 1_000,
  maxNameBytes: 256,
  maxCustomSections: 64,
  maxTableEntries: 10_000,
  maxMemoryPages: 1_024,
  maxElementSegments: 1_000,
  maxElements: 10_000,
  maxDataSegments: 1_000,
  maxBodyBytes: 256 * 1024,
  maxLocals: 2_000,
  maxNesting: 1_024,
  maxOperands: 4_096,
  maxBranchTargets: 4_096,
};
