import type { Bytes } from "@ostrom/base";
import type { Bls12381Engine } from "@ostrom/crypto";
import { kzgVerifier } from "./native-crypto-kzg.ts";
import {
  findMcl,
  MCL_BLS12_381,
  MCL_FIELD_SIZE,
  MCL_G1_SIZE,
  MCL_G2_SIZE,
  MCL_GT_SIZE,
  MCL_SCALAR_SIZE,
  type Mcl,
  startMcl,
} from "./native-crypto-mcl.ts";

export type BlstBinding = typeof import("@chainsafe/blst");

const PADDED_BYTES = 64;
const FIELD_BYTES = 48;
const PADDING = PADDED_BYTES - FIELD_BYTES;
const SCALAR_BYTES = 32;
/** Terms and pairs that are computed together; more go in turns, so that memory has a bound. */
const TERMS_AT_ONCE = 256;
const PAIRS_AT_ONCE = 16;

/** What differs between the two groups: coordinates of one part or two, and who checks the subgroup. */
type Group = {
  readonly parts: number;
  readonly pointBytes: number;
  readonly size: number;
  readonly operations: GroupOperations;
  /** @param point uncompressed as EIP-2537 has it, on the curve and not infinity. */
  readonly isInSubgroup: (point: Bytes) => boolean;
};

type GroupOperations = Readonly<
  Record<
    "clear" | "isValid" | "isZero" | "normalize" | "add" | "mul" | "mulVec",
    (...operands: readonly number[]) => number
  >
>;

function operationsOf(mcl: Mcl, prefix: "mclBnG1" | "mclBnG2"): GroupOperations {
  const named = (name: string): GroupOperations["add"] => mcl.call[`${prefix}_${name}`]!;
  return {
    clear: named("clear"),
    isValid: named("isValid"),
    isZero: named("isZero"),
    normalize: named("normalize"),
    add: named("add"),
    mul: named("mul"),
    mulVec: named("mulVec"),
  };
}

/** BLS12-381 on mcl-wasm; blst, which is native, checks subgroups and reads compressed points, but offers no arithmetic.
 * Throws an Error if mcl is missing; the curve starts when it is first used. */
export function loadMclBls12381(blst: BlstBinding): Bls12381Engine {
  findMcl();
  let started: Bls12381Engine | undefined;
  const engine = (): Bls12381Engine => {
    started ??= startEngine(blst);
    return started;
  };
  return {
    name: "mcl+blst",
    addG1: (points) => engine().addG1(points),
    addG2: (points) => engine().addG2(points),
    sumOfMultiplesG1: (terms) => engine().sumOfMultiplesG1(terms),
    sumOfMultiplesG2: (terms) => engine().sumOfMultiplesG2(terms),
    pairing: (pairs) => engine().pairing(pairs),
    mapToG1: (element) => engine().mapToG1(element),
    mapToG2: (pair) => engine().mapToG2(pair),
    verifyKzgProof: (commitment, z, y, proof) => engine().verifyKzgProof(commitment, z, y, proof),
  };
}

function startEngine(blst: BlstBinding): Bls12381Engine {
  const mcl = startMcl(MCL_BLS12_381);
  const g1 = groupG1(mcl, blst);
  const g2 = groupG2(mcl, blst);
  return {
    name: "mcl+blst",
    addG1: additionIn(mcl, g1),
    addG2: additionIn(mcl, g2),
    sumOfMultiplesG1: sumOfMultiplesIn(mcl, g1),
    sumOfMultiplesG2: sumOfMultiplesIn(mcl, g2),
    pairing: pairingOf(mcl, g1, g2),
    mapToG1: mapTo(mcl, g1, "mclBnFp_mapToG1"),
    mapToG2: mapTo(mcl, g2, "mclBnFp2_mapToG2"),
    verifyKzgProof: kzgVerifier(mcl, blst),
  };
}

