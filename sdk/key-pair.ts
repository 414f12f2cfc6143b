import { type Bytes, type Failure, fail, must, ok, type Result } from "@ostrom/base";
import {
  isP256SecretKey,
  isSecp256k1SecretKey,
  isSm2SecretKey,
  SCHEME_BLS12381,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  SIGNATURE_SCHEMES,
  signatureEngine,
  signatureSchemeByName,
  X_WING_PUBLIC_KEY_LENGTH,
  X_WING_SECRET_KEY_LENGTH,
  xWingPublicKey,
} from "@ostrom/crypto";

/** A key as keystores, PEM files and commands name it. */
export type KeyPair = {
  /** A signature scheme's name in core/crypto, or X_WING. */
  readonly scheme: string;
  /** A scalar or a seed. */
  readonly secretKey: Bytes;
  readonly publicKey: Bytes;
};

export type PublicKey = Omit<KeyPair, "secretKey">;

export type KeyErrorCode =
  | "key/malformed"
  | "key/unsupported"
  | "key/mismatch"
  | "key/too-costly"
  | "key/wrong-passphrase";

export type KeyFailure = Failure<KeyErrorCode>;

/** The hybrid of X25519 and ML-KEM-768 (draft-connolly-cfrg-xwing-kem): for encryption to recipients, it signs nothing. */
export const X_WING = "x-wing";

/** Where fresh secrets come from: so many random bytes, from the machine. */
export type Entropy = (length: number) => Bytes;

const X_WING_LENGTHS = {
  secretKeyLength: X_WING_SECRET_KEY_LENGTH,
  publicKeyLength: X_WING_PUBLIC_KEY_LENGTH,
} as const;

/** Keys that lie elsewhere: validators' in their node's folder, passkeys in their device. */
const KEPT_ELSEWHERE: readonly number[] = [SCHEME_BLS12381, SCHEME_WEBAUTHN_P256];

/** Names of all keys that can be created and kept. */
export const KEY_SCHEMES: readonly string[] = [
  ...SIGNATURE_SCHEMES.filter(({ id }) => !KEPT_ELSEWHERE.includes(id)).map(({ name }) => name),
  X_WING,
];

/** Names of the keys that can be encrypted to. */
export const ENCRYPTION_SCHEMES: readonly string[] = ["sm2", X_WING];

/** @returns undefined for a name that is none of KEY_SCHEMES. */
export function keyLengths(
  scheme: string,
): { readonly secretKeyLength: number; readonly publicKeyLength: number } | undefined {
  if (!KEY_SCHEMES.includes(scheme)) return undefined;
  return scheme === X_WING ? X_WING_LENGTHS : signatureSchemeByName(scheme);
}

/** A key pair from its secret, which is copied. Errors: `key/unsupported`, `key/malformed`. */
export function keyPairOf(scheme: string, secretKey: Bytes): Result<KeyPair, KeyFailure> {
  const lengths = keyLengths(scheme);
  if (lengths === undefined)
    return fail("key/unsupported", `"${scheme}" is none of ${KEY_SCHEMES.join(", ")}`);
  if (secretKey.length !== lengths.secretKeyLength || !isInRange(scheme, secretKey))
    return fail("key/malformed", `this is no secret key of ${scheme}`);
  const copy = secretKey.slice();
  return ok({ scheme, secretKey: copy, publicKey: publicKeyOf(scheme, copy) });
}

/** A fresh key pair. Errors: `key/unsupported`. */
export function createKeyPair(scheme: string, entropy: Entropy): Result<KeyPair, KeyFailure> {
  const lengths = keyLengths(scheme);
  if (lengths === undefined)
    return fail("key/unsupported", `"${scheme}" is none of ${KEY_SCHEMES.join(", ")}`);
  // Out of range once in 2^32 draws at most.
  for (;;) {
    const secretKey = entropy(lengths.secretKeyLength);
    const made = keyPairOf(scheme, secretKey);
    wipe(secretKey);
    if (made.ok) return made;
  }
}

/** Zeroes secrets that are needed no more, as far as JavaScript allows: what an engine or the garbage collector has copied meanwhile it cannot
 * reach, nor texts and bigints. */
export function wipe(...secrets: readonly (Bytes | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

/** Randomness of the platform: Node and browsers alike. */
export const platformEntropy: Entropy = (length) => {
  const bytes = new Uint8Array(length);
  globalThis.crypto.getRandomValues(bytes);
  return bytes;
};

function isInRange(scheme: string, secretKey: Bytes): boolean {
  switch (signatureSchemeByName(scheme)?.id) {
    case SCHEME_SECP256K1:
      return isSecp256k1SecretKey(secretKey);
    case SCHEME_P256:
      return isP256SecretKey(secretKey);
    case SCHEME_SM2:
      return isSm2SecretKey(secretKey);
    default:
      return true;
  }
}

function publicKeyOf(scheme: string, secretKey: Bytes): Bytes {
  if (scheme === X_WING) return xWingPublicKey(secretKey);
  const { id } = must(signatureSchemeByName(scheme), "a key's scheme is known");
  return must(signatureEngine(id), `there must be an engine of ${scheme}`).publicKey(secretKey).slice();
}
