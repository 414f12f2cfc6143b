import {
  assert,
  type Bytes,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  fromHex,
  ok,
  type Result,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import {
  AES_BLOCK_BYTES,
  addressOfPublicKey,
  aesCtr,
  isPayableScryptCost,
  keccak256,
  MAX_PBKDF2_ITERATIONS,
  pbkdf2Key,
  type ScryptCost,
  scryptKey,
} from "@ostrom/crypto";
import { type Entropy, type KeyFailure, type KeyPair, keyPairOf, wipe } from "./key-pair.ts";
import { DEFAULT_SCRYPT_COST } from "./keystore.ts";

// Ethereum's Web3 Secret Storage, version 3: one key of secp256k1, for the wallets and clients that keep keys so.

const VERSION = 3;
const CIPHER = "aes-128-ctr";
const DERIVED_LENGTH = 32;
const CIPHER_KEY_LENGTH = 16;
const SALT_LENGTH = 32;
const ID_LENGTH = 16;
const MAX_LENGTH = 16_384;
const MAX_SALT_LENGTH = 256;

type Fields = Readonly<Record<string, unknown>>;

/** Whether a text is such a file, of any version. */
export function isWeb3Keystore(text: string): boolean {
  const file = parseJson(text);
  return file !== undefined && ("crypto" in file || "Crypto" in file) && "version" in file;
}

/** Writes a secp256k1 key. @param pair of another scheme: InvariantError. */
export function sealWeb3Keystore(
  pair: KeyPair,
  passphrase: string,
  entropy: Entropy,
  cost: ScryptCost = DEFAULT_SCRYPT_COST,
): string {
  assert(pair.scheme === "secp256k1", "Web3 Secret Storage holds keys of secp256k1");
  const salt = entropy(SALT_LENGTH);
  const iv = entropy(AES_BLOCK_BYTES);
  const secret = utf8(passphrase);
  const derived = scryptKey(secret, salt, cost, DERIVED_LENGTH);
  const ciphertext = aesCtr(derived.subarray(0, CIPHER_KEY_LENGTH), iv, pair.secretKey);
  const mac = macOf(derived, ciphertext);
  wipe(secret, derived);
  const file = {
    version: VERSION,
    id: uuid(entropy(ID_LENGTH)),
    address: toHexDigits(addressOfPublicKey(pair.publicKey)),
    crypto: {
      cipher: CIPHER,
      cipherparams: { iv: toHexDigits(iv) },
      ciphertext: toHexDigits(ciphertext),
      kdf: "scrypt",
      kdfparams: { dklen: DERIVED_LENGTH, n: cost.N, r: cost.r, p: cost.p, salt: toHexDigits(salt) },
      mac: toHexDigits(mac),
    },
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Reads a key of secp256k1 from such a file, derived by scrypt or PBKDF2.
 * Errors: `key/malformed`, `key/unsupported`, `key/too-costly`, `key/wrong-passphrase`, `key/mismatch` (the address is another's). */
export function openWeb3Keystore(text: string, passphrase: string): Result<KeyPair, KeyFailure> {
  const file = parseJson(text);
  const sealed = (file?.["crypto"] ?? file?.["Crypto"]) as Fields | undefined;
  if (file === undefined || typeof sealed !== "object" || sealed === null)
    return fail("key/malformed", "it is no Web3 Secret Storage");
  if (file["version"] !== VERSION || sealed["cipher"] !== CIPHER)
    return fail("key/unsupported", `only version ${VERSION} with ${CIPHER} is read`);
  const iv = readHex((sealed["cipherparams"] as Fields | undefined)?.["iv"]);
  const ciphertext = readHex(sealed["ciphertext"]);
  const mac = readHex(sealed["mac"]);
  if (iv?.length !== AES_BLOCK_BYTES || ciphertext === undefined || mac === undefined)
    return fail("key/malformed", "a field of the keystore is missing or malformed");
  const secret = utf8(passphrase);
  const derived = derive(sealed, secret);
  wipe(secret);
  if (!derived.ok) return derived;
  const isOwn = equalBytes(macOf(derived.value, ciphertext), mac);
  const plain = isOwn
    ? aesCtr(derived.value.subarray(0, CIPHER_KEY_LENGTH), iv, ciphertext)
    : new Uint8Array(0);
  wipe(derived.value);
  if (!isOwn) return fail("key/wrong-passphrase", "the passphrase is not its own, or the file was changed");
  const pair = keyPairOf("secp256k1", plain);
  wipe(plain);
  return pair.ok ? checkAddress(pair.value, file["address"]) : pair;
}

function derive(sealed: Fields, passphrase: Bytes): Result<Bytes, KeyFailure> {
  const parameters = (sealed["kdfparams"] ?? {}) as Fields;
  const salt = readHex(parameters["salt"]);
  if (salt === undefined || salt.length > MAX_SALT_LENGTH || parameters["dklen"] !== DERIVED_LENGTH)
    return fail("key/malformed", "the derivation's parameters are missing or malformed");
  if (sealed["kdf"] === "scrypt") {
    const cost = { N: Number(parameters["n"]), r: Number(parameters["r"]), p: Number(parameters["p"]) };
    return isPayableScryptCost(cost) ? ok(scryptKey(passphrase, salt, cost, DERIVED_LENGTH)) : tooCostly();
  }
  if (sealed["kdf"] !== "pbkdf2" || parameters["prf"] !== "hmac-sha256")
    return fail("key/unsupported", "only scrypt, and PBKDF2 with HMAC-SHA-256, are read");
  const iterations = Number(parameters["c"]);
  const isPayable = Number.isSafeInteger(iterations) && iterations > 0 && iterations <= MAX_PBKDF2_ITERATIONS;
  return isPayable ? ok(pbkdf2Key(passphrase, salt, iterations, DERIVED_LENGTH)) : tooCostly();
}

function checkAddress(pair: KeyPair, stated: unknown): Result<KeyPair, KeyFailure> {
  const address = toHexDigits(addressOfPublicKey(pair.publicKey));
  if (stated === undefined || String(stated).toLowerCase().replace(/^0x/, "") === address) return ok(pair);
  wipe(pair.secretKey);
  return fail("key/mismatch", "the address is not that of the key");
}

function macOf(derived: Bytes, ciphertext: Bytes): Bytes {
  return keccak256(concatBytes(derived.subarray(CIPHER_KEY_LENGTH, DERIVED_LENGTH), ciphertext));
}

function tooCostly(): Result<never, Failure<"key/too-costly">> {
  return fail("key/too-costly", "its passphrase would take more work or memory than is allowed");
}

/** Version 4 (RFC 9562, 5.4). */
function uuid(random: Bytes): string {
  const bytes = random.slice();
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return toHexDigits(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function readHex(value: unknown): Bytes | undefined {
  if (typeof value !== "string") return undefined;
  const read = fromHex(value);
  return read.ok ? read.value : undefined;
}

function parseJson(text: string): Fields | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
