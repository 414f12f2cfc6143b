import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
} from "node:crypto";
import {
  Address,
  type Bytes,
  equalBytes,
  type Failure,
  fail,
  fromHex,
  type Hash,
  ok,
  type Result,
  toHex,
  utf8,
} from "@ostrom/base";
import { addressOfPublicKey, keccak256, recoverAddress, secp256k1, sha256 } from "@ostrom/crypto";
import { isParsedObject, own, type ParsedObject } from "./json.ts";

/** Bytes of a token; longer ones are refused before they are looked at. */
export const MAX_TOKEN_BYTES = 2_048;
/** How long a token may be good, unless told. */
export const DEFAULT_TOKEN_SECONDS = 3_600;
/** The longest that a server can be told to accept. */
export const MAX_TOKEN_SECONDS = 86_400;
/** How far clocks may differ. */
export const CLOCK_SKEW_SECONDS = 30;
/** A token signed with the operator secret is made for one request and good for this long. Source: Engine API, "Authentication". */
export const SECRET_TOKEN_SECONDS = 60;
export const OPERATOR_SECRET_BYTES = 32;

/** Who a token speaks for. */
export type TokenHolder =
  | { readonly kind: "account"; readonly account: Address }
  /** Whoever can read the operator secret of this machine. */
  | { readonly kind: "secret" };

export type VerifiedToken = {
  readonly holder: TokenHolder;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** The one node that it is meant for, by its peer id; undefined: any of the chain's. */
  readonly node: string | undefined;
};

export type TokenErrorCode =
  | "token/too-long"
  | "token/malformed"
  | "token/unknown-algorithm"
  | "token/wrong-signature"
  | "token/wrong-audience"
  | "token/wrong-node"
  | "token/expired"
  | "token/not-yet-valid"
  | "token/lives-too-long";

export type TokenRules = {
  readonly genesisHash: Hash;
  /** Of this node; a token that names another is refused. */
  readonly peerId: string | undefined;
  /** undefined: no token of that kind is accepted. */
  readonly operatorSecret: Bytes | undefined;
  readonly maxSeconds: number;
  readonly nowSeconds: number;
};

type Parts = {
  readonly header: ParsedObject;
  readonly claims: ParsedObject;
  readonly signed: Bytes;
  readonly signature: Bytes;
};

/** Checks a JSON Web Token: `ES256K` (RFC 8812) and `EdDSA` (RFC 8037) by an account's key, `HS256` by the operator secret.
 * An account's token has `sub` (its address), `aud` (the genesis hash), `iat` and `exp`, and may have `node`. Of ES256K the public key is
 * recovered; of EdDSA it stands in the header as `jwk`, and the address is the last 20 bytes of its keccak256.
 * A refused token's message never holds any of the token. Source: RFC 7519, RFC 8725. */
export function verifyToken(
  token: string,
  rules: TokenRules,
): Result<VerifiedToken, Failure<TokenErrorCode>> {
  if (token.length > MAX_TOKEN_BYTES)
    return fail("token/too-long", `the token is longer than ${MAX_TOKEN_BYTES} bytes`);
  const parts = split(token);
  if (parts === undefined)
    return fail(
      "token/malformed",
      "the token is no JSON Web Token in compact form (header.claims.signature)",
    );
  // RFC 7515, section 4.1.11: what is critical and not understood must be refused.
  if (own(parts.header, "crit") !== undefined)
    return fail("token/malformed", 'the token has a "crit" header, which is not supported');
  switch (own(parts.header, "alg")) {
    case "HS256":
      return verifySecretToken(parts, rules);
    case "ES256K":
    case "EdDSA":
      return verifyAccountToken(parts, rules);
    default:
      return fail("token/unknown-algorithm", "the token's algorithm must be ES256K, EdDSA or HS256");
  }
}

