import { createPrivateKey, createSign, createVerify, type KeyObject } from "node:crypto";
import { type Bytes, bigintToBytes, bytesToBigint, concatBytes } from "@ostrom/base";
import {
  assertSm2SecretKey,
  createDecodedKeyCache,
  keyAgreement,
  type SignatureEngine,
  SM2_FIELD,
  SM2_ORDER,
  sm2MessageHash,
  sm2SignerHash,
} from "@ostrom/crypto";
import { readPublicKeyInfo } from "./native-crypto-keys.ts";
import { createSecretKeyCache } from "./native-crypto-secrets.ts";
import { createSm2Arithmetic, type Sm2Arithmetic } from "./native-crypto-sm2-points.ts";

const WORD = 32;
const MAX_CACHED_KEYS = 1024;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** What precedes x || y in a DER SubjectPublicKeyInfo of an SM2 key (RFC 5480; curve 1.2.156.10197.1.301). */
const PUBLIC_PREFIX: Bytes = Uint8Array.fromHex("3059301306072a8648ce3d020106082a811ccf5501822d03420004");
/** What precedes and follows the scalar in a DER PrivateKeyInfo (RFC 5958, 5915). */
const PRIVATE_PREFIX: Bytes = Uint8Array.fromHex(
  "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420",
);
const PRIVATE_MIDDLE: Bytes = Uint8Array.fromHex("a14403420004");

/** SM2 by OpenSSL. A key that OpenSSL has made itself signs ECDSA with SM3 through node:crypto, without a word; one that was read from DER signs SM2,
 * and then knows no identifier: Z_A is hashed here, before the message. */
export function createOpensslSm2(): SignatureEngine {
  const readKey = createDecodedKeyCache(
    (bytes) => readPublicKeyInfo(concatBytes(PUBLIC_PREFIX, bytes)),
    MAX_CACHED_KEYS,
  );
  const readSecret = createSecretKeyCache(readSecretKey);
  return {
    name: "openssl",
    publicKey: (secretKey) => readSecret(secretKey).publicKey,
    sign: (secretKey, message) => {
      const { key, publicKey } = readSecret(secretKey);
      return readSignature(createSign("sm3").update(sm2SignerHash(publicKey)).update(message).sign(key));
    },
    verify: (keyBytes, message, signature) => {
      if (readNumbers(signature) === undefined) return false;
      const key = readKey(keyBytes);
      if (key === undefined) return false;
      const verification = createVerify("sm3").update(sm2SignerHash(keyBytes)).update(message);
      return verification.verify(key, writeSignature(signature));
    },
  };
}

/** SM2 verified by our own arithmetic in WebAssembly, some six times as fast as OpenSSL's for a key that was met before; OpenSSL signs, which must not
 * show the secret in its time, and decides the cases that our sums leave open (infinity, two equal points). */
export function createEmittedSm2(): SignatureEngine {
  const openssl = createOpensslSm2();
  let started: Sm2Arithmetic | undefined;
  return {
    ...openssl,
    name: "wasm+openssl",
    verify: (keyBytes, message, signature, context) => {
      const numbers = readNumbers(signature);
      if (numbers === undefined) return false;
      const { r, s } = numbers;
      const t = (r + s) % SM2_ORDER;
      if (t === 0n) return false;
      started ??= createSm2Arithmetic();
      const table = started.tableOf(keyBytes);
      if (table === undefined) return false;
      const sum = started.sumOfMultiples(bigintToBytes(s, WORD), bigintToBytes(t, WORD), table);
      if (sum === undefined) return openssl.verify(keyBytes, message, signature, context);
      // r = e + x modulo n, and x, below p, may have exceeded n.
      const hash = bytesToBigint(sm2MessageHash(keyBytes, message)) % SM2_ORDER;
      const x = (r - hash + SM2_ORDER) % SM2_ORDER;
      return sum.hasX(x) || (x + SM2_ORDER < SM2_FIELD && sum.hasX(x + SM2_ORDER));
    },
  };
}

/** @returns undefined if one is out of range. */
function readNumbers(signature: Bytes): { readonly r: bigint; readonly s: bigint } | undefined {
  const r = bytesToBigint(signature.subarray(0, WORD));
  const s = bytesToBigint(signature.subarray(WORD));
  return r > 0n && r < SM2_ORDER && s > 0n && s < SM2_ORDER ? { r, s } : undefined;
}

type SecretKey = { readonly key: KeyObject; readonly publicKey: Bytes };

function readSecretKey(secretKey: Bytes): SecretKey {
  assertSm2SecretKey(secretKey);
  const publicKey = keyAgreement().sm2PublicKey(secretKey);
  const encoded = concatBytes(PRIVATE_PREFIX, secretKey, PRIVATE_MIDDLE, publicKey);
  const key = createPrivateKey({ key: Buffer.from(encoded.buffer), format: "der", type: "pkcs8" });
  encoded.fill(0);
  return { key, publicKey };
}

/** r || s as DER: the smallest form of each, with a zero before a first bit that is set. */
function writeSignature(signature: Bytes): Bytes {
  const integers = [signature.subarray(0, WORD), signature.subarray(WORD)].map((word) => {
    const start = word.findIndex((byte) => byte !== 0);
    const digits = word.subarray(start);
    const padded = (digits[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), digits) : digits;
    return concatBytes(Uint8Array.of(INTEGER, padded.length), padded);
  });
  const body = concatBytes(...integers);
  return concatBytes(Uint8Array.of(SEQUENCE, body.length), body);
}

/** @param encoded as OpenSSL writes it: every length is one byte. */
function readSignature(encoded: Bytes): Bytes {
  const lengthOfR = encoded[3] ?? 0;
  const startOfS = 4 + lengthOfR + 2;
  const words = [encoded.subarray(4, 4 + lengthOfR), encoded.subarray(startOfS)];
  return concatBytes(...words.map((word) => bigintToBytes(bytesToBigint(word), WORD)));
}
