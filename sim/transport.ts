import { type Bytes, concatBytes, equalBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { transportKeyOf } from "./genesis.ts";

/** Ed25519 by OpenSSL on the machine that the other costs are measured on. */
const SIGN_US = 45;
const VERIFY_US = 120;

/** Signatures of links' keys cost next to nothing, as those of consensus: a hash of message and public key, which is its own secret. */
export function transportSign(publicKey: Bytes, message: Bytes): Bytes {
  return keccak256(concatBytes(publicKey, message));
}

export function transportVerify(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  return equalBytes(signature, transportSign(publicKey, message));
}

/** What a validator signs attestations with; each operation is charged to its own processor. */
export function simulatedTransportKey(
  identity: number,
  charge: (us: number) => void,
): {
  readonly sign: (message: Bytes) => Bytes;
  readonly verify: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
} {
  const publicKey = transportKeyOf(identity);
  return {
    sign: (message) => {
      charge(SIGN_US);
      return transportSign(publicKey, message);
    },
    verify: (key, message, signature) => {
      charge(VERIFY_US);
      return transportVerify(key, message, signature);
    },
  };
}
