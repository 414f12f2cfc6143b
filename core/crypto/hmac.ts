import { assert, type Bytes, concatBytes } from "@ostrom/base";
import { hashFunction } from "./hash-function.ts";
import { HASH_KECCAK256 } from "./schemes.ts";

/** Bytes of a block of SHA-256 and SM3; keccak256 takes no part in HMAC here. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** RFC 5869, 2.3. */
const MAX_EXPANDED_BYTES = 255 * DIGEST_BYTES;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** HMAC (RFC 2104) with SHA-256 or SM3.
 * @param hashId of schemes.ts.
 * @returns 32 bytes. */
export function hmac(hashId: number, key: Bytes, data: Bytes): Bytes {
  const hash = blockHash(hashId);
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? hash(key) : key);
  const inner = hash(
    concatBytes(
      block.map((byte) => byte ^ INNER_PAD),
      data,
    ),
  );
  return hash(
    concatBytes(
      block.map((byte) => byte ^ OUTER_PAD),
      inner,
    ),
  );
}

/** HKDF-Extract (RFC 5869, 2.2). @param salt empty stands for 32 zeros. @returns a key of 32 bytes. */
export function hkdfExtract(hashId: number, salt: Bytes, keyMaterial: Bytes): Bytes {
  return hmac(hashId, salt, keyMaterial);
}

/** HKDF-Expand (RFC 5869, 2.3). @param length at most 8160 bytes. */
export function hkdfExpand(hashId: number, key: Bytes, info: Bytes, length: number): Bytes {
  assert(length <= MAX_EXPANDED_BYTES, "HKDF gives 255 digests at most");
  const output = new Uint8Array(length);
  let last: Bytes = new Uint8Array(0);
  for (let block = 1, offset = 0; offset < length; block++, offset += DIGEST_BYTES) {
    last = hmac(hashId, key, concatBytes(last, info, Uint8Array.of(block)));
    output.set(last.subarray(0, Math.min(DIGEST_BYTES, length - offset)), offset);
  }
  return output;
}

function blockHash(hashId: number): (data: Bytes) => Bytes {
  const hash = hashFunction(hashId);
  assert(hash !== undefined && hashId !== HASH_KECCAK256, "HMAC is of SHA-256 or SM3");
  return hash;
}
