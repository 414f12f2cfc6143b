import { type Bytes, concatBytes, equalBytes, fail, must, ok, padLeft, type Result } from "@ostrom/base";
import {
  DER_OCTET_STRING,
  DerError,
  DerReader,
  derBits,
  derCount,
  derElement,
  derObjectId,
  derOctets,
  derSequence,
} from "./der.ts";
import { type KeyFailure, type KeyPair, keyLengths, keyPairOf, type PublicKey, wipe } from "./key-pair.ts";

// Keys as other programs write them: PKCS #8 (RFC 5958), SubjectPublicKeyInfo (RFC 5280), SEC 1 private keys (RFC 5915).

type Curve = { readonly kind: "curve"; readonly scheme: string; readonly algorithm: Bytes };
type Form =
  | Curve
  /** RFC 8410: an octet string within. */
  | { readonly kind: "ed25519"; readonly scheme: string; readonly algorithm: Bytes }
  /** RFC 9881: the seed. */
  | { readonly kind: "ml-dsa"; readonly scheme: string; readonly algorithm: Bytes }
  /** RFC 9909: the seeds, and the root that follows from them. */
  | { readonly kind: "slh-dsa"; readonly scheme: string; readonly algorithm: Bytes }
  /** draft-connolly-cfrg-xwing-kem-09: the seed. */
  | { readonly kind: "x-wing"; readonly scheme: string; readonly algorithm: Bytes };

const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
/** Tags of what may follow: parameters and the public key of an EC key, attributes and the public key of PKCS #8. */
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
const CONTEXT_1_PRIMITIVE = 0x81;
/** ML-DSA's choice of the seed alone; its others are octet string and sequence. */
const ML_DSA_SEED = 0x80;
const UNCOMPRESSED = 4;
const SCALAR_LENGTH = 32;
const SLH_DSA_ROOT_LENGTH = 16;

const FORMS: readonly Form[] = [
  curve("sm2", "1.2.156.10197.1.301"),
  curve("p-256", "1.2.840.10045.3.1.7"),
  curve("secp256k1", "1.3.132.0.10"),
  { kind: "ed25519", scheme: "ed25519", algorithm: algorithm("1.3.101.112") },
  { kind: "ml-dsa", scheme: "ml-dsa-44", algorithm: algorithm("2.16.840.1.101.3.4.3.17") },
  { kind: "ml-dsa", scheme: "ml-dsa-65", algorithm: algorithm("2.16.840.1.101.3.4.3.18") },
  { kind: "ml-dsa", scheme: "ml-dsa-87", algorithm: algorithm("2.16.840.1.101.3.4.3.19") },
  { kind: "slh-dsa", scheme: "slh-dsa-sha2-128s", algorithm: algorithm("2.16.840.1.101.3.4.3.20") },
  { kind: "x-wing", scheme: "x-wing", algorithm: algorithm("1.3.6.1.4.1.62253.25722") },
];

/** PKCS #8. Errors: `key/unsupported` (Falcon has no identifier yet). */
export function encodePrivateKey(pair: KeyPair): Result<Bytes, KeyFailure> {
  const form = formOf(pair.scheme);
  if (form === undefined) return fail("key/unsupported", `keys of ${pair.scheme} have no standard form`);
  const inner = innerPrivateKey(form, pair);
  const encoded = derSequence(derCount(0), form.algorithm, derOctets(inner));
  wipe(inner);
  return ok(encoded);
}

/** SubjectPublicKeyInfo. Errors: `key/unsupported`. */
export function encodePublicKey({ scheme, publicKey }: PublicKey): Result<Bytes, KeyFailure> {
  const form = formOf(scheme);
  if (form === undefined) return fail("key/unsupported", `keys of ${scheme} have no standard form`);
  const bits = form.kind === "curve" ? concatBytes(Uint8Array.of(UNCOMPRESSED), publicKey) : publicKey;
  return ok(derSequence(form.algorithm, derBits(bits)));
}

/** Reads PKCS #8. Errors: `key/malformed`, `key/unsupported`, `key/mismatch` (the public key in it is another's). */
export function decodePrivateKey(der: Bytes): Result<KeyPair, KeyFailure> {
  return reading(() => {
    const reader = new DerReader(der);
    const outer = reader.enter();
    reader.end();
    const version = outer.count();
    if (version > 1) throw new DerError(`version ${version} of PKCS #8 is not known`);
    const form = readAlgorithm(outer);
    if (form === undefined)
      return fail("key/unsupported", "its algorithm is none that keys here are of, or has other parameters");
    const { secret, publicKey } = readInner(form, outer.expect(DER_OCTET_STRING));
    if (outer.nextTag === CONTEXT_0) outer.next();
    // Version 2, written as 1, is the one that has the public key beside the private one.
    const attached = version === 1 ? outer.expect(CONTEXT_1_PRIMITIVE).subarray(1) : undefined;
    outer.end();
    return pairOf(form.scheme, secret, publicKey ?? attached);
  });
}

/** Reads an EC private key of SEC 1 that names its curve. Errors: as `decodePrivateKey`. */
export function decodeCurvePrivateKey(der: Bytes): Result<KeyPair, KeyFailure> {
  return reading(() => {
    const { secret, parameters, publicKey } = readCurveKey(der);
    const form = FORMS.find((one) => parameters !== undefined && isOfCurve(one, parameters));
    if (form === undefined) return fail("key/unsupported", "it names no curve that keys here are of");
    return pairOf(form.scheme, secret, publicKey);
  });
}

