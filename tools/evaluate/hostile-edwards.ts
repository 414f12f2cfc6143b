import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, type Random } from "@ostrom/base";
import type { SignatureCase, SignedMessage } from "./hostile-signatures.ts";

const { Point } = ed25519;
const HALF = 32;
const ORDER = Point.Fn.ORDER;
const FIELD = Point.Fp.ORDER;
const SIGN_BIT = 2n ** 255n;

type EdwardsPoint = ReturnType<typeof Point.fromBytes>;

/** Points of the eight small orders, alone and added to honest ones, encodings that are not canonical, and S beyond the order. */
export function hostileEdwards(signed: SignedMessage, random: Random): SignatureCase {
  const choice = random.below(8);
  if (choice === 0) return beyondOrder(signed, random);
  if (choice === 1) return otherEncodings(signed, random);
  if (choice === 2) return smallPoints(signed, random);
  return mixedOrders(signed, random);
}

/** S + L says the same as S, where nobody looks. */
function beyondOrder(signed: SignedMessage, random: Random): SignatureCase {
  const s = fromLittleEndian(signed.signature.subarray(HALF));
  const values = [s + ORDER, s + 2n * ORDER, ORDER - s, ORDER, 0n, 2n ** 256n - 1n];
  const chosen = values[random.below(values.length)] ?? 0n;
  return withSignature(signed, "S at its limits", signed.signature.subarray(0, HALF), chosen);
}

function otherEncodings(signed: SignedMessage, random: Random): SignatureCase {
  const small = BigInt(random.below(19));
  const sign = random.below(2) === 0 ? 0n : SIGN_BIT;
  const encoding = littleEndian(sign + small + (random.below(2) === 0 ? FIELD : 0n));
  return random.below(2) === 0
    ? { ...signed, kind: "an encoding beyond the field", publicKey: encoding }
    : {
        ...signed,
        kind: "an encoding beyond the field",
        signature: concatBytes(encoding, signed.signature.subarray(HALF)),
      };
}

function smallPoints(signed: SignedMessage, random: Random): SignatureCase {
  const encoding = torsion(random).toBytes();
  const which = random.below(3);
  const publicKey = which === 1 ? signed.publicKey : encoding;
  const r = which === 0 ? signed.signature.subarray(0, HALF) : torsion(random).toBytes();
  const s = random.below(2) === 0 ? 0n : fromLittleEndian(signed.signature.subarray(HALF));
  return { ...withSignature(signed, "points of small order", r, s), publicKey };
}

/** A key with a point of small order added and a signature made for it: with the cofactor it always holds, without it for some messages only. */
function mixedOrders(signed: SignedMessage, random: Random): SignatureCase {
  const secret = fromLittleEndian(random.bytes(HALF)) % ORDER;
  const nonce = fromLittleEndian(random.bytes(HALF)) % ORDER;
  const key = Point.BASE.multiply(secret + 1n)
    .add(torsion(random))
    .toBytes();
  const shift = random.below(2) === 0 ? Point.ZERO : torsion(random);
  const r = Point.BASE.multiply(nonce + 1n)
    .add(shift)
    .toBytes();
  const message = random.bytes(random.below(40));
  const challenge = fromLittleEndian(sha512(concatBytes(r, key, message))) % ORDER;
  const s = (nonce + 1n + challenge * (secret + 1n)) % ORDER;
  return { ...withSignature(signed, "mixed orders", r, s), publicKey: key, message };
}

function torsion(random: Random): EdwardsPoint {
  return Point.fromHex(ED25519_TORSION_SUBGROUP[random.below(ED25519_TORSION_SUBGROUP.length)] ?? "", true);
}

function withSignature(signed: SignedMessage, kind: string, r: Bytes, s: bigint): SignatureCase {
  return { ...signed, kind, signature: concatBytes(r, littleEndian(s)) };
}

function littleEndian(value: bigint): Bytes {
  return Uint8Array.from({ length: HALF }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function fromLittleEndian(bytes: Bytes): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
