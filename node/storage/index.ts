export {
  adoptBodyOperations,
  adoptHeaderOperations,
  adoptHeadOperation,
  adoptLogIndexOperation,
  adoptOrderedOperation,
} from "./adopted-chain.ts";
export { type BackupEntry, decodeSegment as decodeBackupSegment, SegmentWriter } from "./backup-segment.ts";
export {
  batchCursorsOperation,
  batchOperations,
  expiredBatchOperations,
  orderedBatchOperations,
  ownSequenceOperation,
  readBatch,
  readBatchCursors,
  readBatchDigest,
  readOwnSequence,
  type StoredBatch,
} from "./batch-records.ts";
export {
  type BatchesOfBlock,
  type ChainFloor,
  floorOperation,
  MIN_KEPT_BLOCKS,
  pruneOperations,
  readFloor,
} from "./chain-floor.ts";
export { CHAIN_TABLES } from "./chain-keys.ts";
export type {
  BlockOrigin,
  ChainHead,
  ChainMeta,
  OrderedRecord,
  StoredHeader,
  StoredSkip,
  TransactionLocation,
} from "./chain-records.ts";
export {
  type BlockToStore,
  blockOperations,
  CHECKED_BLOCKS,
  checkChain,
  finalizedHeightOperations,
  metaOperation,
  readBlockNumber,
  readBody,
  readCertifiedHeight,
  readHead,
  readHeader,
  readMeta,
  readMined,
  readOrdered,
  readReceipts,
  readSkipped,
  readStateCertificate,
  readTransaction,
  readTransactionLocation,
  SKIP_HISTORY_BLOCKS,
  stateCertificateOperations,
  unwindOperations,
} from "./chain-store.ts";
export {
  checkpointEvidenceOperations,
  checkpointOperations,
  checkpointSetOperation,
  readCheckpoint,
  readCheckpointEvidence,
  readCheckpointSet,
  readNewestCheckpoint,
} from "./checkpoint-records.ts";
export {
  type DataDirectory,
  openDataDirectory,
  readSecretFile,
  replaceSecretFile,
  writeSecretFile,
} from "./data-directory.ts";
export { createDisk, type Disk, type DiskFile, makeFolder, syncPath } from "./disk.ts";
export {
  decodeForeignSet,
  type EvidenceKind,
  evidenceOperations,
  readEvidenceFrom,
  readSealProof,
  readStoredSetBytes,
  readStoredValidatorSet,
  type StoredEvidence,
  type StoredValidatorSet,
  sealProofOperation,
  validatorSetOperation,
} from "./epoch-records.ts";
export { StorageError, type StorageErrorCode } from "./errors.ts";
export { createFaultyDisk, type DiskFaults, type FaultyDisk } from "./faulty-disk.ts";
export { createFaultyStore, type FaultyStore, type StoreFaults } from "./faulty-store.ts";
export { type FolderLock, lockFolder } from "./folder-lock.ts";
export {
  DEFAULT_CACHE_BYTES,
  type LevelStore,
  type LevelStoreOptions,
  openLevelStore,
} from "./level-store.ts";
export {
  isLogIndexed,
  type LogTerm,
  readLogHeights,
  readLogIndexStart,
} from "./log-index.ts";
export { createMemoryStore } from "./memory-store.ts";
export type { KeyRange, Store, StoreSnapshot, StoreView } from "./types.ts";
export { MAX_RECORD_BYTES } from "./write-ahead-frame.ts";
export { type OpenedLog, openWriteAheadLog, type WriteAheadLog } from "./write-ahead-log.ts";
