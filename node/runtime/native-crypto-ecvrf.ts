import { createECDH, ECDH } from "node:crypto";
import { assert, type Bytes, bigintToBytes, bytesToBigint, must } from "@ostrom/base";
import { createEcvrf, type EcvrfEngine, type EcvrfGroup, P256_ORDER } from "@ostrom/crypto";

/** P-256's field and coefficients (SP 800-186, 3.2.1.3): y^2 = x^3 + A x + B. */
const FIELD_ORDER = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const A = FIELD_ORDER - 3n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const CURVE = "prime256v1";
const FIELD_LENGTH = 32;
const UNCOMPRESSED = 0x04;

export type Affine = { readonly x: bigint; readonly y: bigint };
/** x = X/Z, y = Y/Z; infinity has Z = 0. */
type Projective = { readonly X: bigint; readonly Y: bigint; readonly Z: bigint };

/** The verifiable random function on OpenSSL's P-256, whose multiplications take the same time for each scalar.
 *
 * Node offers them as a key agreement, which gives the x coordinate of k P alone. That of (k + 1) P tells y (Brier and Joye, "Weierstraß
 * Elliptic Curves and Side-Channel Attacks", 2002, 4):
 *
 *     y1 = (2 b + (a + x x1)(x + x1) - x2 (x - x1)^2) / (2 y)
 *
 * Scalars go to OpenSSL alone; all that is computed here is of points, which a proof makes public. */
export function createOpensslEcvrf(): EcvrfEngine {
  return createEcvrf(createOpensslGroup());
}

/** The curve alone. */
export function createOpensslGroup(): EcvrfGroup<Affine> {
  const agreement = createECDH(CURVE);
  const multiplesOfBase = (scalar: Bytes): Affine => {
    agreement.setPrivateKey(scalar);
    return readPoint(agreement.getPublicKey());
  };
  /** @param scalar in [1, q). */
  const multiple = (scalar: bigint, point: Affine): Projective => {
    if (scalar === P256_ORDER - 1n) return { X: point.x, Y: FIELD_ORDER - point.y, Z: 1n };
    const peer = writePoint(point);
    const x1 = agreedX(agreement, scalar, peer);
    const x2 = agreedX(agreement, scalar + 1n, peer);
    return recoverY(point, x1, x2);
  };
  return {
    name: "openssl",
    decode: decompress,
    encode: compress,
    multiplySecret: (scalar, point) => {
      if (point === "base") return multiplesOfBase(scalar);
      return must(
        affine(multiple(bytesToBigint(scalar), point)),
        "a multiple below the order is no infinity",
      );
    },
    difference: (s, first, c, second) => {
      const taken = c === 0n ? undefined : negated(multiple(c, second));
      if (s === 0n) return taken && affine(taken);
      const given =
        first === "base" ? projective(multiplesOfBase(bigintToBytes(s, FIELD_LENGTH))) : multiple(s, first);
      return affine(taken === undefined ? given : add(given, taken));
    },
  };
}

function agreedX(agreement: ECDH, scalar: bigint, peer: Bytes): bigint {
  agreement.setPrivateKey(bigintToBytes(scalar, FIELD_LENGTH));
  return bytesToBigint(agreement.computeSecret(peer));
}

function recoverY({ x, y }: Affine, x1: bigint, x2: bigint): Projective {
  const run = x - x1;
  const Y = modulo(2n * B + (A + x * x1) * (x + x1) - x2 * modulo(run * run));
  const Z = modulo(2n * y);
  return { X: modulo(x1 * Z), Y, Z };
}

function projective({ x, y }: Affine): Projective {
  return { X: x, Y: y, Z: 1n };
}

function negated({ X, Y, Z }: Projective): Projective {
  return { X, Y: modulo(-Y), Z };
}

/** Of two points that are not infinity. Formulas for homogeneous coordinates: Cohen, Miyaji and Ono, 1998. */
function add(p: Projective, q: Projective): Projective {
  const u = modulo(q.Y * p.Z - p.Y * q.Z);
  const v = modulo(q.X * p.Z - p.X * q.Z);
  if (v === 0n) return u === 0n ? double(p) : { X: 0n, Y: 1n, Z: 0n };
  const vv = modulo(v * v);
  const vvv = modulo(vv * v);
  const r = modulo(vv * modulo(p.X * q.Z));
  const zz = modulo(p.Z * q.Z);
  const a = modulo(u * u * zz - vvv - 2n * r);
  return { X: modulo(v * a), Y: modulo(u * (r - a) - vvv * modulo(p.Y * q.Z)), Z: modulo(vvv * zz) };
}

/** No point has order 2: the group's order is a prime. */
function double({ X, Y, Z }: Projective): Projective {
  const w = modulo(A * Z * Z + 3n * X * X);
  const s = modulo(2n * Y * Z);
  const b = modulo(2n * X * modulo(Y * s));
  const h = modulo(w * w - 2n * b);
  const ys = modulo(Y * s);
  const ss = modulo(s * s);
  return { X: modulo(h * s), Y: modulo(w * (b - h) - 2n * ys * ys), Z: modulo(ss * s) };
}

/** @returns undefined for infinity. */
function affine({ X, Y, Z }: Projective): Affine | undefined {
  if (Z === 0n) return undefined;
  const inverse = inverted(Z);
  return { x: modulo(X * inverse), y: modulo(Y * inverse) };
}

/** Extended Euclid, on what is public. @param value in [1, p). */
function inverted(value: bigint): bigint {
  let [low, high] = [value, FIELD_ORDER];
  let [ofLow, ofHigh] = [1n, 0n];
  while (low !== 1n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [ofLow, ofHigh] = [ofHigh - quotient * ofLow, ofLow];
    assert(low !== 0n, "every element but zero has an inverse");
  }
  return modulo(ofLow);
}

/** OpenSSL refuses what is no point and a coordinate that is not below the field's order. */
function decompress(bytes: Bytes): Affine | undefined {
  if (bytes.length !== FIELD_LENGTH + 1 || (bytes[0] !== 2 && bytes[0] !== 3)) return undefined;
  try {
    return readPoint(ECDH.convertKey(bytes, CURVE, undefined, undefined, "uncompressed") as Buffer);
  } catch {
    return undefined;
  }
}

function readPoint(bytes: Bytes): Affine {
  return {
    x: bytesToBigint(bytes.subarray(1, 1 + FIELD_LENGTH)),
    y: bytesToBigint(bytes.subarray(1 + FIELD_LENGTH)),
  };
}

function writePoint({ x, y }: Affine): Bytes {
  const bytes = new Uint8Array(1 + 2 * FIELD_LENGTH);
  bytes[0] = UNCOMPRESSED;
  bytes.set(bigintToBytes(x, FIELD_LENGTH), 1);
  bytes.set(bigintToBytes(y, FIELD_LENGTH), 1 + FIELD_LENGTH);
  return bytes;
}

function compress({ x, y }: Affine): Bytes {
  const bytes = new Uint8Array(1 + FIELD_LENGTH);
  bytes[0] = (y & 1n) === 1n ? 3 : 2;
  bytes.set(bigintToBytes(x, FIELD_LENGTH), 1);
  return bytes;
}

function modulo(value: bigint): bigint {
  const rest = value % FIELD_ORDER;
  return rest < 0n ? rest + FIELD_ORDER : rest;
}
