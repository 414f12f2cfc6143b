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
};

/** As core/consensus encodes it. */
export type StoredCertificate = { readonly height: number; readonly bytes: Bytes };
