import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, equalBytes } from "@ostrom/base";
import type { SignatureEngine } from "./signature-engine.ts";

const { Point } = ed25519;
const HALF = 32;

type EdwardsPoint = ReturnType<typeof Point.fromBytes>;

/** The portable engine of Ed25519 (RFC 8032) under one strict rule, because implementations differ on hostile inputs and an account must be
 * valid everywhere or nowhere ("Taming the many EdDSAs", ePrint 2020/1244):
 * S is below the group's order; A and R are canonical encodings of points of the curve, and neither has a small order; and
 * [S]B - [k]A, without any multiplication by the cofactor, is encoded as R byte by byte. */
export const nobleEd25519: SignatureEngine = {
  name: "noble",
  publicKey: (secretKey) => ed25519.getPublicKey(secretKey),
  sign: (secretKey, message) => ed25519.sign(message, secretKey),
  verify,
};

function verify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  const encodedR = signature.subarray(0, HALF);
  const s = bytesToNumberLE(signature.subarray(HALF));
  if (s >= Point.Fn.ORDER) return false;
  const a = readPoint(publicKey);
  const r = readPoint(encodedR);
  if (a === undefined || r === undefined) return false;
  const k = Point.Fn.create(bytesToNumberLE(sha512(concatBytes(encodedR, publicKey, message))));
  // A multiple of A is taken modulo the order of the whole group only for points of mixed order: k is reduced first, as all engines do.
  const expected = Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k));
  return equalBytes(expected.toBytes(), encodedR);
}

/** @returns undefined for what is not canonical, no point, or of small order. */
function readPoint(bytes: Bytes): EdwardsPoint | undefined {
  try {
    const point = Point.fromBytes(bytes, false);
    return point.isSmallOrder() ? undefined : point;
  } catch {
    return undefined;
  }
}
