import { secp256k1 as curve } from "@noble/curves/secp256k1.js";
import { assert, type Bytes, type Hash } from "@ostrom/base";
import type { Secp256k1Engine } from "./engine.ts";
import { assertSecp256k1SecretKey } from "./secret-keys.ts";

const SIGNATURE_LENGTH = 64;

/** The reference engine of secp256k1: portable, a twentieth of the native one's speed. */
export const nobleSecp256k1: Secp256k1Engine = { name: "noble", recover, sign, publicKey };

function recover(hash: Hash, signature: Bytes, yParity: 0 | 1): Bytes | undefined {
  if (signature.length !== SIGNATURE_LENGTH) return undefined;
  try {
    const parsed = curve.Signature.fromBytes(signature, "compact").addRecoveryBit(yParity);
    return parsed.recoverPublicKey(hash).toBytes(false).subarray(1);
  } catch {
    return undefined;
  }
}

function sign(hash: Hash, secretKey: Bytes): { readonly signature: Bytes; readonly yParity: 0 | 1 } {
  assertSecp256k1SecretKey(secretKey);
  const recovered = curve.sign(hash, secretKey, { prehash: false, lowS: true, format: "recovered" });
  const yParity = recovered[0];
  // 2 and 3 would say that the nonce's x coordinate exceeded the group's order: one chance in 2^127.
  assert(yParity === 0 || yParity === 1, "a signature's x coordinate must be below the group's order");
  return { signature: recovered.subarray(1), yParity };
}

function publicKey(secretKey: Bytes): Bytes {
  assertSecp256k1SecretKey(secretKey);
  return curve.getPublicKey(secretKey, false).subarray(1);
}
