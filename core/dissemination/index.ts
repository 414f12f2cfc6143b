export {
  attestationSigningBytes,
  type BatchCertificateErrorCode,
  beginGathering,
  certifiedOf,
  designatedCheckers,
  type Gathering,
  gather,
  sameHeader,
  verifyAttestation,
  verifyCertifiedBatch,
} from "./attestation.ts";
export { type BatchErrorCode, decodeBatch, encodeBatch, isBatchOf } from "./batch-codec.ts";
export { advanceCursors, decodeCursors, encodeCursors, type ReferenceErrorCode } from "./cursors.ts";
export {
  accusedOf,
  type BatchEvidenceErrorCode,
  contradicts,
  decodeBatchEvidence,
  encodeBatchEvidence,
  firstFalseClaim,
  verifyBatchEvidence,
} from "./evidence.ts";
export { homeAuthor } from "./home-author.ts";
export {
  type BatchMessage,
  decodeBatchMessage,
  encodeBatchMessage,
  MAX_FETCHED_BATCHES,
} from "./messages.ts";
export {
  decodeOrderedPayload,
  encodeOrderedPayload,
  hasBatches,
  inlinePart,
  type OrderedPayloadErrorCode,
  referenceLength,
} from "./payload.ts";
export { type BatchRoom, selectBatches } from "./selection.ts";
export {
  type Attestation,
  BATCH_LIFETIME_BLOCKS,
  type Batch,
  type BatchAuthors,
  type BatchDomain,
  type BatchEvidence,
  type BatchHeader,
  type BatchPlace,
  type CertifiedBatch,
  type Cursors,
  MAX_BATCH_BYTES,
  MAX_BATCH_TRANSACTIONS,
  MAX_PAYLOAD_BATCHES,
  type OrderedPayload,
} from "./types.ts";
