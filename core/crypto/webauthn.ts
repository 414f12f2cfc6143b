import { type Bytes, bigintToBytes, concatBytes, EMPTY_BYTES, equalBytes, utf8 } from "@ostrom/base";
import { sha256 } from "./engine.ts";
import type { SignatureEngine } from "./signature-engine.ts";

// Passkeys as keys of accounts: assertions of W3C's Web Authentication, Level 3. Sections are that document's.

/** What an authenticator and its browser give for a challenge, with the ECDSA signature as r || s instead of DER. */
export type WebauthnAssertion = {
  readonly authenticatorData: Bytes;
  /** UTF-8. */
  readonly clientDataJson: Bytes;
  readonly signature: Bytes;
};

/** Whose passkey it is. */
export type RelyingParty = {
  /** A domain. Browsers let no other site use the key. */
  readonly id: string;
  readonly origin: string;
};

const LENGTH_BYTES = 2;
const POINT_LENGTH = 64;
const RELYING_PARTY_HASH_LENGTH = 32;
const ECDSA_LENGTH = 64;

/** Section 6.1: hash of the relying party's id, flags, counter; then extensions. */
const AUTHENTICATOR_DATA_LENGTH = 37;
const FLAGS_OFFSET = 32;
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE = 0x08;
const BACKED_UP = 0x10;
const ATTESTED_CREDENTIAL = 0x40;
const EXTENSIONS = 0x80;

const TYPE_AND_CHALLENGE = '{"type":"webauthn.get","challenge":"';
const ORIGIN = '","origin":"';
const NOT_CROSS_ORIGIN = ',"crossOrigin":false';
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSING_BRACE = 0x7d;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** Who signs where there is no browser: keys in files and in tests. */
const SOFTWARE_PARTY: RelyingParty = { id: "localhost", origin: "http://localhost" };

/** uint16 length || authenticator data || uint16 length || client data || r || s: a signature of the scheme. */
export function encodeAssertion({ authenticatorData, clientDataJson, signature }: WebauthnAssertion): Bytes {
  return concatBytes(prefixed(authenticatorData), prefixed(clientDataJson), signature);
}

/** The scheme's public key: x || y of the P-256 key, then SHA-256 of the relying party's id. */
export function webauthnPublicKey(point: Bytes, relyingPartyId: string): Bytes {
  return concatBytes(point, sha256(utf8(relyingPartyId)));
}

/** The scheme's engine on an engine of P-256. A signature is valid if
 * - the authenticator data names the key's relying party, says that the user was present and was verified (a fingerprint, a face, a PIN), carries
 *   no attested credential, calls nothing backed up that cannot be, and is longer than 37 bytes exactly if it has extensions (6.1, 7.2);
 * - the client data begins as section 5.8.1.1 writes it: type webauthn.get, then the message in base64url as the challenge, then an origin, then
 *   crossOrigin false, and ends there or goes on with other members. WebKit leaves crossOrigin out; then the origin must be the last;
 * - the ECDSA signature, low s, is on authenticator data || SHA-256(client data).
 * Nothing is parsed twice and nothing is skipped: what follows the members above is signed, and means nothing here. The origin is not compared
 * (browsers tie it to the relying party), nor the counter: nonces stop replays. `sign` plays an authenticator of localhost. */
export function webauthnSignatures(p256: SignatureEngine): SignatureEngine {
  return {
    name: p256.name,
    publicKey: (secretKey) => webauthnPublicKey(p256.publicKey(secretKey), SOFTWARE_PARTY.id),
    sign: (secretKey, message) => signAssertion(p256, secretKey, message, SOFTWARE_PARTY),
    verify: (publicKey, message, signature, context) => {
      const assertion = decodeAssertion(signature);
      if (assertion === undefined || context.length > 0) return false;
      if (publicKey.length !== POINT_LENGTH + RELYING_PARTY_HASH_LENGTH) return false;
      const { authenticatorData, clientDataJson } = assertion;
      const point = publicKey.subarray(0, POINT_LENGTH);
      if (!isGoodAuthenticatorData(authenticatorData, publicKey.subarray(POINT_LENGTH))) return false;
      if (!isGoodClientData(clientDataJson, message)) return false;
      return p256.verify(point, signedBytes(assertion), assertion.signature, context);
    },
  };
}

