export { checksumAddress, quantity } from "@ostrom/rpc-schema";
export type { AccessSettings, AuthenticationKind } from "./access-control.ts";
export { ACCOUNT_ROLES, type AccessReads, type AccountRole, type ObserverFilter } from "./access-roles.ts";
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
  LogIndexReads,
  LogTerm,
  MiningReport,
  NextBlock,
  OperatorCall,
  Participation,
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
export { type BlockParameter, LATEST } from "./block-parameter.ts";
export { type Decoder, objectOf, optionalField, ValueError } from "./decode.ts";
export { blockOverride, callRequest, stateOverrides } from "./decode-call.ts";
export type { Json } from "./json.ts";
export type { CheckpointReads, EpochCheckpoint, LightReads, StoredCertificate } from "./light-reads.ts";
export { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
export {
  bindParameters,
  type DecodedParameters,
  type Method,
  optional,
  type Parameter,
  type RequestContext,
  required,
} from "./method.ts";
export { createMethods } from "./methods.ts";
export { observeRpc, type RpcObserver } from "./metrics-observer.ts";
export type { NodeAbout, NodeReads, PeerReport } from "./node-reads.ts";
export { parameterTypes } from "./parameter-types.ts";
export { revertReason } from "./revert-reason.ts";
export { executionReverted, invalidParams, RPC_ERROR, RpcError, serverError } from "./rpc-error.ts";
export { describeMethods, type MethodDescription } from "./schema.ts";
export {
  createRpcServer,
  type RpcLog,
  type RpcServer,
  type RpcServerOptions,
  RpcStartError,
  type RpcTls,
} from "./server.ts";
export { DEFAULT_CLIENT_VERSION, isLoopback } from "./services.ts";
export {
  createAccountToken,
  createSecretToken,
  DEFAULT_TOKEN_SECONDS,
  MAX_TOKEN_SECONDS,
  OPERATOR_SECRET_BYTES,
} from "./token.ts";
export type { TracedChain, TraceFailure, TracePort, TraceQuery, TraceRequest } from "./trace-port.ts";
export { runTrace } from "./trace-run.ts";
export type {
  BlockRecord,
  RecordedCertificate,
  RecordedVote,
  SimplexViewRecord,
  ViewReads,
  ViewRecord,
  ViewSteps,
} from "./view-records.ts";
