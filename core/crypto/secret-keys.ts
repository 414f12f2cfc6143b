import { assert, type Bytes, bytesToBigint } from "@ostrom/base";

export const SECRET_KEY_LENGTH = 32;

/** Order of secp256k1's group (SEC 2, 2.4.1). */
export const SECP256K1_ORDER: bigint = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** Order r of the subgroups of BLS12-381 (draft-irtf-cfrg-pairing-friendly-curves-11, 4.2.1). */
export const BLS_ORDER: bigint = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

/** Order of P-256's group (SP 800-186, 3.2.1.3). */
export const P256_ORDER: bigint = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Order of SM2's group (GB/T 32918.5-2017). */
export const SM2_ORDER: bigint = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

/** Whether bytes are a secp256k1 secret key: 32 bytes, big-endian, in [1, n). */
export function isSecp256k1SecretKey(bytes: Bytes): boolean {
  return isScalar(bytes, SECP256K1_ORDER);
}

/** Whether bytes are a BLS12-381 secret key: 32 bytes, big-endian, in [1, r). */
export function isBlsSecretKey(bytes: Bytes): boolean {
  return isScalar(bytes, BLS_ORDER);
}

/** Whether bytes are a P-256 secret key: 32 bytes, big-endian, in [1, n). */
export function isP256SecretKey(bytes: Bytes): boolean {
  return isScalar(bytes, P256_ORDER);
}

/** Whether bytes are an SM2 secret key: 32 bytes, big-endian, in [1, n - 1): 1 + the key is inverted in signing. */
export function isSm2SecretKey(bytes: Bytes): boolean {
  return isScalar(bytes, SM2_ORDER - 1n);
}

/** What every secp256k1 engine demands before it touches a secret key. */
export function assertSecp256k1SecretKey(bytes: Bytes): void {
  assert(isSecp256k1SecretKey(bytes), "a secp256k1 secret key must be 32 bytes in [1, n)");
}

/** What every BLS engine demands before it touches a secret key. */
export function assertBlsSecretKey(bytes: Bytes): void {
  assert(isBlsSecretKey(bytes), "a BLS secret key must be 32 bytes in [1, r)");
}

/** What every P-256 engine demands before it touches a secret key. */
export function assertP256SecretKey(bytes: Bytes): void {
  assert(isP256SecretKey(bytes), "a P-256 secret key must be 32 bytes in [1, n)");
}

/** What every SM2 engine demands before it touches a secret key. */
export function assertSm2SecretKey(bytes: Bytes): void {
  assert(isSm2SecretKey(bytes), "an SM2 secret key must be 32 bytes in [1, n - 1)");
}

function isScalar(bytes: Bytes, order: bigint): boolean {
  if (bytes.length !== SECRET_KEY_LENGTH) return false;
  const value = bytesToBigint(bytes);
  return value > 0n && value < order;
}