/** Reads a SubjectPublicKeyInfo. Errors: `key/malformed`, `key/unsupported`. */
export function decodePublicKey(der: Bytes): Result<PublicKey, KeyFailure> {
  return reading(() => {
    const reader = new DerReader(der);
    const outer = reader.enter();
    reader.end();
    const form = readAlgorithm(outer);
    if (form === undefined)
      return fail("key/unsupported", "its algorithm is none that keys here are of, or has other parameters");
    const bits = outer.bits();
    outer.end();
    const publicKey = form.kind === "curve" ? uncompressed(bits) : bits.slice();
    const { publicKeyLength } = must(keyLengths(form.scheme), "forms are of known schemes");
    if (publicKey.length !== publicKeyLength)
      return fail("key/malformed", `a public key of ${form.scheme} has ${publicKeyLength} bytes`);
    return ok({ scheme: form.scheme, publicKey });
  });
}

function innerPrivateKey(form: Form, { secretKey, publicKey }: KeyPair): Bytes {
  switch (form.kind) {
    case "curve":
      return derSequence(
        derCount(1),
        derOctets(secretKey),
        derElement(CONTEXT_1, derBits(concatBytes(Uint8Array.of(UNCOMPRESSED), publicKey))),
      );
    case "ed25519":
      return derOctets(secretKey);
    case "ml-dsa":
      return derElement(ML_DSA_SEED, secretKey);
    case "slh-dsa":
      return concatBytes(secretKey, publicKey.subarray(-SLH_DSA_ROOT_LENGTH));
    case "x-wing":
      return secretKey.slice();
    default:
      return form satisfies never;
  }
}

type Inner = { readonly secret: Bytes; readonly publicKey?: Bytes | undefined };

function readInner(form: Form, bytes: Bytes): Inner {
  const reader = new DerReader(bytes);
  switch (form.kind) {
    case "curve": {
      const key = readCurveKey(bytes);
      if (key.parameters !== undefined && !isOfCurve(form, key.parameters))
        throw new DerError("it names two curves");
      return key;
    }
    case "ed25519": {
      const secret = reader.expect(DER_OCTET_STRING);
      reader.end();
      return { secret };
    }
    case "ml-dsa": {
      if (reader.nextTag === DER_OCTET_STRING)
        throw new DerError("it holds an expanded key alone: export it with its seed");
      // Seed and expanded key: the seed decides.
      const isBoth = reader.nextTag !== ML_DSA_SEED;
      const secret = isBoth ? reader.enter().expect(DER_OCTET_STRING) : reader.expect(ML_DSA_SEED);
      reader.end();
      return { secret };
    }
    case "slh-dsa": {
      const seeds = bytes.length - SLH_DSA_ROOT_LENGTH;
      if (seeds <= 2 * SLH_DSA_ROOT_LENGTH) throw new DerError("a key is too short");
      return { secret: bytes.subarray(0, seeds), publicKey: bytes.subarray(2 * SLH_DSA_ROOT_LENGTH) };
    }
    case "x-wing":
      return { secret: bytes };
    default:
      return form satisfies never;
  }
}

/** ECPrivateKey of RFC 5915. */
function readCurveKey(bytes: Bytes): Inner & { readonly parameters: Bytes | undefined } {
  const reader = new DerReader(bytes);
  const inner = reader.enter();
  reader.end();
  if (inner.count() !== 1) throw new DerError("an EC private key is of version 1");
  const scalar = inner.expect(DER_OCTET_STRING);
  if (scalar.length > SCALAR_LENGTH) throw new DerError("a secret is too long");
  const parameters = inner.nextTag === CONTEXT_0 ? inner.expect(CONTEXT_0) : undefined;
  const publicKey = inner.nextTag === CONTEXT_1 ? uncompressed(inner.enter(CONTEXT_1).bits()) : undefined;
  inner.end();
  return { secret: padLeft(scalar, SCALAR_LENGTH), parameters, publicKey };
}

function isOfCurve(form: Form, parameters: Bytes): boolean {
  return (
    form.kind === "curve" && equalBytes(derSequence(derObjectId(EC_PUBLIC_KEY), parameters), form.algorithm)
  );
}

function uncompressed(point: Bytes): Bytes {
  if (point[0] !== UNCOMPRESSED) throw new DerError("a public key is compressed: export it uncompressed");
  return point.slice(1);
}

function pairOf(scheme: string, secret: Bytes, publicKey: Bytes | undefined): Result<KeyPair, KeyFailure> {
  const pair = keyPairOf(scheme, secret);
  if (!pair.ok || publicKey === undefined || equalBytes(pair.value.publicKey, publicKey)) return pair;
  wipe(pair.value.secretKey);
  return fail("key/mismatch", "the public key in it belongs to another secret");
}

function readAlgorithm(reader: DerReader): Form | undefined {
  const found = FORMS.find((form) => reader.skipIf(form.algorithm));
  if (found === undefined) reader.enter();
  return found;
}

function formOf(scheme: string): Form | undefined {
  return FORMS.find((form) => form.scheme === scheme);
}

function curve(scheme: string, objectId: string): Curve {
  return {
    kind: "curve",
    scheme,
    algorithm: derSequence(derObjectId(EC_PUBLIC_KEY), derObjectId(objectId)),
  };
}

function algorithm(objectId: string): Bytes {
  return derSequence(derObjectId(objectId));
}

function reading<T>(read: () => Result<T, KeyFailure>): Result<T, KeyFailure> {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return fail("key/malformed", error.message);
    throw error;
  }
}
