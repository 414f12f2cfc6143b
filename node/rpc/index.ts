export type {
  AccessListOutcome,
  Block,
  BlockHeader,
  ChainInfo,
  ChainReads,
  DropReason,
  EventListener,
  EventSource,
  Executor,
  GasEstimate,
  Heads,
  MiningReport,
  PoolContent,
  PoolPort,
  PoolStatus,
  RpcBackend,
  Simulation,
  SimulationFailure,
  StateProof,
  StateView,
  StoredEvidence,
  SyncProgress,
  TransactionLocation,
  UnwoundBlock,
  ValidatorReads,
} from "./backend.ts";
export type { Json } from "./json.ts";
export { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
export type { Method } from "./method.ts";
export { createMethods } from "./methods.ts";
export { describeMethods, type MethodDescription } from "./schema.ts";
export {
  createRpcServer,
  type RpcLog,
  type RpcServer,
  type RpcServerOptions,
  RpcStartError,
} from "./server.ts";
export { DEFAULT_CLIENT_VERSION } from "./services.ts";
