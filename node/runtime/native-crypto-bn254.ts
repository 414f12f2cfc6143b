import type { Bytes } from "@ostrom/base";
import type { Bn254Engine } from "@ostrom/crypto";
import {
  findMcl,
  MCL_BN254,
  MCL_FIELD_SIZE,
  MCL_G1_SIZE,
  MCL_G2_SIZE,
  MCL_GT_SIZE,
  MCL_SCALAR_SIZE,
  type Mcl,
  startMcl,
} from "./native-crypto-mcl.ts";
import { signedDigits } from "./native-crypto-signed-digits.ts";

const FIELD_BYTES = 32;
const G1_BYTES = 64;
const PAIR_BYTES = 192;
/** Pairs whose Miller loops run together; more go in turns, so that memory has a bound. */
const PAIRS_AT_ONCE = 16;

/** The parameter from which the family's polynomials make this curve. */
const CURVE_PARAMETER = 0x44e992b44a6909f1n;
/** (9 + i) ** ((p - 1) / 3) and (9 + i) ** ((p - 1) / 2), each as c0, c1: what brings a point's Frobenius image back to
 * the twist. */
const TWIST_FACTORS: readonly bigint[] = [
  0x2fb347984f7911f74c0bec3cf559b143b78cc310c2c3330c99e39557176f553dn,
  0x16c9e55061ebae204ba4cc8bd75a079432ae2a1d0b7c9dce1665d51c640fcba2n,
  0x063cf305489af5dcdc5ec698b6e2f9b9dbaae0eda9c95998dc54014671a0135an,
  0x07c03cbcac41049a0704b5a7ec796f2b21807dc98fa25bd282d37f632623b0e3n,
];

/** BN254 on mcl-wasm. Throws an Error if that is missing; the curve starts when it is first used. */
export function loadMclBn254(): Bn254Engine {
  findMcl();
  let started: Bn254Engine | undefined;
  const engine = (): Bn254Engine => {
    started ??= startEngine();
    return started;
  };
  return {
    name: "mcl",
    add: (points) => engine().add(points),
    multiply: (point, scalar) => engine().multiply(point, scalar),
    pairing: (pairs) => engine().pairing(pairs),
  };
}

function startEngine(): Bn254Engine {
  const mcl = startMcl(MCL_BN254);
  const { call, heap } = mcl;
  const scalar = mcl.allocate(MCL_SCALAR_SIZE);
  const scalarBytes = mcl.allocate(MCL_SCALAR_SIZE);
  const [first, second, sum] = [0, 1, 2].map(() => mcl.allocate(MCL_G1_SIZE)) as [number, number, number];
  const writeSum = (): Bytes => {
    const output = new Uint8Array(G1_BYTES);
    if (call["mclBnG1_isZero"]!(sum) === 1) return output;
    call["mclBnG1_normalize"]!(sum, sum);
    mcl.writeField(sum, output, 0);
    mcl.writeField(sum + MCL_FIELD_SIZE, output, FIELD_BYTES);
    return output;
  };
  return {
    name: "mcl",
    add: (points) => {
      if (!readG1(mcl, points, 0, first) || !readG1(mcl, points, G1_BYTES, second)) return undefined;
      call["mclBnG1_add"]!(sum, first, second);
      return writeSum();
    },
    multiply: (point, factor) => {
      if (!readG1(mcl, point, 0, first)) return undefined;
      heap.set(factor, scalarBytes);
      call["mclBnFr_setBigEndianMod"]!(scalar, scalarBytes, factor.length);
      call["mclBnG1_mul"]!(sum, first, scalar);
      return writeSum();
    },
    pairing: pairingOn(mcl),
  };
}

/** Copies a point in; zeros are infinity. @returns false if it is none of the curve. */
function readG1(mcl: Mcl, bytes: Bytes, offset: number, to: number): boolean {
  if (isZero(bytes, offset, G1_BYTES)) {
    mcl.call["mclBnG1_clear"]!(to);
    return true;
  }
  const inRange =
    mcl.readField(bytes, offset, to) && mcl.readField(bytes, offset + FIELD_BYTES, to + MCL_FIELD_SIZE);
  if (!inRange) return false;
  mcl.writeOne(to + 2 * MCL_FIELD_SIZE);
  return mcl.call["mclBnG1_isValid"]!(to) === 1;
}

