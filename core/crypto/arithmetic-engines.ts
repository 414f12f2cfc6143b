import type { Bytes } from "@ostrom/base";

/** Slots for the arithmetic of precompiles and of proofs. All are pure functions of bytes, take anything, keep and change no
 * input, and return memory of their own. Lengths are the caller's matter: another one than stated is the caller's bug.
 * Every engine answers alike on every input, hostile ones included: a test compares them. */

/** BN254 (alt_bn128). A coordinate is 32 bytes, big-endian, below the field's order. A point of G1 is x || y; one of G2 has
 * each coordinate's imaginary part first; infinity is zeros. Sources: EIP-196, EIP-197. */
export type Bn254Engine = {
  readonly name: string;
  /** Sum of two points of G1. @param points 128 bytes. @returns undefined if one is no point of the curve. */
  readonly add: (points: Bytes) => Bytes | undefined;
  /** @param point 64 bytes. @param scalar 32 bytes, of any value. @returns undefined if it is no point of the curve. */
  readonly multiply: (point: Bytes, scalar: Bytes) => Bytes | undefined;
  /** Whether the product of the pairings is one.
   * @param pairs each 192 bytes: a point of G1, one of G2; none at all gives true.
   * @returns undefined if one is no point of its curve or, in G2, none of the subgroup. */
  readonly pairing: (pairs: Bytes) => boolean | undefined;
};

/** BLS12-381. A field element is 64 bytes, big-endian, below the field's order; a pair of the extension is c0 || c1. A
 * point is x || y, 128 bytes in G1 and 256 in G2; infinity is zeros. A scalar is 32 bytes, of any value.
 * Source: EIP-2537. */
export type Bls12381Engine = {
  readonly name: string;
  /** Sum of two points of the curve. @returns undefined if one is none. */
  readonly addG1: (points: Bytes) => Bytes | undefined;
  readonly addG2: (points: Bytes) => Bytes | undefined;
  /** Sum of points, each times its scalar. @param terms at least one, each a point and a scalar.
   * @returns undefined if a point does not lie in the subgroup. */
  readonly sumOfMultiplesG1: (terms: Bytes) => Bytes | undefined;
  readonly sumOfMultiplesG2: (terms: Bytes) => Bytes | undefined;
  /** Whether the product of the pairings is one. @param pairs at least one, each a point of G1 and one of G2.
   * @returns undefined if one does not lie in its subgroup. */
  readonly pairing: (pairs: Bytes) => boolean | undefined;
  /** The simplified SWU map and the clearing of the cofactor of RFC 9380. @returns undefined if it is no element. */
  readonly mapToG1: (element: Bytes) => Bytes | undefined;
  readonly mapToG2: (pair: Bytes) => Bytes | undefined;
  /** Whether the polynomial that was committed to is y at z, by the setup of the Ethereum KZG ceremony (EIP-4844,
   * verify_kzg_proof). Points are compressed, 48 bytes; z and y are 32 bytes, big-endian.
   * @returns false also for what is malformed. */
  readonly verifyKzgProof: (commitment: Bytes, z: Bytes, y: Bytes, proof: Bytes) => boolean;
};

/** ECDSA over P-256 (FIPS 186-5) on a hash that is already computed. */
export type P256Engine = {
  readonly name: string;
  /** @param hash 32 bytes. @param signature r || s, 64 bytes; high s is fine. @param publicKey x || y, 64 bytes.
   * @returns false also for what is out of range and for a key off the curve. */
  readonly verify: (hash: Bytes, signature: Bytes, publicKey: Bytes) => boolean;
};

/** Numbers of any size, big-endian. */
export type ModularEngine = {
  readonly name: string;
  /** base ** exponent mod modulus, in as many bytes as the modulus has; zeros if the modulus is 0. 0 ** 0 is 1. */
  readonly power: (base: Bytes, exponent: Bytes, modulus: Bytes) => Bytes;
};

/** The compression function F of BLAKE2b (RFC 7693, 3.2) with any number of rounds. */
export type Blake2Engine = {
  readonly name: string;
  /** @param rounds in [0, 2^32). @param block h (64 bytes), m (128), t (16), all little-endian.
   * @returns the new h, 64 bytes. */
  readonly compress: (rounds: number, block: Bytes, isFinal: boolean) => Bytes;
};
