import { createECDH, createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { assert, type Bytes, bigintToBytes, bytesToBigint, concatBytes } from "@ostrom/base";
import type { ModularEngine, P256Engine } from "@ostrom/crypto";

/** P-256's field, group order and coefficient b (SP 800-186, 3.2.1.3). */
const FIELD_ORDER = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** What precedes x || y in a DER SubjectPublicKeyInfo of an uncompressed P-256 key (RFC 5480). */
export const P256_KEY_PREFIX: Bytes = Uint8Array.fromHex(
  "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
);

type Point = { readonly x: bigint; readonly y: bigint };

/** ECDSA over P-256 by OpenSSL, which verifies messages but no hashes. So another message takes the hash's place: for one
 * whose hash is h', and a signature (r, s) on h by Q,
 *
 *     h/s G + r/s Q = h'/s G + r/s Q'    where    Q' = Q + (h - h')/r G
 *
 * and (r, s) is a signature on h by Q exactly if it is one on the other message by Q'. Q' is computed affinely, which has
 * no answer where the two points to be added have the same x coordinate; each of three messages has a difference of its
 * own, and two of three can clash with Q at most, once with each sign.
 * @param modular inverts by powers. */
export function createOpensslP256(modular: ModularEngine): P256Engine {
  const substitutes = ["0", "1", "2"].map((text) => {
    const message = new TextEncoder().encode(text);
    return { message, hash: BigInt(`0x${hash("sha256", message)}`) };
  });
  const inverse = (value: bigint, order: bigint): bigint =>
    bytesToBigint(
      modular.power(bigintToBytes(value, 32), bigintToBytes(order - 2n, 32), bigintToBytes(order, 32)),
    );
  const multiplesOfBase = createECDH("prime256v1");
  const multiplyBase = (scalar: bigint): Point => {
    multiplesOfBase.setPrivateKey(bigintToBytes(scalar, 32));
    return readPoint(multiplesOfBase.getPublicKey().subarray(1));
  };
  return {
    name: "openssl",
    verify: (hashBytes, signature, keyBytes) => {
      const r = bytesToBigint(signature.subarray(0, 32));
      const s = bytesToBigint(signature.subarray(32));
      const key = readPoint(keyBytes);
      if (r === 0n || r >= GROUP_ORDER || s === 0n || s >= GROUP_ORDER || !isOnCurve(key)) return false;
      const inverseOfR = inverse(r, GROUP_ORDER);
      for (const substitute of substitutes) {
        const difference = modulo((bytesToBigint(hashBytes) - substitute.hash) * inverseOfR, GROUP_ORDER);
        const shifted = difference === 0n ? key : addAffine(key, multiplyBase(difference), inverse);
        if (shifted === undefined) continue;
        return verify(
          "sha256",
          substitute.message,
          { key: keyOf(shifted), dsaEncoding: "ieee-p1363" },
          signature,
        );
      }
      assert(false, "two of three messages at most clash with a key");
    },
  };
}

function readPoint(bytes: Bytes): Point {
  return { x: bytesToBigint(bytes.subarray(0, 32)), y: bytesToBigint(bytes.subarray(32)) };
}

/** Infinity has no coordinates, and zeros are no point: b is not 0. */
function isOnCurve({ x, y }: Point): boolean {
  if (x >= FIELD_ORDER || y >= FIELD_ORDER) return false;
  return modulo(y * y - ((x * x - 3n) * x + B), FIELD_ORDER) === 0n;
}

/** @returns undefined if the x coordinates are equal: the sum is infinity, or asks for the tangent. */
function addAffine(
  first: Point,
  second: Point,
  inverse: (value: bigint, order: bigint) => bigint,
): Point | undefined {
  const run = modulo(second.x - first.x, FIELD_ORDER);
  if (run === 0n) return undefined;
  const slope = modulo((second.y - first.y) * inverse(run, FIELD_ORDER), FIELD_ORDER);
  const x = modulo(slope * slope - first.x - second.x, FIELD_ORDER);
  return { x, y: modulo(slope * (first.x - x) - first.y, FIELD_ORDER) };
}

function keyOf({ x, y }: Point): KeyObject {
  const key = concatBytes(P256_KEY_PREFIX, bigintToBytes(x, 32), bigintToBytes(y, 32));
  return createPublicKey({ key: Buffer.from(key.buffer), format: "der", type: "spki" });
}

function modulo(value: bigint, order: bigint): bigint {
  const rest = value % order;
  return rest < 0n ? rest + order : rest;
}