function groupG1(mcl: Mcl, blst: BlstBinding): Group {
  const packed = new Uint8Array(2 * FIELD_BYTES);
  return {
    parts: 1,
    pointBytes: 2 * PADDED_BYTES,
    size: MCL_G1_SIZE,
    operations: operationsOf(mcl, "mclBnG1"),
    isInSubgroup: (point) => {
      for (let part = 0; part < 2; part++) {
        const from = part * PADDED_BYTES + PADDING;
        packed.set(point.subarray(from, from + FIELD_BYTES), part * FIELD_BYTES);
      }
      return accepts(() => blst.PublicKey.fromBytes(packed, true));
    },
  };
}

function groupG2(mcl: Mcl, blst: BlstBinding): Group {
  const packed = new Uint8Array(4 * FIELD_BYTES);
  return {
    parts: 2,
    pointBytes: 4 * PADDED_BYTES,
    size: MCL_G2_SIZE,
    operations: operationsOf(mcl, "mclBnG2"),
    isInSubgroup: (point) => {
      for (let part = 0; part < 4; part++) {
        const from = part * PADDED_BYTES + PADDING;
        // blst has c1 before c0.
        packed.set(point.subarray(from, from + FIELD_BYTES), (part ^ 1) * FIELD_BYTES);
      }
      return accepts(() => blst.Signature.fromBytes(packed, true, true));
    },
  };
}

