import { type Bytes, bigintToBytes, bytesToBigint, concatBytes } from "@ostrom/base";
import { hmac } from "./hmac.ts";

const DIGEST_BYTES = 32;

/** Nonces for signatures, derived from the secret key and the message's hash (RFC 6979, 3.2), for groups of 256-bit orders and hash functions of
 * 256 bits. Without end; the next is asked for only if one does not serve. */
export function* rfc6979Nonces(
  hashId: number,
  order: bigint,
  secretKey: Bytes,
  hash: Bytes,
): Generator<bigint, void, undefined> {
  const seed = concatBytes(secretKey, bigintToBytes(bytesToBigint(hash) % order, DIGEST_BYTES));
  let value: Bytes = new Uint8Array(DIGEST_BYTES).fill(1);
  let key: Bytes = new Uint8Array(DIGEST_BYTES);
  const update = (separator: number, data: Bytes): void => {
    key = hmac(hashId, key, concatBytes(value, Uint8Array.of(separator), data));
    value = hmac(hashId, key, value);
  };
  update(0, seed);
  update(1, seed);
  for (;;) {
    value = hmac(hashId, key, value);
    const nonce = bytesToBigint(value);
    if (nonce > 0n && nonce < order) yield nonce;
    update(0, new Uint8Array(0));
  }
}
