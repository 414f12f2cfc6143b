import {
  type Address,
  type Bytes,
  concatBytes,
  equalBytes,
  fail,
  fromHex,
  must,
  ok,
  type Result,
  toHex,
  utf8,
} from "@ostrom/base";
import {
  CIPHER_AES_256_GCM,
  CIPHER_NONCE_LENGTH,
  type CipherEngine,
  cipher,
  isPayableScryptCost,
  type ScryptCost,
  scryptKey,
} from "@ostrom/crypto";
import { addressOfPublicKeys } from "./account-address.ts";
import {
  type Entropy,
  type KeyFailure,
  type KeyPair,
  keyLengths,
  keyPairOf,
  type PublicKey,
  wipe,
} from "./key-pair.ts";

/** First field of every keystore: what follows is read by the rules of this page. README.md has the format. */
export const KEYSTORE_FORMAT = "ostrom-keystore-1";
/** 128 MiB and about half a second, as Ethereum's clients have it. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 };
/** As many as an account may have. */
export const MAX_KEYSTORE_KEYS = 8;

const KEYSTORE_CIPHER = "aes-256-gcm";
const KEYSTORE_DERIVATION = "scrypt";
const KEY_LENGTH = 32;
const SALT_LENGTH = 32;
const MAX_SALT_LENGTH = 64;
/** Eight keys of the longest kinds are far below. */
const MAX_KEYSTORE_LENGTH = 131_072;
const HEX = /^0x(?:[0-9a-f]{2})*$/;

/** What is said in the clear, and bound to the secrets by the cipher. */
export type KeystoreFace = {
  /** Of the account that these keys make by themselves; undefined where they only encrypt. */
  readonly address: Address | undefined;
  /** How many of the keys that sign must; 0 where none does. */
  readonly threshold: number;
  readonly keys: readonly PublicKey[];
};

/** The keys of one account, or of one recipient of encrypted messages. */
export type KeyRing = { readonly threshold: number; readonly keys: readonly KeyPair[] };

/** Encrypts keys under a passphrase: one JSON document.
 * @param ring 1 to MAX_KEYSTORE_KEYS different keys; the threshold of those that sign.
 * Errors: `key/unsupported` (no such threshold or number of keys). */
export function sealKeystore(
  ring: KeyRing,
  passphrase: string,
  entropy: Entropy,
  cost: ScryptCost = DEFAULT_SCRYPT_COST,
): Result<string, KeyFailure> {
  const face = faceOf(ring.keys, ring.threshold);
  if (!face.ok) return face;
  const salt = entropy(SALT_LENGTH);
  const nonce = entropy(CIPHER_NONCE_LENGTH);
  const header = headerOf(face.value, cost, salt, nonce);
  const key = keyOf(passphrase, salt, cost);
  const plain = concatBytes(...ring.keys.map(({ secretKey }) => secretKey));
  const ciphertext = engine().seal(key, nonce, utf8(JSON.stringify(header)), plain);
  wipe(key, plain);
  return ok(`${JSON.stringify({ ...header, ciphertext: toHex(ciphertext) }, undefined, 2)}\n`);
}

/** Decrypts a keystore. Who is done with the keys wipes them.
 * Errors: `key/malformed`, `key/unsupported`, `key/too-costly`, `key/wrong-passphrase` (or the file was changed), `key/mismatch`. */
export function openKeystore(text: string, passphrase: string): Result<KeyRing, KeyFailure> {
  const read = readKeystore(text);
  if (!read.ok) return read;
  const { face, cost, salt, nonce, ciphertext } = read.value;
  const key = keyOf(passphrase, salt, cost);
  const header = utf8(JSON.stringify(headerOf(face, cost, salt, nonce)));
  const plain = engine().open(key, nonce, header, ciphertext);
  wipe(key);
  if (plain === undefined)
    return fail("key/wrong-passphrase", "the passphrase is not its own, or the file was changed");
  const keys = split(face.keys, plain);
  wipe(plain);
  return keys.ok ? ok({ threshold: face.threshold, keys: keys.value }) : keys;
}

/** What a keystore says in the clear; nothing of it is proved before it is opened. Errors: `key/malformed`, `key/unsupported`, `key/too-costly`. */
export function describeKeystore(text: string): Result<KeystoreFace, KeyFailure> {
  const read = readKeystore(text);
  return read.ok ? ok(read.value.face) : read;
}

/** Zeroes all secrets of a ring. */
export function wipeKeys({ keys }: KeyRing): void {
  for (const { secretKey } of keys) wipe(secretKey);
}

type Header = Readonly<Record<string, unknown>>;

/** Field by field in this order: the text of it is what the cipher authenticates. */
function headerOf(face: KeystoreFace, { N, r, p }: ScryptCost, salt: Bytes, nonce: Bytes): Header {
  return {
    format: KEYSTORE_FORMAT,
    ...(face.address === undefined ? {} : { address: toHex(face.address), threshold: face.threshold }),
    keys: face.keys.map(({ scheme, publicKey }) => ({ scheme, publicKey: toHex(publicKey) })),
    kdf: { name: KEYSTORE_DERIVATION, n: N, r, p, salt: toHex(salt) },
    cipher: { name: KEYSTORE_CIPHER, nonce: toHex(nonce) },
  };
}

