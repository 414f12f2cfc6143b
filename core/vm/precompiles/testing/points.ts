import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bn254 } from "@noble/curves/bn254.js";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, type Random } from "@ostrom/base";

/** Seeded points in the precompiles' encodings, honest and hostile. */

type FieldPair = { readonly c0: bigint; readonly c1: bigint };

const FP_LENGTH = 64;

export const BLS_FIELD_ORDER: bigint = bls12_381.fields.Fp.ORDER;
export const BN254_FIELD_ORDER: bigint = bn254.fields.Fp.ORDER;

export function blsField(value: bigint): Bytes {
  return bigintToBytes(value, FP_LENGTH);
}

export function encodeBlsG1(affine: { readonly x: bigint; readonly y: bigint }): Bytes {
  return concatBytes(blsField(affine.x), blsField(affine.y));
}

export function encodeBlsG2(affine: { readonly x: FieldPair; readonly y: FieldPair }): Bytes {
  const { x, y } = affine;
  return concatBytes(...[x.c0, x.c1, y.c0, y.c1].map(blsField));
}

function nonZeroScalar(random: Random, order: bigint): bigint {
  return (bytesToBigint(random.bytes(48)) % (order - 1n)) + 1n;
}

export function randomBlsG1(random: Random): Bytes {
  return encodeBlsG1(
    bls12_381.G1.Point.BASE.multiply(nonZeroScalar(random, bls12_381.fields.Fr.ORDER)).toAffine(),
  );
}

export function randomBlsG2(random: Random): Bytes {
  return encodeBlsG2(
    bls12_381.G2.Point.BASE.multiply(nonZeroScalar(random, bls12_381.fields.Fr.ORDER)).toAffine(),
  );
}

/** A point of G1's curve outside the subgroup: a random x coordinate all but never gives one inside. */
export function strayBlsG1(random: Random): Bytes {
  const { Fp } = bls12_381.fields;
  for (;;) {
    const x = Fp.create(bytesToBigint(random.bytes(48)));
    const y = squareRoot(Fp, Fp.add(Fp.pow(x, 3n), 4n));
    if (y !== undefined) return encodeBlsG1({ x, y });
  }
}

/** A point of G2's curve outside the subgroup. */
export function strayBlsG2(random: Random): Bytes {
  const { Fp, Fp2 } = bls12_381.fields;
  const b = bls12_381.G2.Point.CURVE().b;
  for (;;) {
    const part = (): bigint => Fp.create(bytesToBigint(random.bytes(48)));
    const x = Fp2.create({ c0: part(), c1: part() });
    const y = squareRoot(Fp2, Fp2.add(Fp2.pow(x, 3n), b));
    if (y !== undefined) return encodeBlsG2({ x, y });
  }
}

export function encodeBn254G1(affine: { readonly x: bigint; readonly y: bigint }): Bytes {
  return concatBytes(bigintToBytes(affine.x, 32), bigintToBytes(affine.y, 32));
}

export function encodeBn254G2(affine: { readonly x: FieldPair; readonly y: FieldPair }): Bytes {
  const { x, y } = affine;
  return concatBytes(...[x.c1, x.c0, y.c1, y.c0].map((part) => bigintToBytes(part, 32)));
}

export function randomBn254G1(random: Random): Bytes {
  return encodeBn254G1(bn254.G1.Point.BASE.multiply(nonZeroScalar(random, bn254.fields.Fr.ORDER)).toAffine());
}

export function randomBn254G2(random: Random): Bytes {
  return encodeBn254G2(bn254.G2.Point.BASE.multiply(nonZeroScalar(random, bn254.fields.Fr.ORDER)).toAffine());
}

/** A point of alt_bn128's twist outside the subgroup. */
export function strayBn254G2(random: Random): Bytes {
  const { Fp, Fp2 } = bn254.fields;
  const b = bn254.G2.Point.CURVE().b;
  for (;;) {
    const part = (): bigint => Fp.create(bytesToBigint(random.bytes(40)));
    const x = Fp2.create({ c0: part(), c1: part() });
    const y = squareRoot(Fp2, Fp2.add(Fp2.pow(x, 3n), b));
    if (y !== undefined) return encodeBn254G2({ x, y });
  }
}

function squareRoot<T>(field: { sqrt(value: T): T }, value: T): T | undefined {
  try {
    return field.sqrt(value);
  } catch {
    return undefined;
  }
}
