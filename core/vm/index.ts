export { create2Address, createAddress } from "./contract-address.ts";
export { kindOf, programInitCode } from "./contract-host/code-format.ts";
export { HOST_CALLS } from "./contract-host/host-calls.ts";
export {
  CODE_HEADER_BYTES,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  MAX_PAYLOAD_BYTES,
} from "./contract-host/program-gas.ts";
export type { ProgramKind } from "./contract-host/types.ts";
export { planUpload, type Upload, type UploadPlan } from "./contract-host/upload-plan.ts";
export { delegationDesignator, delegationTarget } from "./delegation.ts";
export {
  COMPILE_GAS,
  type CompiledModule,
  type CompileService,
  type ContractEngine,
  compileModule,
  createContractEngine,
  createInlineCompileService,
  createWarmer,
  ENGINE_VERSION,
  type EngineCounts,
  EngineDivergence,
  type EngineOptions,
  type EngineTiers,
  MODULE_CACHE_BYTES,
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
export type { MessageEntry, MessageKind, MessageObserver } from "./observe.ts";
export { OP } from "./opcodes.ts";
export { cryptographyPrecompiles, forkPrecompiles } from "./precompile-set.ts";
export {
  createEmittedBlake2,
  createEmittedKeccak,
  createEmittedModular,
  isPrecompile,
  type PrecompileResult,
  precompileAddresses,
  runPrecompile,
  SM3_ADDRESS,
  verifyAddress,
} from "./precompiles/index.ts";
export {
  type CompiledProgram,
  compileRiscv,
  createRiscvWarmer,
  type FinishedRiscv,
  type RiscvCompileService,
} from "./riscv/index.ts";
export { RECOVERY_GAS, SIGNATURE_BYTE_GAS, signatureGas } from "./signature-gas.ts";
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