function pairingOn(mcl: Mcl): Bn254Engine["pairing"] {
  const { call } = mcl;
  const firsts = mcl.allocate(PAIRS_AT_ONCE * MCL_G1_SIZE);
  const seconds = mcl.allocate(PAIRS_AT_ONCE * MCL_G2_SIZE);
  const product = mcl.allocate(MCL_GT_SIZE);
  const factor = mcl.allocate(MCL_GT_SIZE);
  const readG2 = g2Reader(mcl);
  const isInSubgroup = subgroupCheck(mcl);
  return (pairs) => {
    call["mclBnGT_setInt32"]!(product, 1);
    let held = 0;
    const multiplyHeld = (): void => {
      if (held === 0) return;
      call["mclBn_millerLoopVec"]!(factor, firsts, seconds, held);
      call["mclBnGT_mul"]!(product, product, factor);
      held = 0;
    };
    for (let offset = 0; offset < pairs.length; offset += PAIR_BYTES) {
      const g1 = firsts + held * MCL_G1_SIZE;
      const g2 = seconds + held * MCL_G2_SIZE;
      if (!readG1(mcl, pairs, offset, g1) || !readG2(pairs, offset + G1_BYTES, g2)) return undefined;
      const isInfinite = call["mclBnG2_isZero"]!(g2) === 1;
      if (!isInfinite && !isInSubgroup(g2)) return undefined;
      // A pair with infinity contributes a factor of one.
      if (!isInfinite && call["mclBnG1_isZero"]!(g1) === 0) held++;
      if (held === PAIRS_AT_ONCE) multiplyHeld();
    }
    multiplyHeld();
    if (call["mclBnGT_isOne"]!(product) === 1) return true;
    call["mclBn_finalExp"]!(product, product);
    return call["mclBnGT_isOne"]!(product) === 1;
  };
}

function g2Reader(mcl: Mcl): (bytes: Bytes, offset: number, to: number) => boolean {
  const { call, heap } = mcl;
  // Imaginary parts come first, and lie second in memory.
  const places = [1, 0, 3, 2];
  return (bytes, offset, to) => {
    if (isZero(bytes, offset, PAIR_BYTES - G1_BYTES)) {
      call["mclBnG2_clear"]!(to);
      return true;
    }
    for (let part = 0; part < places.length; part++) {
      const place = to + places[part]! * MCL_FIELD_SIZE;
      if (!mcl.readField(bytes, offset + part * FIELD_BYTES, place)) return false;
    }
    const third = to + 4 * MCL_FIELD_SIZE;
    mcl.writeOne(third);
    heap.fill(0, third + MCL_FIELD_SIZE, third + 2 * MCL_FIELD_SIZE);
    return call["mclBnG2_isValid"]!(to) === 1;
  };
}

/** Whether a point Q of the twist has the group's order: with u the curve's parameter and psi the twisted Frobenius map,
 * [u + 1]Q + psi([u]Q) + psi^2([u]Q) = psi^3([2u]Q). A third of the time that multiplying by the order takes.
 * Source: ePrint 2022/348, section 5.1; the test tries a point of each prime order that divides the cofactor. */
function subgroupCheck(mcl: Mcl): (point: number) => boolean {
  const { call } = mcl;
  const [multiple, image, sum] = [0, 1, 2].map(() => mcl.allocate(MCL_G2_SIZE)) as [number, number, number];
  const applyPsi = twistedFrobenius(mcl);
  const [add, subtract, double] = [call["mclBnG2_add"]!, call["mclBnG2_sub"]!, call["mclBnG2_dbl"]!];
  const digits = signedDigits(CURVE_PARAMETER);
  return (point) => {
    mcl.heap.copyWithin(multiple, point, point + MCL_G2_SIZE);
    for (let i = 1; i < digits.length; i++) {
      double(multiple, multiple);
      if (digits[i] === 1) add(multiple, multiple, point);
      else if (digits[i] === -1) subtract(multiple, multiple, point);
    }
    applyPsi(image, multiple);
    add(sum, multiple, point);
    add(sum, sum, image);
    applyPsi(image, image);
    add(sum, sum, image);
    applyPsi(image, image);
    double(image, image);
    return call["mclBnG2_isEqual"]!(sum, image) === 1;
  };
}

/** psi(x, y) = (conjugate(x) f, conjugate(y) g) for the twist's factors f and g; the third coordinate is conjugated. */
function twistedFrobenius(mcl: Mcl): (to: number, from: number) => void {
  const { call } = mcl;
  const factors = mcl.allocate(TWIST_FACTORS.length * MCL_FIELD_SIZE);
  for (const [i, part] of TWIST_FACTORS.entries()) {
    const bytes = Uint8Array.fromHex(part.toString(16).padStart(2 * FIELD_BYTES, "0"));
    mcl.readField(bytes, 0, factors + i * MCL_FIELD_SIZE);
  }
  const pair = 2 * MCL_FIELD_SIZE;
  return (to, from) => {
    if (to !== from) mcl.heap.copyWithin(to, from, from + MCL_G2_SIZE);
    for (let coordinate = 0; coordinate < 3; coordinate++) {
      const imaginary = to + coordinate * pair + MCL_FIELD_SIZE;
      call["mclBnFp_neg"]!(imaginary, imaginary);
    }
    call["mclBnFp2_mul"]!(to, to, factors);
    call["mclBnFp2_mul"]!(to + pair, to + pair, factors + pair);
  };
}

function isZero(bytes: Bytes, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i++) if (bytes[i] !== 0) return false;
  return true;
}
