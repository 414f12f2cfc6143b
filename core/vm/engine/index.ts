export {
  type CompiledEngine,
  createCompiledEngine,
  type EngineCounts,
  type EngineOptions,
} from "./compiled-engine.ts";
