/** A hash function as headers, tries and digests name it. */
export type HashScheme = {
  /** One byte; permanent, because it is hashed and signed. */
  readonly id: number;
  readonly name: string;
  /** Code in the multicodec table (github.com/multiformats/multicodec, table.csv). */
  readonly multicodec: number;
};

/** A signature scheme as accounts, validator sets and certificates name it. */
export type SignatureScheme = {
  /** One byte; permanent, because it is hashed and signed. */
  readonly id: number;
  readonly name: string;
  /** Code of its public keys in the multicodec table. */
  readonly multicodec: number;
  readonly publicKeyLength: number;
  readonly signatureLength: number;
  /** Whether signatures of many signers on one message join into one of the same length. */
  readonly aggregates: boolean;
};

export const HASH_KECCAK256 = 1;
export const HASH_SHA256 = 2;

export const SCHEME_BLS12381 = 1;
export const SCHEME_SECP256K1 = 2;

export const HASH_SCHEMES: readonly HashScheme[] = [
  { id: HASH_KECCAK256, name: "keccak-256", multicodec: 0x1b },
  { id: HASH_SHA256, name: "sha2-256", multicodec: 0x12 },
];

export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  {
    id: SCHEME_BLS12381,
    name: "bls12_381-g1-pop",
    multicodec: 0xea,
    publicKeyLength: 48,
    signatureLength: 96,
    aggregates: true,
  },
  {
    id: SCHEME_SECP256K1,
    name: "secp256k1",
    multicodec: 0xe7,
    publicKeyLength: 64,
    signatureLength: 64,
    aggregates: false,
  },
];

/** @returns undefined for an id that this version does not know. */
export function hashScheme(id: number): HashScheme | undefined {
  return HASH_SCHEMES.find((scheme) => scheme.id === id);
}

/** @returns undefined for an id that this version does not know. */
export function signatureScheme(id: number): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.id === id);
}
