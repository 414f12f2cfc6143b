import { createHmac } from "node:crypto";
import { assert, type Bytes, concatBytes, utf8 } from "@ostrom/base";

/** Keys of the SM channel: HKDF (RFC 5869) with SM3, expanded by labels as TLS 1.3 does (RFC 8446, 7.1), under a prefix of our own. */

export const SM_SECRET_BYTES = 32;
/** SM4 (GB/T 32907-2016) has keys of 128 bits. */
const SM4_KEY_BYTES = 16;
export const SM4_GCM_NONCE_BYTES = 12;

/** Begins all that the channel hashes, signs and derives, so that nothing of it means anything elsewhere. */
export const SM_CHANNEL_NAME = "ostrom-sm/1";

/** The two ends of a channel. */
export type SmSide = "dialing" | "answering";

const EMPTY: Bytes = new Uint8Array(0);

/** HKDF-Extract of the common x. */
export function smHandshakeSecret(shared: Bytes): Bytes {
  return hmacSm3(utf8(SM_CHANNEL_NAME), shared);
}

function hmacSm3(key: Bytes, data: Bytes): Bytes {
  return new Uint8Array(createHmac("sm3", key).update(data).digest());
}

/** HKDF-Expand-Label: info is the length (2 bytes), then label and context, each after its length in one byte. */
function expandLabel(secret: Bytes, label: string, context: Bytes, length: number): Bytes {
  const name = utf8(`${SM_CHANNEL_NAME} ${label}`);
  assert(name.length <= 0xff && context.length <= 0xff, "labels and contexts have lengths of one byte");
  const info = concatBytes(
    Uint8Array.of(length >> 8, length & 0xff, name.length),
    name,
    Uint8Array.of(context.length),
    context,
  );
  return hkdfExpand(secret, info, length);
}

function hkdfExpand(secret: Bytes, info: Bytes, length: number): Bytes {
  assert(length <= SM_SECRET_BYTES, "no key is longer than one hash");
  return hmacSm3(secret, concatBytes(info, Uint8Array.of(1))).subarray(0, length);
}

/** One direction's secret during the handshake or after it. @param transcript SM3 of what was said. */
export function smSideSecret(
  secret: Bytes,
  side: SmSide,
  use: "proof" | "traffic",
  transcript: Bytes,
): Bytes {
  return expandLabel(secret, `${side} ${use}`, transcript, SM_SECRET_BYTES);
}

/** Proves that a side knows the handshake secret and heard the same. */
export function smFinished(sideSecret: Bytes, transcript: Bytes): Bytes {
  return hmacSm3(expandLabel(sideSecret, "finished", EMPTY, SM_SECRET_BYTES), transcript);
}

export type SmKeys = { readonly key: Bytes; readonly nonce: Bytes };

export function smKeysOf(secret: Bytes): SmKeys {
  return {
    key: expandLabel(secret, "key", EMPTY, SM4_KEY_BYTES),
    nonce: expandLabel(secret, "nonce", EMPTY, SM4_GCM_NONCE_BYTES),
  };
}

/** The secret that follows when a key has sealed all it may. Nothing leads back. */
export function nextSmSecret(secret: Bytes): Bytes {
  return expandLabel(secret, "next", EMPTY, SM_SECRET_BYTES);
}
