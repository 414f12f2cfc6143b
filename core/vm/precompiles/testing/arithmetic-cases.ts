import { bn254 } from "@noble/curves/bn254.js";
import { p256 } from "@noble/curves/nist.js";
import {
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  type Random,
  toHexDigits,
} from "@ostrom/base";
import { BLS_ORDER, type Engines } from "@ostrom/crypto";
import { claims } from "./kzg-claims.ts";
import { BLS_FIELD_ORDER, BN254_FIELD_ORDER, blsField } from "./points.ts";
import type { PointPool, PointPools } from "./special-points.ts";

/** One question that all engines must answer alike, and how it is put to them. */
export type ArithmeticCase = { readonly input: string; readonly ask: (engines: Engines) => string };

/** Makes cases of one operation. */
export type ArithmeticSubject = {
  readonly name: string;
  /** How many of a thousand rounds ask it: the reference's time differs. */
  readonly share: number;
  readonly make: (random: Random, pools: PointPools) => ArithmeticCase;
};

const BN254_ORDER: bigint = bn254.fields.Fr.ORDER;
const P256_FIELD: bigint = p256.Point.Fp.ORDER;
const P256_ORDER: bigint = p256.Point.Fn.ORDER;

function describe(value: Bytes | boolean | undefined): string {
  return typeof value === "object" ? toHexDigits(value) : String(value);
}

function caseOf(
  inputs: readonly Bytes[],
  ask: (engines: Engines) => Bytes | boolean | undefined,
): ArithmeticCase {
  return { input: inputs.map(toHexDigits).join(" "), ask: (engines) => describe(ask(engines)) };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}

/** Mostly members of the subgroup, else infinity, strays, and what is no point. */
function somePoint(random: Random, pool: PointPool, partLength: number, order: bigint): Bytes {
  const kind = random.below(20);
  if (kind === 0) return pool.infinity;
  if (kind === 1 && pool.strays.length > 0) return pick(random, pool.strays);
  const point = pick(random, pool.members).slice();
  if (kind > 4) return point;
  const at = partLength * random.below(point.length / partLength);
  if (kind === 2) point[random.below(point.length)]! ^= 1 << random.below(8);
  if (kind === 3) {
    const lifted = bytesToBigint(point.subarray(at, at + partLength)) + order;
    point.set(bigintToBytes(BigInt.asUintN(8 * partLength, lifted), partLength), at);
  }
  if (kind === 4) {
    const edges = [0n, 1n, order - 1n, order, order + 1n, 2n ** BigInt(8 * partLength) - 1n];
    point.set(bigintToBytes(pick(random, edges), partLength), at);
  }
  return point;
}

function someScalar(random: Random, order: bigint): Bytes {
  const edges = [0n, 1n, 2n, order - 1n, order, order + 1n, 2n * order, 2n ** 255n, 2n ** 256n - 1n];
  return random.chance(1, 3) ? bigintToBytes(BigInt.asUintN(256, pick(random, edges)), 32) : random.bytes(32);
}

function list(random: Random, least: number, most: number, part: () => Bytes): Bytes {
  return concatBytes(...Array.from({ length: least + random.below(most - least + 1) }, part));
}

const bnG1 = (random: Random, pools: PointPools): Bytes =>
  somePoint(random, pools.bn254G1, 32, BN254_FIELD_ORDER);
const bnG2 = (random: Random, pools: PointPools): Bytes =>
  somePoint(random, pools.bn254G2, 32, BN254_FIELD_ORDER);
const blsG1 = (random: Random, pools: PointPools): Bytes =>
  somePoint(random, pools.blsG1, 64, BLS_FIELD_ORDER);
const blsG2 = (random: Random, pools: PointPools): Bytes =>
  somePoint(random, pools.blsG2, 64, BLS_FIELD_ORDER);

/** Pairs whose product is one as often as not: (P, Q), (-P, Q), in any places. */
function pairs(random: Random, least: number, first: PointPool, second: PointPool, any: () => Bytes): Bytes {
  const list: Bytes[] = Array.from({ length: random.below(2) + least }, any);
  if (random.chance(1, 2)) {
    list.length = 0;
    const at = 2 * random.below(first.members.length / 2);
    const q = pick(random, second.members);
    list.push(concatBytes(first.members[at]!, q), concatBytes(first.members[at + 1]!, q));
    if (random.chance(1, 2)) list.push(concatBytes(first.infinity, pick(random, second.members)));
    if (random.chance(1, 2)) list.unshift(concatBytes(pick(random, first.members), second.infinity));
  }
  return concatBytes(...list);
}

function blsElement(random: Random): Bytes {
  const edges = [0n, 1n, BLS_FIELD_ORDER - 1n, BLS_FIELD_ORDER, 2n ** 384n - 1n];
  return random.chance(1, 3)
    ? blsField(pick(random, edges))
    : blsField(bytesToBigint(random.bytes(48)) % (BLS_FIELD_ORDER + 2n ** 376n));
}

function p256Case(random: Random): ArithmeticCase {
  const secret = random.bytes(32);
  const hash = random.chance(1, 6) ? someScalar(random, P256_ORDER) : random.bytes(32);
  let signature: Bytes = p256.sign(hash, secret, { prehash: false, lowS: random.chance(1, 2) });
  let key: Bytes = p256.getPublicKey(secret, false).slice(1);
  const kind = random.below(9);
  if (kind === 0) signature = concatBytes(someScalar(random, P256_ORDER), signature.subarray(32));
  if (kind === 1) signature = concatBytes(signature.subarray(0, 32), someScalar(random, P256_ORDER));
  if (kind === 2) key[random.below(64)]! ^= 1 << random.below(8);
  if (kind === 3) {
    const edge = pick(random, [0n, 1n, P256_FIELD - 1n, P256_FIELD, 2n ** 256n - 1n]);
    key.set(bigintToBytes(edge, 32), 32 * random.below(2));
  }
  if (kind === 4) key = new Uint8Array(64);
  if (kind === 5) signature = signature.slice().fill(random.below(256), random.below(64));
  return caseOf([hash, signature, key], ({ p256: engine }) => engine.verify(hash, signature, key));
}

