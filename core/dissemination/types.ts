import type { Bytes, Hash } from "@ostrom/base";

/** Most transactions of one batch. */
export const MAX_BATCH_TRANSACTIONS = 1_024;
/** Most encoded bytes of one batch. */
export const MAX_BATCH_BYTES: number = 512 * 1024;
/** Most batches that one payload refers to. */
export const MAX_PAYLOAD_BATCHES = 256;
/** A batch may be ordered until so many blocks after the one that its author knew (rule D4). */
export const BATCH_LIFETIME_BLOCKS = 512;

/** The validators of one epoch, as batches need them. */
export type BatchAuthors = {
  readonly epoch: number;
  /** Transport keys, by index in the epoch's set. */
  readonly keys: readonly Bytes[];
  readonly weights: readonly number[];
  /** W - q + 1: attestations of this weight hold one of an honest validator. */
  readonly leastWeight: number;
};

/** What binds signed bytes to one chain, and the scheme of its transport keys. */
export type BatchDomain = {
  readonly genesisHash: Hash;
  readonly hash: (data: Bytes) => Hash;
  /** False for anything malformed. Never throws. */
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
};

/** Where a batch belongs. It stands in the batch itself, so that the same transactions elsewhere are another batch: a digest has one header. */
export type BatchPlace = {
  readonly epoch: number;
  /** Index in the set of that epoch. */
  readonly author: number;
  /** From 1, higher with each batch of an author in an epoch. */
  readonly sequence: number;
  /** The last block that may refer to it. */
  readonly expiryHeight: number;
};

/** What attestations are about, and all that a payload says of a batch. */
export type BatchHeader = BatchPlace & {
  /** Of the encoded batch. */
  readonly digest: Hash;
  readonly byteLength: number;
  readonly count: number;
  /** Sum of the gas limits of its transactions. */
  readonly gasLimit: bigint;
};

/** What an author sends: transactions, and who it says has signed them. */
export type Batch = {
  readonly place: BatchPlace;
  readonly transactions: readonly Bytes[];
  /** With `minority`: the sender of each, 20 bytes, one after another. Empty with `all`. */
  readonly claims: Bytes;
};

/** One validator's word that it holds the batch and, by the rules of the chain, that its transactions are what they claim. */
export type Attestation = {
  readonly header: BatchHeader;
  readonly signer: number;
  readonly signature: Bytes;
};

/** Attestations of weight >= `leastWeight`. */
export type CertifiedBatch = {
  readonly header: BatchHeader;
  /** Bitmap. */
  readonly signers: Bytes;
  /** In ascending order of the signers. */
  readonly signatures: readonly Bytes[];
};

/** What is ordered: transactions that stand in the payload, then those of batches, in the order given. */
export type OrderedPayload = {
  readonly inline: readonly Bytes[];
  readonly batches: readonly CertifiedBatch[];
};

/** The sequence number that each author's newest ordered batch of an epoch has; absent for none. */
export type Cursors = ReadonlyMap<number, number>;

/** What contradicts itself, beside the attestations that prove it. */
export type BatchEvidence =
  | { readonly kind: "two-batches"; readonly first: Attestation; readonly second: Attestation }
  | {
      readonly kind: "false-attestation";
      readonly attestation: Attestation;
      /** The encoded batch. */
      readonly batch: Bytes;
      /** Of the transaction that is not what the batch claims; 0 where the batch as a whole is not. */
      readonly index: number;
    };
