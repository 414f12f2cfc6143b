import { type KeyObject, sign } from "node:crypto";
import { type Bytes, concatBytes, hex, utf8 } from "@ostrom/base";

/** A certificate that carries an Ed25519 key into TLS and says nothing else: X.509 version 1, subject and issuer
 * "CN=Ostrom node", no expiry, signed by the key itself. Links look at the key alone.
 * Sources: RFC 5280 (X.509), RFC 8410 (Ed25519 in X.509), ITU-T X.690 (DER). */
export function selfSignedCertificate(publicKey: KeyObject, privateKey: KeyObject): string {
  const algorithm = sequence(ED25519_OBJECT_ID);
  const name = sequence(
    element(SET, sequence(COMMON_NAME_OBJECT_ID, element(UTF8_STRING, utf8("Ostrom node")))),
  );
  const validity = sequence(element(UTC_TIME, utf8(NOT_BEFORE)), element(GENERALIZED_TIME, utf8(NOT_AFTER)));
  const keyInfo = new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
  const toBeSigned = sequence(SERIAL_NUMBER, algorithm, name, validity, name, keyInfo);
  const signature = new Uint8Array(sign(null, toBeSigned, privateKey));
  const certificate = sequence(
    toBeSigned,
    algorithm,
    element(BIT_STRING, concatBytes(NO_UNUSED_BITS, signature)),
  );
  return toPem("CERTIFICATE", certificate);
}

const SEQUENCE = 0x30;
const SET = 0x31;
const BIT_STRING = 0x03;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const NO_UNUSED_BITS: Bytes = Uint8Array.of(0);

/** INTEGER 1. */
const SERIAL_NUMBER = hex("020101");
/** OBJECT IDENTIFIER 1.3.101.112. */
const ED25519_OBJECT_ID = hex("06032b6570");
/** OBJECT IDENTIFIER 2.5.4.3. */
const COMMON_NAME_OBJECT_ID = hex("0603550403");
/** Dates before 2050 are UTCTime, with two digits for the year: RFC 5280, 4.1.2.5. */
const NOT_BEFORE = "200101000000Z";
/** "No well-defined expiration date": RFC 5280, 4.1.2.5. */
const NOT_AFTER = "99991231235959Z";

function sequence(...parts: readonly Bytes[]): Bytes {
  return element(SEQUENCE, concatBytes(...parts));
}

const MAX_SHORT_LENGTH = 0x7f;

function element(tag: number, content: Bytes): Bytes {
  // The canonical form of a length has no leading zeros; nothing here is longer than 65,535 bytes.
  const size = content.length;
  const length =
    size <= MAX_SHORT_LENGTH
      ? Uint8Array.of(size)
      : size <= 0xff
        ? Uint8Array.of(0x81, size)
        : Uint8Array.of(0x82, size >> 8, size & 0xff);
  return concatBytes(Uint8Array.of(tag), length, content);
}

const PEM_LINE_LENGTH = 64;

function toPem(label: string, der: Bytes): string {
  const text = Buffer.from(der).toString("base64");
  const lines = text.match(new RegExp(`.{1,${PEM_LINE_LENGTH}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
