export {
  type CheckpointErrorCode,
  type CheckpointTrust,
  checkpointKeyHash,
  extendCheckpointTrust,
  formCheckpointCertificate,
  isCheckpointKey,
  isSameStatement,
  placesOfKeys,
  verifyCheckpointCertificate,
  verifyCheckpointEvidence,
  verifyCheckpointVote,
} from "./checkpoint-certificate.ts";
export {
  checkpointSigningBytes,
  decodeCheckpointCertificate,
  decodeCheckpointEvidence,
  encodeCheckpointCertificate,
  encodeCheckpointEvidence,
} from "./checkpoint-codec.ts";
export {
  canCertify,
  checkpointQuorum,
  checkpointSetHash,
  decodeCheckpointSet,
  encodeCheckpointSet,
  keyedWeight,
} from "./checkpoint-set.ts";
export type {
  CheckpointCertificate,
  CheckpointEvidence,
  CheckpointMember,
  CheckpointSet,
  CheckpointSignature,
  CheckpointStatement,
  CheckpointVote,
  CheckpointVotes,
} from "./types.ts";
