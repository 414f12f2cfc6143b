export {
  type CompiledModule,
  type CompileService,
  compileModule,
  createInlineCompileService,
  ENGINE_VERSION,
} from "./compile-service.ts";
export {
  type ContractEngine,
  createContractEngine,
  type EngineCounts,
  type EngineOptions,
  type EngineTiers,
} from "./contract-engine.ts";
export { COMPILE_GAS, MODULE_CACHE_BYTES } from "./tier1-cache.ts";
export { EngineDivergence } from "./verify-message.ts";
export { createWarmer } from "./warm-up.ts";
