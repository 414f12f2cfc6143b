import { hash as nodeHash, scryptSync } from "node:crypto";
import { createRequire } from "node:module";
import { assert, type Bytes, bigintToBytes, bytesToBigint, type Hash } from "@ostrom/base";
import {
  assertBlsSecretKey,
  assertSecp256k1SecretKey,
  type Blake2Engine,
  type Bls12381Engine,
  type BlsEngine,
  type Bn254Engine,
  createDecodedKeyCache,
  type EcvrfEngine,
  engineNames,
  type HashEngine,
  installCipherEngines,
  installEngines,
  installKeyAgreement,
  installSignatureEngines,
  installWorkHashes,
  type ModularEngine,
  nobleBls,
  type P256Engine,
  SECP256K1_ORDER,
  type Secp256k1Engine,
  type SignatureEngines,
  WORK_SCRYPT,
  type WorkHashEngine,
} from "@ostrom/crypto";
import { createEmittedBlake2, createEmittedKeccak, createEmittedModular } from "@ostrom/vm";
import { loadMclBls12381 } from "./native-crypto-bls12381.ts";
import { loadMclBn254 } from "./native-crypto-bn254.ts";
import { createNativeCiphers, createNativeKeyAgreement } from "./native-crypto-ciphers.ts";
import { createOpensslEcvrf } from "./native-crypto-ecvrf.ts";
import type { SodiumBinding } from "./native-crypto-ed25519.ts";
import { createOpensslP256 } from "./native-crypto-p256.ts";
import { createPossessionCheck } from "./native-crypto-possession.ts";
import { createNativeSignatures } from "./native-crypto-signatures.ts";

