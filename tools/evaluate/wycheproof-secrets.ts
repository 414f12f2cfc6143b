import { type Bytes, concatBytes, equalBytes } from "@ostrom/base";
import {
  CIPHER_AES_256_GCM,
  CIPHER_NONCE_LENGTH,
  CIPHER_SM4_GCM,
  CIPHER_TAG_LENGTH,
  type CipherEngine,
  cipher,
  engineNames,
  HASH_SHA256,
  HASH_SM3,
  hkdfExpand,
  hkdfExtract,
  hmac,
  keyAgreement,
} from "@ostrom/crypto";
import { bytesOf, nameOf, readVectors, type WycheproofCase, type WycheproofFile } from "./vector-files.ts";
import { createVectorRecord, type VectorOutcome } from "./vector-record.ts";

type Fields<Names extends string> = WycheproofCase & Readonly<Record<Names, string>>;
type Group<Case> = { readonly tests: readonly Case[] };
type SealedCase = Fields<"key" | "iv" | "aad" | "msg" | "ct" | "tag">;

export function wycheproofCiphers(): VectorOutcome[] {
  return [
    cipherFile("wycheproof/aes_gcm_test.json", CIPHER_AES_256_GCM),
    cipherFile("wycheproof/sm4_gcm_test.json", CIPHER_SM4_GCM),
  ];
}

function cipherFile(file: string, cipherId: number): VectorOutcome {
  const engine = cipher(cipherId);
  if (engine === undefined) throw new Error(`cipher ${cipherId} has no engine`);
  const record = createVectorRecord(file, engine.name);
  for (const vector of casesOf<SealedCase>(file)) {
    if (vector.key.length !== 2 * engine.keyLength) record.skip("a key of another length than ours");
    else if (vector.iv.length !== 2 * CIPHER_NONCE_LENGTH) record.skip("nonces have 12 bytes here");
    else if (vector.tag.length !== 2 * CIPHER_TAG_LENGTH) record.skip("tags have 16 bytes here");
    else record.check(nameOf(vector), isSealedRight(engine, vector));
  }
  return record.outcome();
}

function isSealedRight(engine: CipherEngine, vector: SealedCase): boolean {
  const [key, nonce, additional, plain] = [vector.key, vector.iv, vector.aad, vector.msg].map(bytesOf) as [
    Bytes,
    Bytes,
    Bytes,
    Bytes,
  ];
  const sealed = concatBytes(bytesOf(vector.ct), bytesOf(vector.tag));
  const opened = engine.open(key, nonce, additional, sealed);
  if (vector.result === "invalid") return opened === undefined;
  const isOpened = opened !== undefined && equalBytes(opened, plain);
  return isOpened && equalBytes(engine.seal(key, nonce, additional, plain), sealed);
}

export function wycheproofDerivation(): VectorOutcome[] {
  const engine = engineNames().hash;
  const mac = createVectorRecord("wycheproof/hmac_sm3_test.json", engine);
  for (const vector of casesOf<Fields<"key" | "msg" | "tag">>("wycheproof/hmac_sm3_test.json")) {
    const tag = bytesOf(vector.tag);
    const made = hmac(HASH_SM3, bytesOf(vector.key), bytesOf(vector.msg)).subarray(0, tag.length);
    mac.check(nameOf(vector), equalBytes(made, tag) === (vector.result === "valid"));
  }
  const derived = createVectorRecord("wycheproof/hkdf_sha256_test.json", engine);
  type HkdfCase = Fields<"ikm" | "salt" | "info" | "okm"> & { readonly size: number };
  for (const vector of casesOf<HkdfCase>("wycheproof/hkdf_sha256_test.json")) {
    const expand = (): Bytes => {
      const key = hkdfExtract(HASH_SHA256, bytesOf(vector.salt), bytesOf(vector.ikm));
      return hkdfExpand(HASH_SHA256, key, bytesOf(vector.info), vector.size);
    };
    const isRight = vector.result === "valid" ? equalBytes(expand(), bytesOf(vector.okm)) : refuses(expand);
    derived.check(nameOf(vector), isRight);
  }
  return [mac.outcome(), derived.outcome()];
}

export function wycheproofAgreement(): VectorOutcome[] {
  const engine = keyAgreement();
  const x25519 = createVectorRecord("wycheproof/x25519_test.json", engine.name);
  for (const vector of casesOf<Fields<"public" | "private" | "shared">>("wycheproof/x25519_test.json")) {
    const shared = engine.x25519(bytesOf(vector.private), bytesOf(vector.public));
    const isZero = /^0*$/.test(vector.shared);
    const isRight = isZero
      ? shared === undefined
      : shared !== undefined && equalBytes(shared, bytesOf(vector.shared));
    x25519.check(nameOf(vector), isRight);
  }
  return [x25519.outcome(), ...kemFiles()];
}

function kemFiles(): VectorOutcome[] {
  const engine = keyAgreement();
  const keys = createVectorRecord("wycheproof/mlkem_768_keygen_seed_test.json", engine.name);
  for (const vector of casesOf<Fields<"seed" | "ek">>("wycheproof/mlkem_768_keygen_seed_test.json"))
    keys.check(
      nameOf(vector),
      equalBytes(engine.mlKem768PublicKey(bytesOf(vector.seed)), bytesOf(vector.ek)),
    );
  const sealed = createVectorRecord("wycheproof/mlkem_768_encaps_test.json", engine.name);
  for (const vector of casesOf<Fields<"m" | "ek" | "c" | "K">>("wycheproof/mlkem_768_encaps_test.json")) {
    const made = engine.mlKem768Encapsulate(bytesOf(vector.ek), bytesOf(vector.m));
    const isSame =
      made !== undefined &&
      equalBytes(made.ciphertext, bytesOf(vector.c)) &&
      equalBytes(made.sharedSecret, bytesOf(vector.K));
    sealed.check(nameOf(vector), vector.result === "valid" ? isSame : made === undefined);
  }
  const opened = createVectorRecord("wycheproof/mlkem_768_test.json", engine.name);
  for (const vector of casesOf<Fields<"seed" | "c" | "K">>("wycheproof/mlkem_768_test.json")) {
    const decapsulate = (): Bytes | undefined =>
      engine.mlKem768Decapsulate(bytesOf(vector.seed), bytesOf(vector.c));
    const isRight =
      vector.result === "valid"
        ? equalBytes(decapsulate() ?? new Uint8Array(0), bytesOf(vector.K))
        : refuses(decapsulate);
    opened.check(nameOf(vector), isRight);
  }
  return [keys.outcome(), sealed.outcome(), opened.outcome()];
}

/** Whether it throws or gives nothing. */
function refuses(action: () => unknown): boolean {
  try {
    return action() === undefined;
  } catch {
    return true;
  }
}

function casesOf<Case>(file: string): readonly Case[] {
  return readVectors<WycheproofFile<Group<Case>>>(file).testGroups.flatMap((group) => group.tests);
}
