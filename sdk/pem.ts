import { type Bytes, fail, ok, type Result, utf8 } from "@ostrom/base";
import { decryptPrivateKey, encryptPrivateKey } from "./encrypted-key.ts";
import {
  decodeCurvePrivateKey,
  decodePrivateKey,
  decodePublicKey,
  encodePrivateKey,
  encodePublicKey,
} from "./key-der.ts";
import { type Entropy, type KeyFailure, type KeyPair, type PublicKey, wipe } from "./key-pair.ts";

// Keys as text (RFC 7468), in the forms that openssl and node:crypto write and read.

const PRIVATE_KEY = "PRIVATE KEY";
const ENCRYPTED_PRIVATE_KEY = "ENCRYPTED PRIVATE KEY";
/** SEC 1; openssl 3 has a label of its own for SM2. */
const CURVE_PRIVATE_KEYS: readonly string[] = ["EC PRIVATE KEY", "SM2 PRIVATE KEY"];
const PUBLIC_KEY = "PUBLIC KEY";
const LINE_LENGTH = 64;
/** A key of any kind is far below. */
const MAX_PEM_LENGTH = 262_144;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/** PKCS #8, in the clear, or encrypted under a passphrase (PBES2). Errors: `key/unsupported`. */
export function privateKeyToPem(
  pair: KeyPair,
  encryption?: { readonly passphrase: string; readonly entropy: Entropy; readonly iterations?: number },
): Result<string, KeyFailure> {
  const encoded = encodePrivateKey(pair);
  if (!encoded.ok) return encoded;
  if (encryption === undefined) {
    const text = armor(PRIVATE_KEY, encoded.value);
    wipe(encoded.value);
    return ok(text);
  }
  const passphrase = utf8(encryption.passphrase);
  const encrypted = encryptPrivateKey(encoded.value, passphrase, encryption.entropy, encryption.iterations);
  wipe(encoded.value, passphrase);
  return ok(armor(ENCRYPTED_PRIVATE_KEY, encrypted));
}

/** SubjectPublicKeyInfo. Errors: `key/unsupported`. */
export function publicKeyToPem(key: PublicKey): Result<string, KeyFailure> {
  const encoded = encodePublicKey(key);
  return encoded.ok ? ok(armor(PUBLIC_KEY, encoded.value)) : encoded;
}

/** Whether a text holds a private key that a passphrase opens. */
export function isEncryptedPem(text: string): boolean {
  return blocksOf(text).some(({ label }) => label === ENCRYPTED_PRIVATE_KEY);
}

/** Reads the first private key of a text: PKCS #8, encrypted or not, or an EC key of SEC 1.
 * Errors: `key/malformed`, `key/unsupported`, `key/mismatch`, `key/too-costly`, `key/wrong-passphrase` (none was given, too). */
export function privateKeyFromPem(text: string, passphrase?: string): Result<KeyPair, KeyFailure> {
  for (const { label, bytes } of blocksOf(text)) {
    if (CURVE_PRIVATE_KEYS.includes(label)) return wiping(bytes, decodeCurvePrivateKey);
    if (label === PRIVATE_KEY) return wiping(bytes, decodePrivateKey);
    if (label !== ENCRYPTED_PRIVATE_KEY) continue;
    if (passphrase === undefined)
      return fail("key/wrong-passphrase", "it is encrypted: a passphrase is needed");
    const secret = utf8(passphrase);
    const decrypted = decryptPrivateKey(bytes, secret);
    wipe(secret);
    if (!decrypted.ok) return decrypted;
    const read = wiping(decrypted.value, decodePrivateKey);
    // With a wrong passphrase, one padding in 256 is right by chance.
    return !read.ok && read.error.code === "key/malformed"
      ? fail("key/wrong-passphrase", "the passphrase is not its own")
      : read;
  }
  return fail("key/malformed", "there is no private key in it (PEM)");
}

/** Reads the first public key of a text. Errors: `key/malformed`, `key/unsupported`. */
export function publicKeyFromPem(text: string): Result<PublicKey, KeyFailure> {
  const block = blocksOf(text).find(({ label }) => label === PUBLIC_KEY);
  return block === undefined
    ? fail("key/malformed", "there is no public key in it (PEM)")
    : decodePublicKey(block.bytes);
}

function wiping(
  bytes: Bytes,
  decode: (der: Bytes) => Result<KeyPair, KeyFailure>,
): Result<KeyPair, KeyFailure> {
  const read = decode(bytes);
  wipe(bytes);
  return read;
}

function blocksOf(text: string): readonly { readonly label: string; readonly bytes: Bytes }[] {
  if (text.length > MAX_PEM_LENGTH) return [];
  return [...text.matchAll(BLOCK)].flatMap(([, label = "", body = ""]) => {
    const bytes = fromBase64(body.replace(/\s+/g, ""));
    return bytes === undefined ? [] : [{ label, bytes }];
  });
}

function armor(label: string, der: Bytes): string {
  const lines = toBase64(der).match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function toBase64(bytes: Bytes): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): Bytes | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