/** The native engines of core/crypto's slots. The test beside this file compares each with the reference. */
export type NativeCrypto = {
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

type Secp256k1Binding = typeof import("secp256k1");
type BlstBinding = typeof import("@chainsafe/blst");
type BlstPublicKey = InstanceType<BlstBinding["PublicKey"]>;
type BlstSignature = InstanceType<BlstBinding["Signature"]>;

const SECP256K1_SIGNATURE_LENGTH = 64;
const BLS_PUBLIC_KEY_LENGTH = 48;
const BLS_SIGNATURE_LENGTH = 96;
const MAX_CACHED_KEYS = 4096;
/** First byte of a compressed point at infinity. */
const INFINITY_FLAGS = 0xc0;

const load = createRequire(import.meta.url);

/** Loads the native engines without installing them.
 * Throws an Error that says what is missing and what to do, if a binding does not load on this machine. */
export function loadNativeCrypto(): NativeCrypto {
  const blst = loadNativeBinding<BlstBinding>("@chainsafe/blst");
  const modular = createEmittedModular();
  const bls12381 = loadMclBls12381(blst);
  return {
    hash: createHash(),
    secp256k1: loadSecp256k1(),
    bls: loadBlst(blst, bls12381),
    bn254: loadMclBn254(),
    bls12381,
    p256: createOpensslP256(modular),
    modular,
    blake2: createEmittedBlake2(),
    ecvrf: createOpensslEcvrf(),
  };
}

/** Puts the native engines into core/crypto's slots; once in each process and worker, before anything is computed.
 * @returns the names of the engines that now sit there.
 * Throws as `loadNativeCrypto`. */
export function installNativeCrypto(): ReturnType<typeof engineNames> {
  const native = loadNativeCrypto();
  installEngines(native);
  installWorkHashes(createWorkHashes());
  installSignatureEngines(loadNativeSignatures(native.secp256k1));
  installCipherEngines(createNativeCiphers());
  installKeyAgreement(createNativeKeyAgreement());
  return engineNames();
}

/** Loads the native engines of signature schemes without installing them. Throws as `loadNativeCrypto`. */
export function loadNativeSignatures(secp256k1: Secp256k1Engine = loadSecp256k1()): SignatureEngines {
  return createNativeSignatures(secp256k1, loadNativeBinding<SodiumBinding>("sodium-native"));
}

function createWorkHashes(): WorkHashEngine {
  const { N, r, p, dkLen } = WORK_SCRYPT;
  return {
    name: "openssl",
    scrypt: (data) => new Uint8Array(scryptSync(data, data, dkLen, { N, r, p })),
  };
}

/** Up to here the engine's own Keccak is faster (measured: 0.35 against 0.8 us for 64 bytes, alike at 700). */
const MAX_SHORT_KECCAK_LENGTH = 600;

/** OpenSSL's hashes; Keccak of short inputs, which tries are made of, by WebAssembly. Text and back costs less than a Buffer
 * (measured: 0.95 against 1.4 us for 32 bytes), and gives a plain Uint8Array, whose slice() copies where a Buffer's would
 * share memory. */
function createHash(): HashEngine {
  const shortKeccak256 = createEmittedKeccak();
  return {
    name: "openssl+wasm",
    keccak256: (data) =>
      data.length <= MAX_SHORT_KECCAK_LENGTH
        ? shortKeccak256(data)
        : Uint8Array.fromHex(nodeHash("keccak-256", data, "hex")),
    sha256: (data) => Uint8Array.fromHex(nodeHash("sha256", data, "hex")),
    ripemd160: (data) => Uint8Array.fromHex(nodeHash("ripemd160", data, "hex")),
    sm3: (data) => Uint8Array.fromHex(nodeHash("sm3", data, "hex")),
  };
}

/** libsecp256k1. The package's main entry falls back to JavaScript without a word, so its binding is asked for by path. */
function loadSecp256k1(): Secp256k1Engine {
  const binding = loadNativeBinding<Secp256k1Binding>("secp256k1/bindings");
  return {
    name: "libsecp256k1",
    recover: (hash, signature, yParity) => {
      if (signature.length !== SECP256K1_SIGNATURE_LENGTH) return undefined;
      try {
        return binding.ecdsaRecover(signature, yParity, hash, false).subarray(1);
      } catch {
        return undefined;
      }
    },
    sign: (hash, secretKey) => {
      assertSecp256k1SecretKey(secretKey);
      const { signature, recid } = binding.ecdsaSign(belowOrder(hash), secretKey);
      assert(recid === 0 || recid === 1, "a signature's x coordinate must be below the group's order");
      return { signature, yParity: recid };
    },
    publicKey: (secretKey) => {
      assertSecp256k1SecretKey(secretKey);
      return binding.publicKeyCreate(secretKey, false).subarray(1);
    },
  };
}

/** A hash modulo the group's order, as RFC 6979 feeds it to the nonce (2.3.4, bits2octets): libsecp256k1 feeds it unreduced
 * and would choose another nonce than other implementations for the one hash in 2^128 that reaches the order. */
function belowOrder(hash: Hash): Bytes {
  if (hash[0] !== 0xff) return hash;
  const value = bytesToBigint(hash);
  return value < SECP256K1_ORDER ? hash : bigintToBytes(value - SECP256K1_ORDER, hash.length);
}

function loadBlst(binding: BlstBinding, curve: Bls12381Engine): BlsEngine {
  const readPublicKey = createDecodedKeyCache((bytes) => readBlstPublicKey(binding, bytes), MAX_CACHED_KEYS);
  const secretKeyOf = (bytes: Bytes): InstanceType<BlstBinding["SecretKey"]> => {
    assertBlsSecretKey(bytes);
    return binding.SecretKey.fromBytes(bytes);
  };
  const verifyAggregate: BlsEngine["verifyAggregate"] = (keys, message, signature) => {
    const decodedSignature = readBlstSignature(binding, signature);
    if (decodedSignature === undefined || keys.length === 0) return false;
    const decodedKeys: BlstPublicKey[] = [];
    for (const key of keys) {
      const decoded = readPublicKey(key);
      if (decoded === undefined) return false;
      decodedKeys.push(decoded);
    }
    return binding.fastAggregateVerify(message, decodedKeys, decodedSignature, false);
  };
  return {
    name: "blst",
    publicKey: (secretKey) => secretKeyOf(secretKey).toPublicKey().toBytes(true),
    sign: (secretKey, message) => secretKeyOf(secretKey).sign(message).toBytes(true),
    verify: (key, message, signature) => verifyAggregate([key], message, signature),
    aggregate: (signatures) => aggregate(binding, signatures),
    verifyAggregate,
    // The binding has messages' tag built in. Possession is proved once in a key's life, so the reference does.
    provePossession: nobleBls.provePossession,
    verifyPossession: createPossessionCheck(binding, curve),
  };
}

function readBlstPublicKey(binding: BlstBinding, bytes: Bytes): BlstPublicKey | undefined {
  if (bytes.length !== BLS_PUBLIC_KEY_LENGTH) return undefined;
  try {
    return binding.PublicKey.fromBytes(bytes, true);
  } catch {
    return undefined;
  }
}

function readBlstSignature(binding: BlstBinding, bytes: Bytes): BlstSignature | undefined {
  if (bytes.length !== BLS_SIGNATURE_LENGTH) return undefined;
  try {
    return binding.Signature.fromBytes(bytes, true, true);
  } catch {
    return undefined;
  }
}

function aggregate(binding: BlstBinding, signatures: readonly Bytes[]): Bytes | undefined {
  const decoded: BlstSignature[] = [];
  for (const signature of signatures) {
    const point = readBlstSignature(binding, signature);
    if (point === undefined) return undefined;
    decoded.push(point);
  }
  if (decoded.length === 0) return undefined;
  const sum = binding.aggregateSignatures(decoded, false).toBytes(true);
  return sum[0] === INFINITY_FLAGS ? undefined : sum;
}

/** Loads a native addon. Throws an Error that says which one is missing, where, and what to do. */
export function loadNativeBinding<Binding>(path: string): Binding {
  try {
    return load(path) as Binding;
  } catch (cause) {
    throw new Error(
      `the native part of "${path}" does not load on ${process.platform}-${process.arch} with Node ${process.version}; ` +
        "delete node_modules and install again with install scripts allowed",
      { cause },
    );
  }
}
