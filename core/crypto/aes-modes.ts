import { cbc, ctr } from "@noble/ciphers/aes.js";
import { assert, type Bytes } from "@ostrom/base";

// Modes without authentication (SP 800-38A): formats of other programs have them, ours never.

export const AES_BLOCK_BYTES = 16;

/** Encrypts and decrypts. @param key 16, 24 or 32 bytes. @param counter the first counter block, 16 bytes. */
export function aesCtr(key: Bytes, counter: Bytes, data: Bytes): Bytes {
  assert(counter.length === AES_BLOCK_BYTES, "a counter block of AES has 16 bytes");
  return ctr(key, counter).encrypt(data);
}

/** With PKCS #7 padding. @param key 16, 24 or 32 bytes. @param iv 16 bytes. */
export function aesCbcEncrypt(key: Bytes, iv: Bytes, data: Bytes): Bytes {
  assert(iv.length === AES_BLOCK_BYTES, "an initialization vector of AES has 16 bytes");
  return cbc(key, iv).encrypt(data);
}

/** @returns undefined if the padding or the length is wrong. Never tell somebody else which data that was: it opens ciphertexts. */
export function aesCbcDecrypt(key: Bytes, iv: Bytes, data: Bytes): Bytes | undefined {
  assert(iv.length === AES_BLOCK_BYTES, "an initialization vector of AES has 16 bytes");
  try {
    return cbc(key, iv).decrypt(data);
  } catch {
    return undefined;
  }
}