function verifySecretToken(parts: Parts, rules: TokenRules): Result<VerifiedToken, Failure<TokenErrorCode>> {
  const { operatorSecret, nowSeconds } = rules;
  const refused = fail("token/wrong-signature", "the token is not signed with this node's operator secret");
  if (operatorSecret === undefined) return refused;
  const expected = createHmac("sha256", operatorSecret).update(parts.signed).digest();
  if (parts.signature.length !== expected.length || !timingSafeEqual(parts.signature, expected))
    return refused;
  const issuedAt = own(parts.claims, "iat");
  if (!isTime(issuedAt)) return fail("token/malformed", 'the token has no "iat" (seconds since 1970)');
  const expiresAt = issuedAt + SECRET_TOKEN_SECONDS;
  if (issuedAt > nowSeconds + SECRET_TOKEN_SECONDS)
    return fail("token/not-yet-valid", "the token was made in the future: compare the clocks");
  if (nowSeconds >= expiresAt) return expired();
  return ok({ holder: { kind: "secret" }, expiresAt, node: undefined });
}

function verifyAccountToken(parts: Parts, rules: TokenRules): Result<VerifiedToken, Failure<TokenErrorCode>> {
  const { claims } = parts;
  const subject = own(claims, "sub");
  const account = typeof subject === "string" ? readAddress(subject) : undefined;
  if (account === undefined)
    return fail("token/malformed", 'the token\'s "sub" must be the address of an account');
  if (!isSignedBy(parts, account))
    return fail("token/wrong-signature", 'the token is not signed with the key of the account in "sub"');
  if (!isMeantFor(own(claims, "aud"), rules.genesisHash))
    return fail("token/wrong-audience", 'the token\'s "aud" is not the genesis hash of this chain');
  const node = own(claims, "node");
  if (node !== undefined && typeof node !== "string")
    return fail("token/malformed", 'the token\'s "node" must be a peer id');
  if (node !== undefined && node !== rules.peerId)
    return fail("token/wrong-node", "the token is meant for another node");
  const time = checkTime(claims, rules);
  if (!time.ok) return time;
  return ok({ holder: { kind: "account", account }, expiresAt: time.value, node });
}

function readAddress(text: string): Address | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const bytes = fromHex(text);
  return bytes.ok ? Address(bytes.value) : undefined;
}

/** @returns when it ends. */
function checkTime(claims: ParsedObject, rules: TokenRules): Result<number, Failure<TokenErrorCode>> {
  const { nowSeconds, maxSeconds } = rules;
  const issuedAt = own(claims, "iat");
  const expiresAt = own(claims, "exp");
  const notBefore = own(claims, "nbf") ?? issuedAt;
  if (!isTime(issuedAt) || !isTime(expiresAt) || !isTime(notBefore))
    return fail("token/malformed", 'the token needs "iat" and "exp" (seconds since 1970)');
  if (expiresAt - issuedAt > maxSeconds)
    return fail("token/lives-too-long", `the token is good for more than ${maxSeconds} seconds`);
  if (Math.max(issuedAt, notBefore) > nowSeconds + CLOCK_SKEW_SECONDS)
    return fail("token/not-yet-valid", "the token is not good yet: compare the clocks");
  return nowSeconds >= expiresAt ? expired() : ok(expiresAt);
}

function expired(): Result<never, Failure<TokenErrorCode>> {
  return fail("token/expired", "the token has expired: make another");
}

function isMeantFor(audience: unknown, genesisHash: Hash): boolean {
  const wanted = toHex(genesisHash);
  const is = (name: unknown): boolean => typeof name === "string" && name.toLowerCase() === wanted;
  return Array.isArray(audience) ? audience.some(is) : is(audience);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

const SIGNATURE_BYTES = 64;
const ED25519_KEY_BYTES = 32;

function isSignedBy({ header, signed, signature }: Parts, account: Address): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (own(header, "alg") === "ES256K") {
    const hash = sha256(signed);
    return ([0, 1] as const).some((parity) => {
      const signer = recoverAddress(hash, signature, parity);
      return signer !== undefined && equalBytes(signer, account);
    });
  }
  const jwk = own(header, "jwk");
  const point = isParsedObject(jwk) && own(jwk, "crv") === "Ed25519" ? own(jwk, "x") : undefined;
  const publicKey = typeof point === "string" ? decodeBase64Url(point) : undefined;
  if (publicKey?.length !== ED25519_KEY_BYTES) return false;
  if (!equalBytes(addressOfEd25519Key(publicKey), account)) return false;
  try {
    return verifyWith(null, signed, ed25519Key(publicKey), signature);
  } catch {
    // No point of the curve.
    return false;
  }
}

