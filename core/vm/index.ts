export { create2Address, createAddress } from "./contract-address.ts";
export { delegationDesignator, delegationTarget } from "./delegation.ts";
export {
  type CompiledEngine,
  createCompiledEngine,
  type EngineCounts,
  type EngineOptions,
} from "./engine/index.ts";
export { executeMessage as executeInReference } from "./execute-message.ts";
export { type BlobRules, blobBaseFee, FORKS, type ForkRules, forkRules, GAS_PER_BLOB } from "./fork-rules.ts";
export {
  GAS,
  MAX_CALL_DEPTH,
  MAX_CODE_SIZE,
  MAX_INIT_CODE_SIZE,
  MAX_NONCE,
  MAX_STACK_SIZE,
  TRANSACTION_GAS,
} from "./gas-schedule.ts";
export { describeOpcode } from "./instruction-set.ts";
export { executeMessage, installMessageEngine, type MessageEngine } from "./message-engine.ts";
export { forkPrecompiles } from "./precompile-set.ts";
export {
  isPrecompile,
  type PrecompileResult,
  precompileAddresses,
  runPrecompile,
} from "./precompiles/index.ts";
export type {
  BlockContext,
  ExecutionContext,
  FaultCode,
  Fork,
  Message,
  Outcome,
  PrecompileSet,
  Step,
  TransactionContext,
} from "./types.ts";
