import { p256 as nistP256 } from "@noble/curves/nist.js";
import { secp256k1 as koblitz } from "@noble/curves/secp256k1.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, type Random } from "@ostrom/base";
import {
  keccak256,
  P256_ORDER,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SECP256K1_ORDER,
  SM2_FIELD,
  SM2_ORDER,
  Sm2Points,
  sha256,
  sm2MessageHash,
} from "@ostrom/crypto";
import type { SignatureCase, SignedMessage } from "./hostile-signatures.ts";

const WORD = 32;
const MAX_WORD = 2n ** 256n - 1n;

type Curve = {
  readonly order: bigint;
  readonly field: bigint;
  readonly hash: (signed: SignedMessage) => bigint;
  readonly invert: (value: bigint) => bigint;
};

const KOBLITZ: Curve = {
  order: SECP256K1_ORDER,
  field: koblitz.Point.Fp.ORDER,
  hash: (signed) => bytesToBigint(keccak256(signed.message)),
  invert: (value) => koblitz.Point.Fn.inv(value),
};
const NIST: Curve = {
  order: P256_ORDER,
  field: nistP256.Point.Fp.ORDER,
  hash: (signed) => bytesToBigint(sha256(signed.message)),
  invert: (value) => nistP256.Point.Fn.inv(value),
};
const SM2: Curve = {
  order: SM2_ORDER,
  field: SM2_FIELD,
  hash: (signed) => bytesToBigint(sm2MessageHash(signed.publicKey, signed.message)),
  invert: (value) => Sm2Points.Fn.inv(value),
};

/** Edges of r and s, keys off the curve or at its limits, and signatures whose two points cancel or coincide. */
export function hostileWeierstrass(schemeId: number, signed: SignedMessage, random: Random): SignatureCase {
  const curve = schemeId === SCHEME_SECP256K1 ? KOBLITZ : schemeId === SCHEME_P256 ? NIST : SM2;
  const choice = random.below(10);
  if (choice < 3) return edgeOfNumbers(curve, signed, random);
  if (choice < 5) return edgeOfKey(curve, signed, random);
  if (choice === 5)
    return withNumbers(signed, "the other s", firstOf(signed), mod(-secondOf(signed), curve.order));
  if (choice === 6 && signed.signature.length > 2 * WORD)
    return { ...signed, kind: "another parity", signature: withLast(signed.signature, random.below(256)) };
  return schemeId === SCHEME_SECP256K1 || schemeId === SCHEME_P256
    ? meetingEcdsa(curve, signed, random)
    : meetingSm2(curve, signed, random);
}

function edgeOfNumbers(curve: Curve, signed: SignedMessage, random: Random): SignatureCase {
  const { order, field } = curve;
  const edges = [
    0n,
    1n,
    2n,
    order >> 1n,
    (order >> 1n) + 1n,
    order - 1n,
    order,
    order + 1n,
    field - 1n,
    field,
    MAX_WORD,
  ];
  const pick = (own: bigint): bigint => {
    const which = random.below(edges.length + 3);
    if (which < edges.length) return edges[which] ?? 0n;
    // The same residue once more, where it fits.
    return which === edges.length && own + order <= MAX_WORD ? own + order : own;
  };
  return withNumbers(signed, "edges of r and s", pick(firstOf(signed)), pick(secondOf(signed)));
}

function edgeOfKey(curve: Curve, signed: SignedMessage, random: Random): SignatureCase {
  const x = bytesToBigint(signed.publicKey.subarray(0, WORD));
  const y = bytesToBigint(signed.publicKey.subarray(WORD));
  const keys: readonly (readonly [bigint, bigint])[] = [
    [0n, 0n],
    [x, curve.field - y],
    [x, 0n],
    [0n, y],
    [x, curve.field],
    [curve.field, y],
    [x, MAX_WORD],
    [y, x],
    [x + curve.field <= MAX_WORD ? x + curve.field : MAX_WORD, y],
    [x, y + curve.field <= MAX_WORD ? y + curve.field : MAX_WORD],
  ];
  const [first, second] = keys[random.below(keys.length)] ?? [0n, 0n];
  return { ...signed, kind: "edges of the key", publicKey: words(first, second) };
}

/** u G + v Q is infinity, or both terms are one point: e = -r d, or e = r d, with any s. */
function meetingEcdsa(curve: Curve, signed: SignedMessage, random: Random): SignatureCase {
  const secret = bytesToBigint(signed.secretKey);
  const sign = random.below(2) === 0 ? 1n : -1n;
  const r = mod(sign * curve.hash(signed) * curve.invert(secret), curve.order);
  const s = mod(bytesToBigint(random.bytes(WORD)), curve.order >> 1n);
  return withNumbers(signed, sign < 0n ? "points that cancel" : "points that coincide", r, s);
}

/** s G + t P is infinity, or both terms are one point: s = -t d, or s = t d; t = r + s is 0 in some. */
function meetingSm2(curve: Curve, signed: SignedMessage, random: Random): SignatureCase {
  const secret = bytesToBigint(signed.secretKey);
  const s = mod(bytesToBigint(random.bytes(WORD)), curve.order);
  if (random.below(3) === 0) return withNumbers(signed, "r + s is 0", curve.order - s, s);
  const sign = random.below(2) === 0 ? 1n : -1n;
  const t = mod(sign * s * curve.invert(secret), curve.order);
  return withNumbers(
    signed,
    sign < 0n ? "points that cancel" : "points that coincide",
    mod(t - s, curve.order),
    s,
  );
}

function withNumbers(signed: SignedMessage, kind: string, r: bigint, s: bigint): SignatureCase {
  return { ...signed, kind, signature: concatBytes(words(r, s), signed.signature.subarray(2 * WORD)) };
}

function withLast(signature: Bytes, byte: number): Bytes {
  const copy = signature.slice();
  copy[copy.length - 1] = byte;
  return copy;
}

function firstOf(signed: SignedMessage): bigint {
  return bytesToBigint(signed.signature.subarray(0, WORD));
}

function secondOf(signed: SignedMessage): bigint {
  return bytesToBigint(signed.signature.subarray(WORD, 2 * WORD));
}

function words(first: bigint, second: bigint): Bytes {
  return concatBytes(bigintToBytes(first, WORD), bigintToBytes(second, WORD));
}

function mod(value: bigint, order: bigint): bigint {
  const rest = value % order;
  return rest < 0n ? rest + order : rest;
}