/** The account that an Ed25519 public key (32 bytes) speaks for. */
export function addressOfEd25519Key(publicKey: Bytes): Address {
  return Address(keccak256(publicKey).slice(12));
}

function ed25519Key(publicKey: Bytes): KeyObject {
  const jwk = { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(publicKey) };
  return createPublicKey({ key: jwk, format: "jwk" });
}

function split(token: string): Parts | undefined {
  const [first, second, third, ...surplus] = token.split(".");
  if (first === undefined || second === undefined || third === undefined || surplus.length > 0)
    return undefined;
  const header = parseObject(first);
  const claims = parseObject(second);
  const signature = decodeBase64Url(third);
  if (header === undefined || claims === undefined || signature === undefined) return undefined;
  return { header, claims, signed: utf8(`${first}.${second}`), signature };
}

function parseObject(text: string): ParsedObject | undefined {
  const bytes = decodeBase64Url(text);
  if (bytes === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isParsedObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined for what is not the one canonical form of its bytes. */
function decodeBase64Url(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, "base64url"));
  return encodeBase64Url(bytes) === text ? bytes : undefined;
}

function encodeBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

export type TokenRequest = {
  readonly genesisHash: Hash;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** How long it is good. */
  readonly seconds: number;
  readonly node?: string | undefined;
};

/** Makes a token signed with an account's key.
 * @param key a secp256k1 secret key of 32 bytes, or an Ed25519 seed of 32 bytes. */
export function createAccountToken(
  key: { readonly kind: "secp256k1" | "ed25519"; readonly secret: Bytes },
  request: TokenRequest,
): { readonly token: string; readonly account: Address } {
  const { genesisHash, issuedAt, seconds, node } = request;
  const ed25519 = key.kind === "ed25519" ? ed25519FromSeed(key.secret) : undefined;
  const account =
    ed25519 === undefined
      ? addressOfPublicKey(secp256k1().publicKey(key.secret))
      : addressOfEd25519Key(ed25519.publicKey);
  const jwk = ed25519 && { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(ed25519.publicKey) };
  const header = ed25519 === undefined ? { alg: "ES256K", typ: "JWT" } : { alg: "EdDSA", typ: "JWT", jwk };
  const claims = {
    sub: toHex(account),
    aud: toHex(genesisHash),
    iat: issuedAt,
    exp: issuedAt + seconds,
    ...(node === undefined ? {} : { node }),
  };
  const token = seal(header, claims, (bytes) =>
    ed25519 === undefined ? secp256k1().sign(sha256(bytes), key.secret).signature : ed25519.sign(bytes),
  );
  return { token, account };
}

/** Makes a token signed with a machine's operator secret. @param issuedAt seconds since 1970. */
export function createSecretToken(secret: Bytes, issuedAt: number): string {
  return seal({ alg: "HS256", typ: "JWT" }, { iat: issuedAt }, (bytes) =>
    createHmac("sha256", secret).update(bytes).digest(),
  );
}

function seal(header: object, claims: object, sign: (bytes: Bytes) => Uint8Array): string {
  const encode = (part: object): string => encodeBase64Url(utf8(JSON.stringify(part)));
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${encodeBase64Url(sign(utf8(signed)))}`;
}

/** What stands before an Ed25519 seed in PKCS #8. Source: RFC 8410, section 7. */
const ED25519_PKCS8_HEAD: Bytes = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

function ed25519FromSeed(seed: Bytes): {
  readonly publicKey: Bytes;
  readonly sign: (bytes: Bytes) => Uint8Array;
} {
  const key = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8_HEAD, seed]),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const publicKey = new Uint8Array(Buffer.from(x ?? "", "base64url"));
  return { publicKey, sign: (bytes) => signWith(null, bytes, key) };
}
