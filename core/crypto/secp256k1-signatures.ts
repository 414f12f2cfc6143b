import { type Bytes, bytesToBigint, concatBytes, equalBytes } from "@ostrom/base";
import { keccak256, type Secp256k1Engine } from "./engine.ts";
import { SECP256K1_ORDER } from "./secret-keys.ts";
import type { SignatureEngine } from "./signature-engine.ts";

const RS_LENGTH = 64;
const HALF_ORDER = SECP256K1_ORDER >> 1n;

/** Signatures of whole messages, r || s || yParity over keccak256, by an engine that recovers keys. High s is refused (EIP-2): each signature
 * would have a second form.
 * @param engine asked for at each call, so that it may be a slot's. */
export function recoveringSignatures(name: string, engine: () => Secp256k1Engine): SignatureEngine {
  return {
    name,
    publicKey: (secretKey) => engine().publicKey(secretKey),
    sign: (secretKey, message) => {
      const { signature, yParity } = engine().sign(keccak256(message), secretKey);
      return concatBytes(signature, Uint8Array.of(yParity));
    },
    verify: (publicKey, message, signature) => {
      const yParity = signature[RS_LENGTH];
      if ((yParity !== 0 && yParity !== 1) || isHigh(signature.subarray(RS_LENGTH / 2, RS_LENGTH)))
        return false;
      const signer = engine().recover(keccak256(message), signature.subarray(0, RS_LENGTH), yParity);
      return signer !== undefined && equalBytes(signer, publicKey);
    },
  };
}

function isHigh(s: Bytes): boolean {
  return bytesToBigint(s) > HALF_ORDER;
}
