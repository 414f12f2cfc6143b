import { type Bytes, fail, ok, type Result } from "@ostrom/base";
import {
  AES_BLOCK_BYTES,
  aesCbcDecrypt,
  aesCbcEncrypt,
  isPayableScryptCost,
  MAX_PBKDF2_ITERATIONS,
  pbkdf2Key,
  scryptKey,
} from "@ostrom/crypto";
import {
  DER_INTEGER,
  DER_OCTET_STRING,
  DerError,
  DerReader,
  derCount,
  derNull,
  derObjectId,
  derOctets,
  derSequence,
} from "./der.ts";
import { type Entropy, type KeyFailure, wipe } from "./key-pair.ts";

// Private keys under a passphrase: PBES2 of RFC 8018 with PBKDF2 (HMAC-SHA-256) or scrypt (RFC 7914, section 7), and AES-CBC: what
// `openssl pkcs8 -topk8` writes and reads.

/** What is written; OWASP's advice of 2023 for PBKDF2-HMAC-SHA256. */
const PBES2_ITERATIONS = 600_000;

const SALT_LENGTH = 16;
const KEY_LENGTH = 32;
const PBES2 = derObjectId("1.2.840.113549.1.5.13");
const PBKDF2 = derObjectId("1.2.840.113549.1.5.12");
const SCRYPT = derObjectId("1.3.6.1.4.1.11591.4.11");
const HMAC_SHA256 = derSequence(derObjectId("1.2.840.113549.2.9"), derNull());
const AES_256_CBC = derObjectId("2.16.840.1.101.3.4.1.42");
const AES_128_CBC = derObjectId("2.16.840.1.101.3.4.1.2");
const AES_128_KEY_LENGTH = 16;

/** @param privateKey PKCS #8. @returns an EncryptedPrivateKeyInfo (RFC 5958). */
export function encryptPrivateKey(
  privateKey: Bytes,
  passphrase: Bytes,
  entropy: Entropy,
  iterations: number = PBES2_ITERATIONS,
): Bytes {
  const salt = entropy(SALT_LENGTH);
  const iv = entropy(AES_BLOCK_BYTES);
  const key = pbkdf2Key(passphrase, salt, iterations, KEY_LENGTH);
  const encrypted = aesCbcEncrypt(key, iv, privateKey);
  wipe(key);
  const derivation = derSequence(PBKDF2, derSequence(derOctets(salt), derCount(iterations), HMAC_SHA256));
  const scheme = derSequence(PBES2, derSequence(derivation, derSequence(AES_256_CBC, derOctets(iv))));
  return derSequence(scheme, derOctets(encrypted));
}

/** @returns PKCS #8. Errors: `key/malformed`, `key/unsupported` (other schemes than these), `key/too-costly`, `key/wrong-passphrase`. */
export function decryptPrivateKey(encrypted: Bytes, passphrase: Bytes): Result<Bytes, KeyFailure> {
  try {
    return readEncrypted(encrypted, passphrase);
  } catch (error) {
    if (error instanceof DerError) return fail("key/malformed", error.message);
    throw error;
  }
}

type Derivation = { readonly ok: true; readonly derive: (passphrase: Bytes, length: number) => Bytes };

function readEncrypted(encrypted: Bytes, passphrase: Bytes): Result<Bytes, KeyFailure> {
  const reader = new DerReader(encrypted);
  const outer = reader.enter();
  reader.end();
  const algorithm = outer.enter();
  if (!algorithm.skipIf(PBES2)) return unsupported("PBES2");
  const parameters = algorithm.enter();
  const derivation = readDerivation(parameters.enter());
  if (!derivation.ok) return derivation;
  const cipher = parameters.enter();
  const keyLength = cipher.skipIf(AES_256_CBC)
    ? KEY_LENGTH
    : cipher.skipIf(AES_128_CBC)
      ? AES_128_KEY_LENGTH
      : undefined;
  if (keyLength === undefined) return unsupported("AES-CBC");
  const iv = cipher.expect(DER_OCTET_STRING);
  if (iv.length !== AES_BLOCK_BYTES) throw new DerError("an initialization vector has another length");
  const data = outer.expect(DER_OCTET_STRING);
  outer.end();
  const key = derivation.derive(passphrase, keyLength);
  const decrypted = aesCbcDecrypt(key, iv, data);
  wipe(key);
  return decrypted === undefined
    ? fail("key/wrong-passphrase", "the passphrase is not its own")
    : ok(decrypted);
}

function readDerivation(reader: DerReader): Derivation | Extract<Result<never, KeyFailure>, { ok: false }> {
  if (reader.skipIf(SCRYPT)) {
    const parameters = reader.enter();
    const salt = parameters.expect(DER_OCTET_STRING);
    const cost = { N: parameters.count(), r: parameters.count(), p: parameters.count() };
    if (parameters.nextTag === DER_INTEGER) parameters.count();
    parameters.end();
    if (!isPayableScryptCost(cost)) return tooCostly();
    return { ok: true, derive: (passphrase, length) => scryptKey(passphrase, salt, cost, length) };
  }
  if (!reader.skipIf(PBKDF2)) return unsupported("PBKDF2 or scrypt");
  const parameters = reader.enter();
  const salt = parameters.expect(DER_OCTET_STRING);
  const iterations = parameters.count();
  if (parameters.nextTag === DER_INTEGER) parameters.count();
  if (!parameters.skipIf(HMAC_SHA256)) return unsupported("HMAC-SHA-256");
  parameters.end();
  if (iterations < 1 || iterations > MAX_PBKDF2_ITERATIONS) return tooCostly();
  return { ok: true, derive: (passphrase, length) => pbkdf2Key(passphrase, salt, iterations, length) };
}

function unsupported(expected: string): Extract<Result<never, KeyFailure>, { ok: false }> {
  return refusal("key/unsupported", `it is encrypted by other means than ${expected}`);
}

function tooCostly(): Extract<Result<never, KeyFailure>, { ok: false }> {
  return refusal("key/too-costly", "its passphrase would take more work or memory than is allowed");
}

function refusal(
  code: KeyFailure["code"],
  message: string,
): Extract<Result<never, KeyFailure>, { ok: false }> {
  return { ok: false, error: { code, message } };
}