/** Signs as an authenticator and a browser do, where the secret key is in a file. */
export function signAssertion(
  p256: SignatureEngine,
  secretKey: Bytes,
  message: Bytes,
  { id, origin }: RelyingParty,
): Bytes {
  const authenticatorData = concatBytes(
    sha256(utf8(id)),
    Uint8Array.of(USER_PRESENT | USER_VERIFIED),
    new Uint8Array(AUTHENTICATOR_DATA_LENGTH - FLAGS_OFFSET - 1),
  );
  const clientDataJson = utf8(
    `${TYPE_AND_CHALLENGE}${toBase64Url(message)}${ORIGIN}${origin}"${NOT_CROSS_ORIGIN}}`,
  );
  const signature = p256.sign(secretKey, signedBytes({ authenticatorData, clientDataJson }), EMPTY_BYTES);
  return encodeAssertion({ authenticatorData, clientDataJson, signature });
}

/** @returns undefined if the lengths do not add up. Shares memory. */
function decodeAssertion(value: Bytes): WebauthnAssertion | undefined {
  const authenticatorData = readPrefixed(value, 0);
  if (authenticatorData === undefined) return undefined;
  const clientDataJson = readPrefixed(value, LENGTH_BYTES + authenticatorData.length);
  if (clientDataJson === undefined) return undefined;
  const signature = value.subarray(2 * LENGTH_BYTES + authenticatorData.length + clientDataJson.length);
  if (signature.length !== ECDSA_LENGTH) return undefined;
  return { authenticatorData, clientDataJson, signature };
}

function readPrefixed(value: Bytes, offset: number): Bytes | undefined {
  const start = offset + LENGTH_BYTES;
  if (value.length < start) return undefined;
  const length = new DataView(value.buffer, value.byteOffset + offset).getUint16(0);
  return value.length < start + length ? undefined : value.subarray(start, start + length);
}

function prefixed(bytes: Bytes): Bytes {
  return concatBytes(bigintToBytes(BigInt(bytes.length), LENGTH_BYTES), bytes);
}

function signedBytes({
  authenticatorData,
  clientDataJson,
}: Pick<WebauthnAssertion, "authenticatorData" | "clientDataJson">): Bytes {
  return concatBytes(authenticatorData, sha256(clientDataJson));
}

function isGoodAuthenticatorData(data: Bytes, relyingPartyHash: Bytes): boolean {
  const flags = data[FLAGS_OFFSET];
  if (flags === undefined || data.length < AUTHENTICATOR_DATA_LENGTH) return false;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (!has(USER_PRESENT) || !has(USER_VERIFIED) || has(ATTESTED_CREDENTIAL)) return false;
  if (has(BACKED_UP) && !has(BACKUP_ELIGIBLE)) return false;
  if (has(EXTENSIONS) !== data.length > AUTHENTICATOR_DATA_LENGTH) return false;
  return equalBytes(data.subarray(0, RELYING_PARTY_HASH_LENGTH), relyingPartyHash);
}

function isGoodClientData(json: Bytes, message: Bytes): boolean {
  // A long message, whose challenge could not be there, costs nothing.
  if (message.length > json.length) return false;
  const start = utf8(`${TYPE_AND_CHALLENGE}${toBase64Url(message)}${ORIGIN}`);
  if (!equalBytes(json.subarray(0, start.length), start)) return false;
  const originEnd = endOfPlainText(json, start.length);
  if (json[originEnd] !== QUOTE || originEnd === start.length) return false;
  const rest = json.subarray(originEnd + 1);
  if (rest.length === 1) return rest[0] === CLOSING_BRACE;
  const member = utf8(NOT_CROSS_ORIGIN);
  if (!equalBytes(rest.subarray(0, member.length), member) || rest.at(-1) !== CLOSING_BRACE) return false;
  return rest.length === member.length + 1 || rest[member.length] === COMMA;
}

/** Where characters end that JSON writes as they are: an escape could hide a quote. */
function endOfPlainText(json: Bytes, start: number): number {
  let end = start;
  for (; end < json.length; end++) {
    const byte = json[end]!;
    if (byte === QUOTE || byte === BACKSLASH || byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) break;
  }
  return end;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** RFC 4648, section 5, without padding. */
export function toBase64Url(bytes: Bytes): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(offset, offset + 3);
    const group = (first << 16) | (second << 8) | third;
    const digits = Math.min(3, bytes.length - offset) + 1;
    for (let digit = 0; digit < digits; digit++) text += ALPHABET[(group >> (18 - 6 * digit)) & 63];
  }
  return text;
}
