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
  /** What a keystore keeps, in bytes: a scalar, or the seed that the standard's key generation begins with. */
  readonly secretKeyLength: number;
  readonly publicKeyLength: number;
  /** Exact, or the most where `hasFixedSignatureLength` is false. */
  readonly signatureLength: number;
  readonly hasFixedSignatureLength: boolean;
  /** Whether its standard gives a signature a context (FIPS 204, 205: 0 to 255 bytes). */
  readonly takesContext: boolean;
  /** Whether signatures of many signers on one message join into one of the same length. */
  readonly aggregates: boolean;
  /** Whether it is believed to withstand quantum computers. */
  readonly isPostQuantum: boolean;
  /** Its standard is not final: outputs may have to change. */
  readonly isExperimental: boolean;
};

export const HASH_KECCAK256 = 1;
export const HASH_SHA256 = 2;
export const HASH_SM3 = 3;

export const SCHEME_BLS12381 = 1;
export const SCHEME_SECP256K1 = 2;
export const SCHEME_P256 = 3;
export const SCHEME_ED25519 = 4;
export const SCHEME_SM2 = 5;
export const SCHEME_ML_DSA_44 = 6;
export const SCHEME_ML_DSA_65 = 7;
export const SCHEME_ML_DSA_87 = 8;
export const SCHEME_SLH_DSA_SHA2_128S = 9;
export const SCHEME_FALCON_512 = 10;
export const SCHEME_WEBAUTHN_P256 = 11;

export const HASH_SCHEMES: readonly HashScheme[] = [
  { id: HASH_KECCAK256, name: "keccak-256", multicodec: 0x1b },
  { id: HASH_SHA256, name: "sha2-256", multicodec: 0x12 },
  { id: HASH_SM3, name: "sm3-256", multicodec: 0x534d },
];

/** Codes for private use begin here. */
const PRIVATE_MULTICODEC = 0x300000;

export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = [
  {
    id: SCHEME_BLS12381,
    name: "bls12_381-g1-pop",
    multicodec: 0xea,
    ...lengths(32, 48, 96),
    aggregates: true,
  },
  // Signatures are r || s || yParity: recovery is the fastest check there is of this scheme.
  { id: SCHEME_SECP256K1, name: "secp256k1", multicodec: 0xe7, ...lengths(32, 64, 65) },
  // r || s with a low s, over SHA-256 of the message; public keys are x || y.
  { id: SCHEME_P256, name: "p-256", multicodec: 0x1200, ...lengths(32, 64, 64) },
  { id: SCHEME_ED25519, name: "ed25519", multicodec: 0xed, ...lengths(32, 32, 64) },
  // r || s over SM3(ZA || message), ZA of the identifier 1234567812345678; public keys are x || y.
  { id: SCHEME_SM2, name: "sm2", multicodec: 0x1206, ...lengths(32, 64, 64) },
  { id: SCHEME_ML_DSA_44, name: "ml-dsa-44", multicodec: 0x1210, ...postQuantum(32, 1312, 2420) },
  { id: SCHEME_ML_DSA_65, name: "ml-dsa-65", multicodec: 0x1211, ...postQuantum(32, 1952, 3309) },
  { id: SCHEME_ML_DSA_87, name: "ml-dsa-87", multicodec: 0x1212, ...postQuantum(32, 2592, 4627) },
  {
    id: SCHEME_SLH_DSA_SHA2_128S,
    name: "slh-dsa-sha2-128s",
    multicodec: 0x1220,
    ...postQuantum(48, 32, 7856),
  },
  {
    id: SCHEME_FALCON_512,
    name: "falcon-512",
    multicodec: PRIVATE_MULTICODEC + SCHEME_FALCON_512,
    ...postQuantum(48, 897, 666),
    takesContext: false,
    isExperimental: true,
  },
  // Public keys are x || y || SHA-256 of the relying party's id; signatures are whole assertions, of any length up to this one.
  {
    id: SCHEME_WEBAUTHN_P256,
    name: "webauthn-p256",
    multicodec: PRIVATE_MULTICODEC + SCHEME_WEBAUTHN_P256,
    ...lengths(32, 96, 1024),
    hasFixedSignatureLength: false,
  },
];

type Lengths = Omit<SignatureScheme, "id" | "name" | "multicodec">;

function lengths(secretKeyLength: number, publicKeyLength: number, signatureLength: number): Lengths {
  return {
    secretKeyLength,
    publicKeyLength,
    signatureLength,
    hasFixedSignatureLength: true,
    takesContext: false,
    aggregates: false,
    isPostQuantum: false,
    isExperimental: false,
  };
}

function postQuantum(secretKeyLength: number, publicKeyLength: number, signatureLength: number): Lengths {
  return {
    ...lengths(secretKeyLength, publicKeyLength, signatureLength),
    takesContext: true,
    isPostQuantum: true,
  };
}

/** @returns undefined for an id that this version does not know. */
export function hashScheme(id: number): HashScheme | undefined {
  return HASH_SCHEMES.find((scheme) => scheme.id === id);
}

/** Whether signatures of a scheme can be so long. */
export function isSignatureLength(
  { hasFixedSignatureLength, signatureLength }: SignatureScheme,
  length: number,
): boolean {
  return hasFixedSignatureLength ? length === signatureLength : length <= signatureLength;
}

/** @returns undefined for an id that this version does not know. */
export function signatureScheme(id: number): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.id === id);
}

/** @returns undefined for a name that this version does not know. */
export function signatureSchemeByName(name: string): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => scheme.name === name);
}
