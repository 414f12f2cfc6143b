import { type Bytes, Hash } from "@ostrom/base";
import type {
  Blake2Engine,
  Bls12381Engine,
  Bn254Engine,
  ModularEngine,
  P256Engine,
} from "./arithmetic-engines.ts";
import { bigintModular } from "./bigint-modular.ts";
import type { EcvrfEngine } from "./ecvrf.ts";
import { nobleBls } from "./noble-bls.ts";
import { nobleBls12381 } from "./noble-bls12-381.ts";
import { nobleBn254 } from "./noble-bn254.ts";
import { nobleEcvrf } from "./noble-ecvrf.ts";
import { nobleHash } from "./noble-hash.ts";
import { nobleP256 } from "./noble-p256.ts";
import { nobleSecp256k1 } from "./noble-secp256k1.ts";
import { plainBlake2 } from "./plain-blake2.ts";

/** Hash functions of bytes of any length to 32 bytes; RIPEMD-160 gives 20. */
export type HashEngine = {
  readonly name: string;
  readonly keccak256: (data: Bytes) => Bytes;
  readonly sha256: (data: Bytes) => Bytes;
  readonly ripemd160: (data: Bytes) => Bytes;
  readonly sm3: (data: Bytes) => Bytes;
};

/** ECDSA over secp256k1 (SEC 1, SEC 2). Every engine answers alike on every input, hostile ones included:
 * a test compares them. Signatures are r || s, 64 bytes big-endian; public keys are x || y, 64 bytes. Secret keys are
 * 32 bytes in [1, n); anything else is a bug of the caller and throws InvariantError. */
export type Secp256k1Engine = {
  readonly name: string;
  /** @returns the signer's public key, or undefined if no such key exists (wrong length, r or s out of range, no curve
   * point, infinity). High s is accepted here: EIP-2 is the caller's rule. */
  readonly recover: (hash: Hash, signature: Bytes, yParity: 0 | 1) => Bytes | undefined;
  /** Deterministic (RFC 6979), low s. */
  readonly sign: (hash: Hash, secretKey: Bytes) => { readonly signature: Bytes; readonly yParity: 0 | 1 };
  readonly publicKey: (secretKey: Bytes) => Bytes;
};

/** BLS12-381 signatures, public keys in G1 (48 bytes), signatures in G2 (96 bytes), both compressed;
 * proof-of-possession ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ (draft-irtf-cfrg-bls-signature-05).
 * Points are checked to lie in the right subgroup and infinity is refused, as a key, a signature and a sum of either.
 * Secret keys are 32 bytes big-endian in [1, r); anything else is a bug of the caller and throws InvariantError.
 * Every engine answers alike on every input. */
export type BlsEngine = {
  readonly name: string;
  readonly publicKey: (secretKey: Bytes) => Bytes;
  readonly sign: (secretKey: Bytes, message: Bytes) => Bytes;
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
  /** @returns undefined if a signature is malformed, the list is empty, or the sum is infinity. */
  readonly aggregate: (signatures: readonly Bytes[]) => Bytes | undefined;
  /** FastAggregateVerify: all signed the same message. False for an empty list. Only sound for keys whose possession
   * was proved. */
  readonly verifyAggregate: (publicKeys: readonly Bytes[], message: Bytes, signature: Bytes) => boolean;
  /** PopProve: a signature on the own public key under a tag of its own, 96 bytes. */
  readonly provePossession: (secretKey: Bytes) => Bytes;
  /** PopVerify. A key joins a validator set only with this, or rogue keys could forge aggregates. */
  readonly verifyPossession: (publicKey: Bytes, proof: Bytes) => boolean;
};

/** One engine for each kind of computation. */
export type Engines = {
  readonly hash: HashEngine;
  readonly secp256k1: Secp256k1Engine;
  readonly bls: BlsEngine;
  readonly bn254: Bn254Engine;
  readonly bls12381: Bls12381Engine;
  readonly p256: P256Engine;
  readonly modular: ModularEngine;
  readonly blake2: Blake2Engine;
  readonly ecvrf: EcvrfEngine;
};

/** Plain and slow: what every other engine is compared with. */
export const REFERENCE_ENGINES: Engines = {
  hash: nobleHash,
  secp256k1: nobleSecp256k1,
  bls: nobleBls,
  bn254: nobleBn254,
  bls12381: nobleBls12381,
  p256: nobleP256,
  modular: bigintModular,
  blake2: plainBlake2,
  ecvrf: nobleEcvrf,
};

let engines: Engines = REFERENCE_ENGINES;

/** Puts faster implementations into the slots, once, when a process or worker starts. */
export function installEngines(replacements: Partial<Engines>): void {
  engines = { ...engines, ...replacements };
}

/** Which engine sits in each slot: a validator refuses to start on the reference ones. */
export function engineNames(): Readonly<Record<keyof Engines, string>> {
  return {
    hash: engines.hash.name,
    secp256k1: engines.secp256k1.name,
    bls: engines.bls.name,
    bn254: engines.bn254.name,
    bls12381: engines.bls12381.name,
    p256: engines.p256.name,
    modular: engines.modular.name,
    blake2: engines.blake2.name,
    ecvrf: engines.ecvrf.name,
  };
}

/** Keccak-256 as Ethereum uses it (the padding before FIPS 202). */
export function keccak256(data: Bytes): Hash {
  return Hash(engines.hash.keccak256(data));
}

/** SHA-256 (FIPS 180-4). */
export function sha256(data: Bytes): Hash {
  return Hash(engines.hash.sha256(data));
}

/** RIPEMD-160 (ISO/IEC 10118-3), 20 bytes. */
export function ripemd160(data: Bytes): Bytes {
  return engines.hash.ripemd160(data);
}

/** SM3 (GB/T 32905-2016). */
export function sm3(data: Bytes): Hash {
  return Hash(engines.hash.sm3(data));
}

/** The slot's secp256k1 engine. */
export function secp256k1(): Secp256k1Engine {
  return engines.secp256k1;
}

/** The slot's engine of BLS signatures. */
export function bls(): BlsEngine {
  return engines.bls;
}

/** The slot's BN254 engine. */
export function bn254(): Bn254Engine {
  return engines.bn254;
}

/** The slot's engine of BLS12-381's arithmetic. */
export function bls12381(): Bls12381Engine {
  return engines.bls12381;
}

/** The slot's P-256 engine. */
export function p256(): P256Engine {
  return engines.p256;
}

/** The slot's engine of modular powers. */
export function modular(): ModularEngine {
  return engines.modular;
}

/** The slot's BLAKE2b engine. */
export function blake2(): Blake2Engine {
  return engines.blake2;
}

/** The slot's engine of the verifiable random function. */
export function ecvrf(): EcvrfEngine {
  return engines.ecvrf;
}