/** Of keys and how many of them must sign. Errors: `key/unsupported`. */
function faceOf(keys: readonly PublicKey[], threshold: number): Result<KeystoreFace, KeyFailure> {
  const faces = keys.map(({ scheme, publicKey }) => ({ scheme, publicKey }));
  if (faces.length === 0 || faces.length > MAX_KEYSTORE_KEYS)
    return fail("key/unsupported", `a keystore holds 1 to ${MAX_KEYSTORE_KEYS} keys`);
  if (new Set(faces.map(({ scheme, publicKey }) => `${scheme}:${toHex(publicKey)}`)).size < faces.length)
    return fail("key/unsupported", "a keystore holds each key once");
  const address = addressOfPublicKeys(faces, threshold);
  if (address === undefined && threshold !== 0)
    return fail("key/unsupported", `of these keys, ${threshold} cannot sign`);
  return ok({ address, threshold, keys: faces });
}

type Parsed = {
  readonly face: KeystoreFace;
  readonly cost: ScryptCost;
  readonly salt: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
};

function readKeystore(text: string): Result<Parsed, KeyFailure> {
  const file = parseJson(text);
  if (file === undefined) return fail("key/malformed", "a keystore is a JSON object");
  if (file["format"] !== KEYSTORE_FORMAT)
    return fail("key/unsupported", `it is no keystore of format ${KEYSTORE_FORMAT}`);
  const { kdf, cipher: sealed } = file as { readonly kdf?: Header; readonly cipher?: Header };
  if (kdf?.["name"] !== KEYSTORE_DERIVATION || sealed?.["name"] !== KEYSTORE_CIPHER)
    return fail("key/unsupported", `keystores are made with ${KEYSTORE_DERIVATION} and ${KEYSTORE_CIPHER}`);
  const cost = { N: Number(kdf["n"]), r: Number(kdf["r"]), p: Number(kdf["p"]) };
  if (!isPayableScryptCost(cost))
    return fail("key/too-costly", "its passphrase would take more work or memory than is allowed");
  const salt = readHex(kdf["salt"]);
  const nonce = readHex(sealed["nonce"]);
  const ciphertext = readHex(file["ciphertext"]);
  const keys = readKeys(file["keys"]);
  if (
    keys === undefined ||
    salt === undefined ||
    salt.length > MAX_SALT_LENGTH ||
    nonce?.length !== CIPHER_NONCE_LENGTH ||
    ciphertext === undefined
  )
    return fail("key/malformed", "a field of the keystore is missing or malformed");
  const face = faceOf(keys, file["threshold"] === undefined ? 0 : Number(file["threshold"]));
  if (!face.ok) return face;
  const { address } = face.value;
  if (file["address"] !== (address === undefined ? undefined : toHex(address)))
    return fail("key/mismatch", "the address is not that of the keys");
  return ok({ face: face.value, cost, salt, nonce, ciphertext });
}

function readKeys(value: unknown): readonly PublicKey[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_KEYSTORE_KEYS) return undefined;
  const keys = value.map((entry: unknown) => {
    const { scheme, publicKey } = (entry ?? {}) as Header;
    const bytes = readHex(publicKey);
    const lengths = typeof scheme === "string" ? keyLengths(scheme) : undefined;
    return bytes !== undefined && bytes.length === lengths?.publicKeyLength
      ? { scheme: String(scheme), publicKey: bytes }
      : undefined;
  });
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function split(faces: readonly PublicKey[], plain: Bytes): Result<readonly KeyPair[], KeyFailure> {
  const keys: KeyPair[] = [];
  let offset = 0;
  for (const { scheme, publicKey } of faces) {
    const { secretKeyLength } = must(keyLengths(scheme), "schemes were checked");
    const pair = keyPairOf(scheme, plain.subarray(offset, offset + secretKeyLength));
    offset += secretKeyLength;
    if (!pair.ok) return pair;
    keys.push(pair.value);
    if (!equalBytes(pair.value.publicKey, publicKey))
      return fail("key/mismatch", "a public key is not that of its secret");
  }
  return offset === plain.length ? ok(keys) : fail("key/malformed", "there is more in it than its keys");
}

/** Passphrases that look alike are alike (NFKC), as in EIP-2335. */
function keyOf(passphrase: string, salt: Bytes, cost: ScryptCost): Bytes {
  const secret = utf8(passphrase.normalize("NFKC"));
  const key = scryptKey(secret, salt, cost, KEY_LENGTH);
  wipe(secret);
  return key;
}

function parseJson(text: string): Header | undefined {
  if (text.length > MAX_KEYSTORE_LENGTH) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Header)
      : undefined;
  } catch {
    return undefined;
  }
}

function readHex(value: unknown): Bytes | undefined {
  if (typeof value !== "string" || !HEX.test(value)) return undefined;
  const read = fromHex(value);
  return read.ok ? read.value : undefined;
}

function engine(): CipherEngine {
  return must(cipher(CIPHER_AES_256_GCM), "there is always an engine of AES-256-GCM");
}
