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
};

export function chainKey(table: number): Bytes {
  return Uint8Array.of(table);
}

export function heightKey(table: number, height: number): Bytes {
  return concatBytes(Uint8Array.of(table), uint64ToBytes(height));
}

export function hashKey(table: number, hash: Hash): Bytes {
  return concatBytes(Uint8Array.of(table), hash);
}
