import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { assert, type Bytes, concatBytes, hex, must, utf8 } from "@ostrom/base";
import { DER_TAGS, derBitString, derElement, derInteger, derSequence, readDer } from "./der.ts";

/** SM2 as node:crypto offers it (GB/T 32918-2016). OpenSSL knows the curve under two types of key: one that signs by SM2's rules, but agrees on
 * nothing, and one of general elliptic curves, which signs ECDSA. */

export const SM2_POINT_BYTES = 64;
export const SM2_SIGNATURE_BYTES = 64;
const COORDINATE_BYTES = 32;
const UNCOMPRESSED = 4;
/** The identifier that all use who have no other: GM/T 0009-2012. Its length in bits stands before it. */
const DEFAULT_IDENTIFIER: Bytes = concatBytes(Uint8Array.of(0, 128), utf8("1234567812345678"));
/** Parameters of GB/T 32918.5-2017. */
const FIELD = hex("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff");
const A = hex("fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc");
const B = hex("28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93");
const ORDER = hex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
const BASE = hex(
  "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0",
);
/** Twice the base point: see explicitParameters. */
const DOUBLED_BASE = hex(
  "56cefd60d7c87c000d58ef57fa73ba4d9c0dfa08c08a7331495c2e1da3f2bd5231b7e7e6cc8189f668535ce0f8eaf1bd6de84c182f6c8e716f780d3a970a23c3",
);

/** ZA of GB/T 32918.2-2016, 5.5, which is hashed before each message. */
function sm2Prefix(publicKey: Bytes): Bytes {
  const hash = createHash("sm3").update(DEFAULT_IDENTIFIER).update(A).update(B).update(BASE);
  return new Uint8Array(hash.update(publicKey).digest());
}

/** @param privateKey as it comes out of PEM. @returns DER, SEQUENCE { r, s }. */
export function sm2SignDer(privateKey: KeyObject, publicKey: Bytes, message: Bytes): Bytes {
  return new Uint8Array(createSign("sm3").update(sm2Prefix(publicKey)).update(message).sign(privateKey));
}

/** @param key as it comes out of PEM or a certificate. @param publicKey the same key, raw. */
export function sm2VerifyDer(key: KeyObject, publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  return createVerify("sm3").update(sm2Prefix(publicKey)).update(message).verify(key, signature);
}

/** r || s as DER. */
export function sm2SignatureToDer(signature: Bytes): Bytes {
  return derSequence(
    derInteger(signature.subarray(0, COORDINATE_BYTES)),
    derInteger(signature.subarray(COORDINATE_BYTES)),
  );
}

/** What `sm2SignDer` has made, as r || s. */
export function sm2SignatureFromDer(der: Bytes): Bytes {
  const numbers = readDer(must(readDer(der)?.[0], "OpenSSL writes one element").content);
  assert(numbers?.length === 2, "a signature is two numbers");
  const signature = new Uint8Array(SM2_SIGNATURE_BYTES);
  numbers.forEach(({ content }, index) => {
    const digits = content.subarray(Math.max(0, content.length - COORDINATE_BYTES));
    signature.set(digits, (index + 1) * COORDINATE_BYTES - digits.length);
  });
  return signature;
}

/** A key for one agreement (ECDH, SP 800-56A 5.7.1.2, on SM2's curve). */
export type Sm2Ephemeral = {
  /** x || y. */
  readonly point: Bytes;
  /** @param point x || y of the other side.
   * @returns the x of the common point; undefined if `point` is none of the curve. */
  readonly agree: (point: Bytes) => Bytes | undefined;
};

export function createSm2Ephemeral(): Sm2Ephemeral {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "SM2" });
  const point = publicKey.export({ format: "raw-public" }).subarray(1);
  return sm2EphemeralOf(new Uint8Array(privateKey.export({ format: "raw-private" })), new Uint8Array(point));
}

/** @param secret a scalar, big-endian. @param point its public key, x || y. */
export function sm2EphemeralOf(secret: Bytes, point: Bytes): Sm2Ephemeral {
  const key = derSequence(
    derInteger(Uint8Array.of(1)),
    derElement(DER_TAGS.octetString, secret),
    derElement(DER_TAGS.context1, derBitString(uncompressed(point))),
  );
  const pkcs8 = derSequence(
    derInteger(Uint8Array.of(0)),
    derSequence(EC_KEY_OBJECT_ID, EXPLICIT_PARAMETERS),
    derElement(DER_TAGS.octetString, key),
  );
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  return {
    point,
    agree: (other) => {
      const publicKey = other.length === SM2_POINT_BYTES ? explicitPublicKey(other) : undefined;
      return publicKey === undefined ? undefined : new Uint8Array(diffieHellman({ privateKey, publicKey }));
    },
  };
}

/** OpenSSL sees to it that the point lies on the curve. */
function explicitPublicKey(point: Bytes): KeyObject | undefined {
  const spki = derSequence(
    derSequence(EC_KEY_OBJECT_ID, EXPLICIT_PARAMETERS),
    derBitString(uncompressed(point)),
  );
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** OBJECT IDENTIFIER 1.2.840.10045.2.1, id-ecPublicKey. */
const EC_KEY_OBJECT_ID = hex("06072a8648ce3d0201");
/** OBJECT IDENTIFIER 1.2.840.10045.1.1, prime-field. */
const PRIME_FIELD_OBJECT_ID = hex("06072a8648ce3d0101");
const EXPLICIT_PARAMETERS = explicitParameters();

/** SM2's curve, written out (RFC 3279, 2.3.5), with another base point. Keys that name the curve, or write it out as it is, become keys of the type
 * that agrees on nothing. A base point takes no part in agreement: that multiplies the other side's point. The cofactor has to be there, so that
 * OpenSSL multiplies in constant time. */
function explicitParameters(): Bytes {
  return derSequence(
    derInteger(Uint8Array.of(1)),
    derSequence(PRIME_FIELD_OBJECT_ID, derInteger(FIELD)),
    derSequence(derElement(DER_TAGS.octetString, A), derElement(DER_TAGS.octetString, B)),
    derElement(DER_TAGS.octetString, uncompressed(DOUBLED_BASE)),
    derInteger(ORDER),
    derInteger(Uint8Array.of(1)),
  );
}

function uncompressed(point: Bytes): Bytes {
  return concatBytes(Uint8Array.of(UNCOMPRESSED), point);
}
