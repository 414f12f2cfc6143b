export {
  decodeBlock,
  decodeStateCertificate,
  encodeBlock,
  encodeStateCertificate,
  orderDigest,
} from "./block.ts";
export {
  type CertificateErrorCode,
  verifyCertificate,
  verifyExecuted,
  verifyStateCertificate,
  verifyVote,
  voteOfCertificate,
} from "./certificates.ts";
export {
  type CertificationState,
  type CertificationStep,
  certifiedHeight,
  startCertification,
  stepCertification,
} from "./certification/collector.ts";
export type {
  CertificationConfig,
  CertificationEffect,
  CertificationFaultCode,
  CertificationInput,
} from "./certification/types.ts";
export * from "./checkpoints/index.ts";
export { isHeightOfEpoch } from "./epoch-heights.ts";
export {
  decodeEvidence,
  type EvidenceErrorCode,
  encodeEvidence,
  epochOfEvidence,
  placeOfEvidence,
  verifyEvidence,
  verifyEvidenceByKey,
} from "./evidence.ts";
export {
  INITIAL_INSTANT_STATE,
  type InstantStep,
  nextTimestamp,
  step as stepInstant,
} from "./instant/step.ts";
export type {
  BlockPlan,
  InstantEffect,
  InstantErrorCode,
  InstantInput,
  InstantState,
  MiningInterval,
} from "./instant/types.ts";
export { decodeLogRecord, encodeLogRecord } from "./log-codec.ts";
export { decodeMessage, encodeMessage, type MessageErrorCode } from "./message-codec.ts";
export { epochOfMessage } from "./message-epoch.ts";
export * from "./pow/index.ts";
export { decodeSealProof, encodeSealProof } from "./seal-proof.ts";
export {
  consensusDomain,
  domainOfScheme,
  domainOfSet,
  ethereumDomain,
  signaturesOf,
} from "./signatures.ts";
export {
  decodeCertificate,
  decodeSignedExecuted,
  encodeCertificate,
  encodeSignedExecuted,
} from "./signed-codec.ts";
export { executedSigningBytes, voteSigningBytes } from "./signing.ts";
export { leaderOf } from "./simplex/leader.ts";
export { genesisTip, isRecordLive } from "./simplex/recovery.ts";
export type { SimplexState } from "./simplex/state.ts";
export { recoverSimplex, type SimplexStep, stepSimplex } from "./simplex/step.ts";
export type {
  BuildPayload,
  CheckBlock,
  Effect,
  FaultCode,
  FinalizedTip,
  Input,
  LogRecord,
  SimplexConfig,
  TimerId,
} from "./simplex/types.ts";
export { type LinkedBlock, type SegmentErrorCode, type TrustedTip, verifyChainSegment } from "./sync.ts";
export {
  type Certificate,
  type CertificateKind,
  type ConsensusDomain,
  type Evidence,
  type Executed,
  type HashId,
  MAX_MESSAGE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_RANGE_BLOCKS,
  MAX_RANGE_BYTES,
  MAX_SEALING_BLOCKS,
  MAX_VALIDATORS,
  type Message,
  type MessageKind,
  type OrderedBlock,
  type SchemeId,
  type SealProof,
  type Signatures,
  type SignedExecuted,
  type SignedVote,
  type StateCertificate,
  type Validator,
  ValidatorIndex,
  type ValidatorSet,
  type Vote,
  type VoteKind,
} from "./types.ts";
export {
  checkValidatorSet,
  feeRecipientOf,
  quorumWeight,
  totalWeight,
  validatorSetHash,
} from "./validator-set.ts";