function accepts(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Copies a field element or pair in. @returns false if it is not canonical. */
function readCoordinate(mcl: Mcl, parts: number, bytes: Bytes, offset: number, to: number): boolean {
  for (let part = 0; part < parts; part++) {
    const from = offset + part * PADDED_BYTES;
    for (let i = from; i < from + PADDING; i++) if (bytes[i] !== 0) return false;
    if (!mcl.readField(bytes, from + PADDING, to + part * MCL_FIELD_SIZE)) return false;
  }
  return true;
}

/** Copies a point in; zeros are infinity. @returns false if it is none of the curve. */
function readPoint(mcl: Mcl, group: Group, bytes: Bytes, offset: number, to: number): boolean {
  if (isZero(bytes, offset, group.pointBytes)) {
    group.operations.clear(to);
    return true;
  }
  const coordinate = group.parts * MCL_FIELD_SIZE;
  const inRange =
    readCoordinate(mcl, group.parts, bytes, offset, to) &&
    readCoordinate(mcl, group.parts, bytes, offset + group.parts * PADDED_BYTES, to + coordinate);
  if (!inRange) return false;
  mcl.heap.fill(0, to + 2 * coordinate, to + 3 * coordinate);
  mcl.writeOne(to + 2 * coordinate);
  return group.operations.isValid(to) === 1;
}

/** Copies a point in if it lies in the subgroup. */
function readMember(
  mcl: Mcl,
  group: Group,
  bytes: Bytes,
  offset: number,
  to: number,
): "infinity" | "finite" | "bad" {
  if (!readPoint(mcl, group, bytes, offset, to)) return "bad";
  if (group.operations.isZero(to) === 1) return "infinity";
  return group.isInSubgroup(bytes.subarray(offset, offset + group.pointBytes)) ? "finite" : "bad";
}

function writePoint(mcl: Mcl, group: Group, from: number): Bytes {
  const output = new Uint8Array(group.pointBytes);
  if (group.operations.isZero(from) === 1) return output;
  group.operations.normalize(from, from);
  for (let part = 0; part < 2 * group.parts; part++) {
    mcl.writeField(from + part * MCL_FIELD_SIZE, output, part * PADDED_BYTES + PADDING);
  }
  return output;
}

function additionIn(mcl: Mcl, group: Group): (points: Bytes) => Bytes | undefined {
  const first = mcl.allocate(group.size);
  const second = mcl.allocate(group.size);
  const add = group.operations.add;
  return (points) => {
    if (!readPoint(mcl, group, points, 0, first)) return undefined;
    if (!readPoint(mcl, group, points, group.pointBytes, second)) return undefined;
    add(first, first, second);
    return writePoint(mcl, group, first);
  };
}

/** Copies a 32-byte scalar in, reduced by the group's order. @returns false if that leaves 0. */
function scalarReader(mcl: Mcl): (bytes: Bytes, to: number) => boolean {
  const held = mcl.allocate(SCALAR_BYTES);
  return (bytes, to) => {
    mcl.heap.set(bytes, held);
    mcl.call["mclBnFr_setBigEndianMod"]!(to, held, SCALAR_BYTES);
    return mcl.call["mclBnFr_isZero"]!(to) === 0;
  };
}

function sumOfMultiplesIn(mcl: Mcl, group: Group): (terms: Bytes) => Bytes | undefined {
  const points = mcl.allocate(TERMS_AT_ONCE * group.size);
  const scalars = mcl.allocate(TERMS_AT_ONCE * MCL_SCALAR_SIZE);
  const sum = mcl.allocate(group.size);
  const part = mcl.allocate(group.size);
  const readScalar = scalarReader(mcl);
  const termBytes = group.pointBytes + SCALAR_BYTES;
  return (terms) => {
    group.operations.clear(sum);
    let held = 0;
    const addHeld = (): void => {
      if (held === 0) return;
      if (held === 1) group.operations.mul(part, points, scalars);
      else group.operations.mulVec(part, points, scalars, held);
      group.operations.add(sum, sum, part);
      held = 0;
    };
    for (let offset = 0; offset < terms.length; offset += termBytes) {
      const member = readMember(mcl, group, terms, offset, points + held * group.size);
      if (member === "bad") return undefined;
      const scalarOffset = offset + group.pointBytes;
      const scalar = terms.subarray(scalarOffset, scalarOffset + SCALAR_BYTES);
      // What adds nothing falls out.
      if (member === "finite" && readScalar(scalar, scalars + held * MCL_SCALAR_SIZE)) held++;
      if (held === TERMS_AT_ONCE) addHeld();
    }
    addHeld();
    return writePoint(mcl, group, sum);
  };
}

function pairingOf(mcl: Mcl, g1: Group, g2: Group): Bls12381Engine["pairing"] {
  const { call } = mcl;
  const firsts = mcl.allocate(PAIRS_AT_ONCE * MCL_G1_SIZE);
  const seconds = mcl.allocate(PAIRS_AT_ONCE * MCL_G2_SIZE);
  const product = mcl.allocate(MCL_GT_SIZE);
  const factor = mcl.allocate(MCL_GT_SIZE);
  return (pairs) => {
    call["mclBnGT_setInt32"]!(product, 1);
    let held = 0;
    const multiplyHeld = (): void => {
      if (held === 0) return;
      call["mclBn_millerLoopVec"]!(factor, firsts, seconds, held);
      call["mclBnGT_mul"]!(product, product, factor);
      held = 0;
    };
    for (let offset = 0; offset < pairs.length; offset += g1.pointBytes + g2.pointBytes) {
      const first = readMember(mcl, g1, pairs, offset, firsts + held * MCL_G1_SIZE);
      if (first === "bad") return undefined;
      const second = readMember(mcl, g2, pairs, offset + g1.pointBytes, seconds + held * MCL_G2_SIZE);
      if (second === "bad") return undefined;
      // A pair with infinity contributes a factor of one.
      if (first === "finite" && second === "finite") held++;
      if (held === PAIRS_AT_ONCE) multiplyHeld();
    }
    multiplyHeld();
    if (call["mclBnGT_isOne"]!(product) === 1) return true;
    call["mclBn_finalExp"]!(product, product);
    return call["mclBnGT_isOne"]!(product) === 1;
  };
}

function mapTo(mcl: Mcl, group: Group, name: string): (element: Bytes) => Bytes | undefined {
  const element = mcl.allocate(2 * MCL_FIELD_SIZE);
  const point = mcl.allocate(group.size);
  const map = mcl.call[name]!;
  return (bytes) => {
    if (!readCoordinate(mcl, group.parts, bytes, 0, element)) return undefined;
    map(point, element);
    return writePoint(mcl, group, point);
  };
}

function isZero(bytes: Bytes, offset: number, length: number): boolean {
  for (let i = offset; i < offset + length; i++) if (bytes[i] !== 0) return false;
  return true;
}
