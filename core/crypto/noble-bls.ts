import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { type Bytes, utf8 } from "@ostrom/base";
import { createDecodedKeyCache } from "./decoded-key-cache.ts";
import type { BlsEngine } from "./engine.ts";
import { assertBlsSecretKey } from "./secret-keys.ts";

/** Domain separation tag of messages: the proof-of-possession ciphersuite of draft-irtf-cfrg-bls-signature-05, 4.2.3. */
export const BLS_SIGNATURE_TAG = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
/** Domain separation tag of proofs of possession, so that no message signature passes for one. */
export const BLS_POSSESSION_TAG = "BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

const PUBLIC_KEY_LENGTH = 48;
const SIGNATURE_LENGTH = 96;
const MAX_CACHED_KEYS = 4096;

type PublicKeyPoint = WeierstrassPoint<bigint>;
type SignaturePoint = ReturnType<typeof scheme.hash>;

const scheme = bls12_381.longSignatures;
const SIGNATURE_TAG = utf8(BLS_SIGNATURE_TAG);
const POSSESSION_TAG = utf8(BLS_POSSESSION_TAG);

/** The reference engine of BLS12-381: portable, a twentieth of the native one's speed. */
export const nobleBls: BlsEngine = {
  name: "noble",
  publicKey,
  sign: (secretKey, message) => signUnder(SIGNATURE_TAG, secretKey, message),
  verify: (key, message, signature) => verifyUnder(SIGNATURE_TAG, [key], message, signature),
  aggregate,
  verifyAggregate: (keys, message, signature) => verifyUnder(SIGNATURE_TAG, keys, message, signature),
  provePossession: (secretKey) => signUnder(POSSESSION_TAG, secretKey, publicKey(secretKey)),
  verifyPossession: (key, proof) => verifyUnder(POSSESSION_TAG, [key], key, proof),
};

const decodePublicKey = createDecodedKeyCache(decodeUncachedPublicKey, MAX_CACHED_KEYS);

function decodeUncachedPublicKey(bytes: Bytes): PublicKeyPoint | undefined {
  if (bytes.length !== PUBLIC_KEY_LENGTH) return undefined;
  try {
    const point = bls12_381.G1.Point.fromBytes(bytes);
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

function decodeSignature(bytes: Bytes): SignaturePoint | undefined {
  if (bytes.length !== SIGNATURE_LENGTH) return undefined;
  try {
    const point = scheme.Signature.fromBytes(bytes);
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

function publicKey(secretKey: Bytes): Bytes {
  assertBlsSecretKey(secretKey);
  return scheme.getPublicKey(secretKey).toBytes(true);
}

function signUnder(tag: Bytes, secretKey: Bytes, message: Bytes): Bytes {
  assertBlsSecretKey(secretKey);
  return scheme.Signature.toBytes(scheme.sign(scheme.hash(message, tag), secretKey));
}

function aggregate(signatures: readonly Bytes[]): Bytes | undefined {
  let sum = bls12_381.G2.Point.ZERO;
  for (const signature of signatures) {
    const point = decodeSignature(signature);
    if (point === undefined) return undefined;
    sum = sum.add(point);
  }
  return sum.is0() ? undefined : scheme.Signature.toBytes(sum);
}

function verifyUnder(tag: Bytes, keys: readonly Bytes[], message: Bytes, signature: Bytes): boolean {
  const signaturePoint = decodeSignature(signature);
  if (signaturePoint === undefined) return false;
  let sum = bls12_381.G1.Point.ZERO;
  for (const key of keys) {
    const point = decodePublicKey(key);
    if (point === undefined) return false;
    sum = sum.add(point);
  }
  return !sum.is0() && scheme.verify(signaturePoint, scheme.hash(message, tag), sum);
}
