import { x25519 } from "@noble/curves/ed25519.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { assert, type Bytes, bytesToBigint } from "@ostrom/base";
import { sm2PublicKey } from "./noble-sm2.ts";
import { assertSm2SecretKey } from "./secret-keys.ts";
import { readSm2Point, writeSm2Point } from "./sm2-curve.ts";

export const X25519_KEY_LENGTH = 32;
/** The seed d || z of FIPS 203, 7.1. */
export const ML_KEM_768_SECRET_KEY_LENGTH = 64;
export const ML_KEM_768_PUBLIC_KEY_LENGTH = 1184;
export const ML_KEM_768_CIPHERTEXT_LENGTH = 1088;
const RANDOMNESS_LENGTH = 32;

/** How two parties come to a secret. Each engine answers alike. Secret keys and randomness of another length are the caller's bug and throw
 * InvariantError; whatever else does not fit gives undefined. */
export type KeyAgreementEngine = {
  readonly name: string;
  /** RFC 7748. @param secretKey 32 bytes, of any value. @returns 32 bytes. */
  readonly x25519PublicKey: (secretKey: Bytes) => Bytes;
  /** @returns 32 bytes; undefined if the result is zero, as with a public key of small order. */
  readonly x25519: (secretKey: Bytes, publicKey: Bytes) => Bytes | undefined;
  /** @returns x || y, 64 bytes. */
  readonly sm2PublicKey: (secretKey: Bytes) => Bytes;
  /** The multiple of a public key: what SM2's encryption and an exchange of ephemeral keys begin with.
   * @returns x || y, 64 bytes; undefined if the key is no point of the curve. */
  readonly sm2SharedPoint: (secretKey: Bytes, publicKey: Bytes) => Bytes | undefined;
  /** FIPS 203. @param secretKey the seed d || z, 64 bytes. @returns 1184 bytes. */
  readonly mlKem768PublicKey: (secretKey: Bytes) => Bytes;
  /** @param randomness 32 bytes, fresh: it determines the shared secret.
   * @returns undefined for a public key of another length or with a coefficient out of range (FIPS 203, 7.2). */
  readonly mlKem768Encapsulate: (
    publicKey: Bytes,
    randomness: Bytes,
  ) => { readonly ciphertext: Bytes; readonly sharedSecret: Bytes } | undefined;
  /** A ciphertext that was made for another key gives a secret that nobody else has: implicit rejection.
   * @returns 32 bytes; undefined for a ciphertext of another length. */
  readonly mlKem768Decapsulate: (secretKey: Bytes, ciphertext: Bytes) => Bytes | undefined;
};

/** Portable and slow: what every other engine is compared with. */
export const REFERENCE_KEY_AGREEMENT: KeyAgreementEngine = guardKeyAgreement({
  name: "noble",
  x25519PublicKey: (secretKey) => x25519.getPublicKey(secretKey),
  x25519: (secretKey, publicKey) => x25519.getSharedSecret(secretKey, publicKey),
  sm2PublicKey,
  sm2SharedPoint: (secretKey, publicKey) => {
    const point = readSm2Point(publicKey);
    return point && writeSm2Point(point.multiply(bytesToBigint(secretKey)));
  },
  mlKem768PublicKey: (secretKey) => ml_kem768.keygen(secretKey).publicKey,
  mlKem768Encapsulate: (publicKey, randomness) => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, randomness);
    return { ciphertext: cipherText, sharedSecret };
  },
  mlKem768Decapsulate: (secretKey, ciphertext) =>
    ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(secretKey).secretKey),
});

let engine: KeyAgreementEngine = REFERENCE_KEY_AGREEMENT;

/** Puts a faster implementation into the slot, once, when a process or worker starts. */
export function installKeyAgreement(replacement: KeyAgreementEngine): void {
  engine = replacement;
}

/** The slot's engine. */
export function keyAgreement(): KeyAgreementEngine {
  return engine;
}

/** Puts the rules that all engines share before one.
 * @param engine may throw on what it cannot read. */
export function guardKeyAgreement(guarded: KeyAgreementEngine): KeyAgreementEngine {
  return {
    name: guarded.name,
    x25519PublicKey: (secretKey) => {
      checkLength(secretKey, X25519_KEY_LENGTH);
      return guarded.x25519PublicKey(secretKey);
    },
    x25519: (secretKey, publicKey) => {
      checkLength(secretKey, X25519_KEY_LENGTH);
      if (publicKey.length !== X25519_KEY_LENGTH) return undefined;
      const shared = orUndefined(() => guarded.x25519(secretKey, publicKey));
      return shared?.every((byte) => byte === 0) ? undefined : shared;
    },
    sm2PublicKey: (secretKey) => {
      assertSm2SecretKey(secretKey);
      return guarded.sm2PublicKey(secretKey);
    },
    sm2SharedPoint: (secretKey, publicKey) => {
      assertSm2SecretKey(secretKey);
      return orUndefined(() => guarded.sm2SharedPoint(secretKey, publicKey));
    },
    mlKem768PublicKey: (secretKey) => {
      checkLength(secretKey, ML_KEM_768_SECRET_KEY_LENGTH);
      return guarded.mlKem768PublicKey(secretKey);
    },
    mlKem768Encapsulate: (publicKey, randomness) => {
      checkLength(randomness, RANDOMNESS_LENGTH);
      if (publicKey.length !== ML_KEM_768_PUBLIC_KEY_LENGTH) return undefined;
      return orUndefined(() => guarded.mlKem768Encapsulate(publicKey, randomness));
    },
    mlKem768Decapsulate: (secretKey, ciphertext) => {
      checkLength(secretKey, ML_KEM_768_SECRET_KEY_LENGTH);
      if (ciphertext.length !== ML_KEM_768_CIPHERTEXT_LENGTH) return undefined;
      return orUndefined(() => guarded.mlKem768Decapsulate(secretKey, ciphertext));
    },
  };
}

function checkLength(bytes: Bytes, length: number): void {
  assert(bytes.length === length, "a secret key or randomness must have its length");
}

function orUndefined<T>(compute: () => T | undefined): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
