import { gcm } from "@noble/ciphers/aes.js";
import { assert, type Bytes } from "@ostrom/base";
import { openSm4Gcm, sealSm4Gcm } from "./plain-sm4.ts";

export const CIPHER_AES_256_GCM = 1;
export const CIPHER_SM4_GCM = 2;

/** Authenticated encryption. Nonces have 12 bytes and are never used twice under one key; the tag, 16 bytes, follows the ciphertext. Each
 * engine of a cipher answers alike. A key or a nonce of another length is the caller's bug and throws InvariantError. */
export type CipherEngine = {
  readonly name: string;
  readonly keyLength: number;
  readonly seal: (key: Bytes, nonce: Bytes, additional: Bytes, plain: Bytes) => Bytes;
  /** @returns undefined for what was not sealed under this key, nonce and additional data. */
  readonly open: (key: Bytes, nonce: Bytes, additional: Bytes, sealed: Bytes) => Bytes | undefined;
};

/** By cipher id. */
export type CipherEngines = Readonly<Record<number, CipherEngine>>;

export const CIPHER_NONCE_LENGTH = 12;
export const CIPHER_TAG_LENGTH = 16;

/** Portable and slow: what every other engine is compared with. */
export const REFERENCE_CIPHER_ENGINES: CipherEngines = {
  [CIPHER_AES_256_GCM]: guardCipher({
    name: "noble",
    keyLength: 32,
    seal: (key, nonce, additional, plain) => gcm(key, nonce, additional).encrypt(plain),
    open: (key, nonce, additional, sealed) => gcm(key, nonce, additional).decrypt(sealed),
  }),
  [CIPHER_SM4_GCM]: guardCipher({ name: "plain", keyLength: 16, seal: sealSm4Gcm, open: openSm4Gcm }),
};

let engines: CipherEngines = REFERENCE_CIPHER_ENGINES;

/** Puts faster implementations into the slots of their ciphers, once, when a process or worker starts. */
export function installCipherEngines(replacements: CipherEngines): void {
  engines = { ...engines, ...replacements };
}

/** @returns undefined for an id that this version does not know. */
export function cipher(cipherId: number): CipherEngine | undefined {
  return engines[cipherId];
}

/** Puts the rules that all engines share before one.
 * @param engine may throw on what it cannot open. */
export function guardCipher(engine: CipherEngine): CipherEngine {
  const check = (key: Bytes, nonce: Bytes): void => {
    assert(key.length === engine.keyLength, "a cipher's key must have its length");
    assert(nonce.length === CIPHER_NONCE_LENGTH, "a nonce must have 12 bytes");
  };
  return {
    name: engine.name,
    keyLength: engine.keyLength,
    seal: (key, nonce, additional, plain) => {
      check(key, nonce);
      return engine.seal(key, nonce, additional, plain);
    },
    open: (key, nonce, additional, sealed) => {
      check(key, nonce);
      if (sealed.length < CIPHER_TAG_LENGTH) return undefined;
      try {
        return engine.open(key, nonce, additional, sealed);
      } catch {
        return undefined;
      }
    },
  };
}
