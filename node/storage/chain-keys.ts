import { type Bytes, concatBytes, type Hash, uint64ToBytes } from "@ostrom/base";

/** How the chain lies in the key-value store. The first byte of a key names its table; state (core/state) has other first
 * bytes in the same store, so that one batch carries a whole block. Heights have 8 bytes, big-endian: keys sort as blocks
 * do. The values are in chain-records.ts. */
export const CHAIN_TABLES: {
  readonly meta: 0x4d;
  readonly head: 0x48;
  readonly certifiedHead: 0x43;
  readonly header: 0x68;
  readonly body: 0x62;
  readonly receipts: 0x72;
  readonly numberOfHash: 0x6e;
  readonly transactionLocation: 0x6c;
  readonly ordered: 0x6f;
  readonly mined: 0x70;
  readonly stateCertificate: 0x65;
  readonly skipped: 0x64;
  readonly skippedAtHeight: 0x6b;
  readonly validatorSet: 0x76;
  readonly sealProof: 0x66;
  readonly evidence: 0x77;
  readonly evidenceEpochs: 0x57;
  readonly batch: 0x42;
  readonly attestedBatch: 0x71;
  readonly ownBatches: 0x51;
  readonly batchExpiry: 0x78;
  readonly batchCursors: 0x4b;
  readonly orderedBatch: 0x4f;
  readonly checkpointSet: 0x67;
  readonly checkpoint: 0x47;
  readonly newestCheckpoint: 0x4e;
  readonly checkpointEvidence: 0x6a;
  readonly floor: 0x46;
  readonly logIndex: 0x69;
  readonly logIndexStart: 0x49;
} = {
  /** "M" -> which chain, which formats. */
  meta: 0x4d,
  /** "H" -> the newest executed block. */
  head: 0x48,
  /** "C" -> the height of the newest state certificate. */
  certifiedHead: 0x43,
  /** "h", height -> the executed header, its hash, and what ordered it. */
  header: 0x68,
  /** "b", height -> transactions and their senders. */
  body: 0x62,
  /** "r", height -> receipts. */
  receipts: 0x72,
  /** "n", block hash -> height. */
  numberOfHash: 0x6e,
  /** "l", transaction hash -> height and index. */
  transactionLocation: 0x6c,
  /** "o", height -> the ordered block and the certificate that finalized it. */
  ordered: 0x6f,
  /** "p", height -> of a mined block: its header and its place in the chain. */
  mined: 0x70,
  /** "e", height -> the state certificate. */
  stateCertificate: 0x65,
  /** "d", transaction hash -> why it was skipped, and at which height. */
  skipped: 0x64,
  /** "k", height -> hashes of the transactions skipped there, so that they can be forgotten. */
  skippedAtHeight: 0x6b,
  /** "v", epoch -> its validators. */
  validatorSet: 0x76,
  /** "f", epoch -> what shows that its last block is final. */
  sealProof: 0x66,
  /** "w", epoch -> evidence against its validators. */
  evidence: 0x77,
  /** "W" -> the epochs that there is evidence of, ascending. */
  evidenceEpochs: 0x57,
  /** "B", digest -> an encoded batch of transactions. */
  batch: 0x42,
  /** "q", epoch, author, sequence number -> digest of the batch that this node has attested to, and its expiry height. */
  attestedBatch: 0x71,
  /** "Q" -> the epoch and the sequence number of this node's own newest batch. */
  ownBatches: 0x51,
  /** "x", expiry height, digest -> key of the attested batch: when the height is past, it is forgotten unless a block has it. */
  batchExpiry: 0x78,
  /** "K" -> the cursors of batches after the head. */
  batchCursors: 0x4b,
  /** "O", digest of a batch -> the newest executed block that refers to it. */
  orderedBatch: 0x4f,
  /** "g", epoch -> by which keys its validators certify checkpoints. */
  checkpointSet: 0x67,
  /** "G", epoch -> the certificate of its checkpoint. */
  checkpoint: 0x47,
  /** "N" -> the newest epoch that has one. */
  newestCheckpoint: 0x4e,
  /** "j", epoch -> statements of one key about it that contradict each other. */
  checkpointEvidence: 0x6a,
  /** "F" -> from which heights on headers and bodies are kept. */
  floor: 0x46,
  /** "i", position, address or topic, height -> nothing: the block has such a log. */
  logIndex: 0x69,
  /** "I" -> from which height on logs are in the index. */
  logIndexStart: 0x49,
};

export function chainKey(table: number): Bytes {
  return Uint8Array.of(table);
}

export function heightKey(table: number, height: number): Bytes {
  return concatBytes(Uint8Array.of(table), uint64ToBytes(height));
}

export function hashKey(table: number, hash: Hash): Bytes {
  const key = new Uint8Array(1 + hash.length);
  key[0] = table;
  key.set(hash, 1);
  return key;
}
