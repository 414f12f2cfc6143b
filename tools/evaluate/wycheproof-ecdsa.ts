import { type Bytes, bigintToBytes, bytesToBigint, concatBytes, EMPTY_BYTES, equalBytes } from "@ostrom/base";
import {
  P256_ORDER,
  p256,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SECP256K1_ORDER,
  secp256k1,
  sha256,
  signatureEngine,
  verifySignature,
} from "@ostrom/crypto";
import { bytesOf, nameOf, readVectors, type WycheproofCase, type WycheproofFile } from "./vector-files.ts";
import { createVectorRecord, type VectorOutcome } from "./vector-record.ts";

type EcdsaCase = WycheproofCase & { readonly msg: string; readonly sig: string };
type EcdsaGroup = {
  readonly publicKey: { readonly uncompressed: string };
  readonly tests: readonly EcdsaCase[];
};
type Form = "der" | "p1363";

const WORD = 32;
/** A smaller r may stand for an x coordinate that reached the group's order: the difference of secp256k1's field and order. */
const MAX_REDUCED_R = 2n ** 256n - 2n ** 32n - 977n - SECP256K1_ORDER;
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** ECDSA over secp256k1 through the recovering slot: a signature is good if one of its two keys is the signer's. The vectors hash with SHA-256, so
 * the slot is asked below the hash; whole messages are keccak256's here. */
export function wycheproofSecp256k1(): VectorOutcome[] {
  const files: readonly (readonly [string, Form, boolean])[] = [
    ["ecdsa_secp256k1_sha256_test.json", "der", false],
    ["ecdsa_secp256k1_sha256_p1363_test.json", "p1363", false],
    ["ecdsa_secp256k1_sha256_bitcoin_test.json", "der", true],
  ];
  return files.map(([file, form, mustBeLow]) => {
    const record = createVectorRecord(`wycheproof/${file}`, secp256k1().name, SCHEME_SECP256K1);
    for (const { key, vector } of casesOf(file)) {
      const signature = readSignature(bytesOf(vector.sig), form);
      const hash = sha256(bytesOf(vector.msg));
      const isGood =
        signature !== undefined &&
        !(mustBeLow && isHigh(signature, SECP256K1_ORDER)) &&
        ([0, 1] as const).some((yParity) => {
          const signer = secp256k1().recover(hash, signature, yParity);
          return signer !== undefined && equalBytes(signer, key);
        });
      const isValid = vector.result === "valid";
      const wasReduced =
        signature !== undefined && bytesToBigint(signature.subarray(0, WORD)) < MAX_REDUCED_R;
      if (isValid && !isGood && wasReduced)
        record.depart("its nonce's x exceeds the order: Ethereum's yParity cannot say so");
      else record.check(nameOf(vector), isGood === isValid);
    }
    return record.outcome();
  });
}

/** ECDSA over P-256 twice: by the slot below the hash, which takes any s as the precompile must, and by the scheme's slot, which wants a low one. */
export function wycheproofP256(): VectorOutcome[] {
  const files: readonly (readonly [string, Form])[] = [
    ["ecdsa_secp256r1_sha256_test.json", "der"],
    ["ecdsa_secp256r1_sha256_p1363_test.json", "p1363"],
  ];
  return files.flatMap(([file, form]) => {
    const schemeName = signatureEngine(SCHEME_P256)?.name ?? "";
    const plain = createVectorRecord(`wycheproof/${file}, hashes`, p256().name);
    const scheme = createVectorRecord(`wycheproof/${file}`, schemeName, SCHEME_P256);
    for (const { key, vector } of casesOf(file)) {
      const signature = readSignature(bytesOf(vector.sig), form);
      const message = bytesOf(vector.msg);
      const isValid = vector.result === "valid";
      const verify = (given: Bytes): boolean => verifySignature(SCHEME_P256, key, message, given);
      const isPlainGood = signature !== undefined && p256().verify(sha256(message), signature, key);
      plain.check(nameOf(vector), isPlainGood === isValid);
      if (isValid && signature !== undefined && isHigh(signature, P256_ORDER)) {
        const twin = withOtherS(signature, P256_ORDER);
        scheme.check(`${nameOf(vector)}, low s`, verify(twin));
        if (!verify(signature)) scheme.depart("a high s would be a second form of one signature");
      } else {
        scheme.check(nameOf(vector), verify(signature ?? EMPTY_BYTES) === isValid);
      }
    }
    return [plain.outcome(), scheme.outcome()];
  });
}

function casesOf(file: string): readonly { readonly key: Bytes; readonly vector: EcdsaCase }[] {
  const { testGroups } = readVectors<WycheproofFile<EcdsaGroup>>(`wycheproof/${file}`);
  return testGroups.flatMap((group) => {
    const key = bytesOf(group.publicKey.uncompressed).subarray(1);
    return group.tests.map((vector) => ({ key, vector }));
  });
}

/** @returns r || s; undefined for what has no such form: our formats are fixed, and DER is read as strictly as Bitcoin does. */
function readSignature(bytes: Bytes, form: Form): Bytes | undefined {
  if (form === "p1363") return bytes.length === 2 * WORD ? bytes : undefined;
  if (bytes[0] !== SEQUENCE || bytes[1] !== bytes.length - 2) return undefined;
  const r = readInteger(bytes, 2);
  const s = r && readInteger(bytes, r.end);
  if (r === undefined || s === undefined || s.end !== bytes.length) return undefined;
  return concatBytes(bigintToBytes(r.value, WORD), bigintToBytes(s.value, WORD));
}

function readInteger(
  bytes: Bytes,
  offset: number,
): { readonly value: bigint; readonly end: number } | undefined {
  const length = bytes[offset + 1] ?? 0;
  const digits = bytes.subarray(offset + 2, offset + 2 + length);
  const [first = 0, second = 0] = digits;
  const isNegative = first >= 0x80;
  const isPadded = digits.length > 1 && first === 0 && second < 0x80;
  if (bytes[offset] !== INTEGER || length === 0 || digits.length !== length || isNegative || isPadded)
    return undefined;
  const value = bytesToBigint(digits);
  return value < 2n ** 256n ? { value, end: offset + 2 + length } : undefined;
}

function isHigh(signature: Bytes, order: bigint): boolean {
  return bytesToBigint(signature.subarray(WORD)) > order >> 1n;
}

function withOtherS(signature: Bytes, order: bigint): Bytes {
  const s = bytesToBigint(signature.subarray(WORD));
  return concatBytes(signature.subarray(0, WORD), bigintToBytes(order - s, WORD));
}