function modularNumber(random: Random): Bytes {
  const length = pick(random, [random.below(10), random.below(34), random.below(34), random.below(230)]);
  const bytes = random.bytes(length);
  const kind = random.below(8);
  if (kind === 0) bytes.fill(0, 0, random.below(length + 1));
  if (kind === 1) bytes.fill(0, length - random.below(length + 1));
  if (kind === 2) bytes.fill(0xff);
  if (kind === 3 && length > 0) bytes[length - 1]! |= 1;
  if (kind === 4 && length > 0) bytes.fill(0).fill(1 << random.below(8), 0, 1);
  return bytes;
}

function modularCase(random: Random): ArithmeticCase {
  const modulus = modularNumber(random);
  const base = random.chance(1, 10) ? modulus : modularNumber(random);
  const exponent = random.bytes(random.below(random.chance(1, 8) ? 80 : 24));
  if (random.chance(1, 6))
    exponent.fill(random.chance(1, 2) ? 0xff : 0, 0, random.below(exponent.length + 1));
  return caseOf([base, exponent, modulus], ({ modular }) => modular.power(base, exponent, modulus));
}

/** Which claims hold and which are malformed, in turn. */
function kzgCase(random: Random): ArithmeticCase {
  const all = [...claims(random)];
  const [{ commitment, z, y, proof }] = pick(random, all);
  return caseOf([commitment, z, y, proof], ({ bls12381 }) =>
    bls12381.verifyKzgProof(commitment, z, y, proof),
  );
}

function oneInput(
  name: string,
  share: number,
  input: (random: Random, pools: PointPools) => Bytes,
  ask: (engines: Engines, input: Bytes) => Bytes | boolean | undefined,
): ArithmeticSubject {
  return {
    name,
    share,
    make: (random, pools) => {
      const bytes = input(random, pools);
      return caseOf([bytes], (engines) => ask(engines, bytes));
    },
  };
}

const MOST_TERMS = 9;

export const ARITHMETIC_SUBJECTS: readonly ArithmeticSubject[] = [
  oneInput(
    "bn254 add",
    1000,
    (random, pools) => concatBytes(bnG1(random, pools), bnG1(random, pools)),
    ({ bn254 }, input) => bn254.add(input),
  ),
  {
    name: "bn254 multiply",
    share: 200,
    make: (random, pools) => {
      const point = bnG1(random, pools);
      const scalar = someScalar(random, BN254_ORDER);
      return caseOf([point, scalar], ({ bn254 }) => bn254.multiply(point, scalar));
    },
  },
  oneInput(
    "bn254 pairing",
    30,
    (random, pools) =>
      pairs(random, 0, pools.bn254G1, pools.bn254G2, () =>
        concatBytes(bnG1(random, pools), bnG2(random, pools)),
      ),
    ({ bn254 }, input) => bn254.pairing(input),
  ),
  oneInput(
    "bls g1 add",
    600,
    (random, pools) => concatBytes(blsG1(random, pools), blsG1(random, pools)),
    ({ bls12381 }, input) => bls12381.addG1(input),
  ),
  oneInput(
    "bls g2 add",
    400,
    (random, pools) => concatBytes(blsG2(random, pools), blsG2(random, pools)),
    ({ bls12381 }, input) => bls12381.addG2(input),
  ),
  oneInput(
    "bls g1 msm",
    50,
    (random, pools) =>
      list(random, 1, MOST_TERMS, () => concatBytes(blsG1(random, pools), someScalar(random, BLS_ORDER))),
    ({ bls12381 }, input) => bls12381.sumOfMultiplesG1(input),
  ),
  oneInput(
    "bls g2 msm",
    30,
    (random, pools) =>
      list(random, 1, MOST_TERMS, () => concatBytes(blsG2(random, pools), someScalar(random, BLS_ORDER))),
    ({ bls12381 }, input) => bls12381.sumOfMultiplesG2(input),
  ),
  oneInput(
    "bls pairing",
    30,
    (random, pools) =>
      pairs(random, 1, pools.blsG1, pools.blsG2, () =>
        concatBytes(blsG1(random, pools), blsG2(random, pools)),
      ),
    ({ bls12381 }, input) => bls12381.pairing(input),
  ),
  oneInput("bls map fp", 100, blsElement, ({ bls12381 }, input) => bls12381.mapToG1(input)),
  oneInput(
    "bls map fp2",
    40,
    (random) => concatBytes(blsElement(random), blsElement(random)),
    ({ bls12381 }, input) => bls12381.mapToG2(input),
  ),
  { name: "kzg", share: 6, make: kzgCase },
  { name: "p256 verify", share: 250, make: p256Case },
  { name: "modular power", share: 1000, make: modularCase },
  {
    name: "blake2f",
    share: 500,
    make: (random) => {
      const block = random.bytes(208);
      const rounds = random.below(random.chance(1, 20) ? 500 : 30);
      const isFinal = random.chance(1, 2);
      return caseOf([block], ({ blake2 }) => blake2.compress(rounds, block, isFinal));
    },
  },
  oneInput(
    "hashes",
    500,
    (random) => random.bytes(random.below(random.chance(1, 10) ? 3000 : 300)),
    ({ hash }, input) => concatBytes(hash.sha256(input), hash.ripemd160(input), hash.keccak256(input)),
  ),
];
