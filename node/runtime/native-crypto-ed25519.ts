import { type Bytes, bytesToBigint } from "@ostrom/base";
import type { SignatureEngine } from "@ostrom/crypto";

/** What of libsodium is used here; the package declares no types. */
export type SodiumBinding = {
  readonly crypto_sign_verify_detached: (signature: Bytes, message: Bytes, publicKey: Bytes) => boolean;
  readonly crypto_sign_detached: (signature: Bytes, message: Bytes, secretKey: Bytes) => void;
  readonly crypto_sign_seed_keypair: (publicKey: Bytes, secretKey: Bytes, seed: Bytes) => void;
};

const HALF = 32;
const SIGNATURE_LENGTH = 64;
const EXPANDED_SECRET_LENGTH = 64;

/** RFC 8032, 5.1. */
const FIELD_ORDER = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN_BIT = 2n ** 255n;
/** y of the points of order 1, 2, 4 and 8. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  1n,
  FIELD_ORDER - 1n,
  0n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]);

/** Ed25519 by libsodium, behind the rule that core/crypto's noble-ed25519.ts states: what it says of encodings is checked here, so that it does not
 * rest on the library's version; libsodium compares R byte by byte and multiplies by no cofactor. */
export function createSodiumEd25519(sodium: SodiumBinding): SignatureEngine {
  const expand = (seed: Bytes): { readonly publicKey: Bytes; readonly secretKey: Bytes } => {
    const publicKey = new Uint8Array(HALF);
    const secretKey = new Uint8Array(EXPANDED_SECRET_LENGTH);
    sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
    return { publicKey, secretKey };
  };
  return {
    name: "libsodium",
    publicKey: (seed) => {
      const { publicKey, secretKey } = expand(seed);
      secretKey.fill(0);
      return publicKey;
    },
    sign: (seed, message) => {
      const { secretKey } = expand(seed);
      const signature = new Uint8Array(SIGNATURE_LENGTH);
      sodium.crypto_sign_detached(signature, message, secretKey);
      secretKey.fill(0);
      return signature;
    },
    verify: (publicKey, message, signature) =>
      littleEndian(signature.subarray(HALF)) < GROUP_ORDER &&
      isStrictPoint(publicKey) &&
      isStrictPoint(signature.subarray(0, HALF)) &&
      sodium.crypto_sign_verify_detached(signature, message, publicKey),
  };
}

/** Whether an encoding is canonical and not of a point of small order. A point with x = 0 has a second encoding, with the sign's bit: its order is 1 or 2. */
function isStrictPoint(bytes: Bytes): boolean {
  const value = littleEndian(bytes);
  const y = value >= SIGN_BIT ? value - SIGN_BIT : value;
  return y < FIELD_ORDER && !SMALL_ORDER_Y.has(y);
}

function littleEndian(bytes: Bytes): bigint {
  return bytesToBigint(bytes.toReversed());
}
