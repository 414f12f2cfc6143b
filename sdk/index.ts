export type { CertifiedHeader } from "./certified-header.ts";
export type { LightChain } from "./chain.ts";
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
export type { LightErrorCode, LightFailure, LightResult } from "./failure.ts";
export {
  type FilteredAnswer,
  type FilteredBlock,
  type FilteredTransaction,
  verifyFilteredBlocks,
} from "./filtered-blocks.ts";
export type { Disagreement } from "./follower.ts";
export {
  type At,
  createLightClient,
  DEFAULT_TRUSTING_PERIOD_MS,
  type LightClient,
  type LightClientOptions,
} from "./light-client.ts";
export type { LocalCall } from "./local-call.ts";
export type { LightStorage } from "./persistence.ts";
export { ProviderError } from "./provider-error.ts";
export type {
  LogCriteria,
  ProvedBody,
  ProvedLog,
  ProvedOutcome,
  ProvedTransaction,
} from "./reads.ts";
export { type HttpServerOptions, httpServer, type LightServer, type RpcCall } from "./server.ts";
export type { ProvedAccount, ProvedReceipt } from "./state-proof.ts";
export type { Equivocation } from "./trust.ts";
export type { VerifiedHeader } from "./verified-headers.ts";
export {
  createVerifiedProvider,
  PROVED_METHODS,
  type Unproved,
  type VerifiedProvider,
  type VerifiedProviderOptions,
} from "./verified-provider.ts";
export { verifiedTransport } from "./verified-transport.ts";
