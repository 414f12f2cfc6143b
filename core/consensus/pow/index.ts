export { type AsertSchedule, asertTarget } from "./asert.ts";
export { checkHeader, genesisPoint, nextTarget, pointAfter } from "./chain-point.ts";
export {
  decodePowHeader,
  encodePowHeader,
  hasWork,
  headerBytes,
  headerId,
  NONCE_BYTES,
  payloadHash,
  workOfTarget,
} from "./header.ts";
export {
  decodePowBlock,
  decodePowMessage,
  encodePowBlock,
  encodePowMessage,
} from "./message-codec.ts";
export type { PowState } from "./state.ts";
export { type PowStep, startPow, stepPow } from "./step.ts";
export {
  type BlockRef,
  type ChainPoint,
  type HaltReason,
  MAX_HEADERS_PER_MESSAGE,
  MAX_LOCATOR_ENTRIES,
  MEDIAN_TIME_BLOCKS,
  type Mine,
  type PeerId,
  type PowBlock,
  type PowConfig,
  type PowDomain,
  type PowEffect,
  type PowFaultCode,
  type PowHeader,
  type PowInput,
  type PowMessage,
  type PowMessageKind,
  type RecoveredChain,
  type WorkHash,
} from "./types.ts";
