import type { Bytes } from "@ostrom/base";

/** What light clients ask of a chain whose validators certify its state. Database reads, as those of the chain. */
export type LightReads = {
  /** Canonical JSON text of genesis without what its state root covers (accounts, validators, modules): `extraData` is the hash of it,
   * by the hash function that it names. */
  readonly genesisParameters: string;
  readonly newestCertificate: () => StoredCertificate | undefined;
  /** The lowest one kept at or shortly above a height; undefined if there is none yet. */
  readonly certificateFrom: (height: number) => StoredCertificate | undefined;
  /** One by the set of an epoch that names the set of the next; undefined while it is not certified. Kept for good. */
  readonly epochStep: (epoch: number) => StoredCertificate | undefined;
  /** undefined: the chain has no epoch checkpoints. */
  readonly checkpoints?: CheckpointReads | undefined;
};

/** What a node has of epoch checkpoints; bytes as core/consensus encodes them. */
export type CheckpointReads = {
  readonly newest: () => number | undefined;
  /** undefined: nothing is known of such an epoch. */
  readonly of: (epoch: number) => EpochCheckpoint | undefined;
};

export type EpochCheckpoint = {
  /** `certified`; `pending`: the epoch has ended, and none for it or a later one is here; `missing`: a later one stands for it; `undecided`: the epoch
   * goes on. */
  readonly status: "certified" | "pending" | "missing" | "undecided";
  /** Of the epoch's last block, where it is certified. */
  readonly height: number | undefined;
  /** Who can certify it, and the next one's. */
  readonly set: Bytes | undefined;
  readonly nextSet: Bytes | undefined;
  readonly weightWithKeys: number;
  readonly weightNeeded: number;
  readonly certificate: Bytes | undefined;
  readonly evidence: readonly Bytes[];
};

/** As core/consensus encodes it. */
export type StoredCertificate = { readonly height: number; readonly bytes: Bytes };
