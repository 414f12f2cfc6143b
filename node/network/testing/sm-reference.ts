import { assert, type Bytes, concatBytes, must, utf8 } from "@ostrom/base";
import {
  CIPHER_SM4_GCM,
  cipher,
  HASH_SM3,
  hkdfExpand,
  hkdfExtract,
  hmac,
  readSm2Point,
  SCHEME_SM2,
  sm3,
  verifySignature,
} from "@ostrom/crypto";

/** What somebody reads out of a recorded handshake who knows one ephemeral secret, computed from the specification alone, with core/crypto's own
 * arithmetic and none of this package's code. */
export type SmReading = {
  readonly dialingSecret: Bytes;
  readonly answeringSecret: Bytes;
  /** Raw keys that the signatures are good for. */
  readonly dialingKey: Bytes;
  readonly answeringKey: Bytes;
};

const NAME = "ostrom-sm/1";
const HEADER = 3;

export function readSmHandshake(
  ephemeralSecret: Bytes,
  otherPoint: Bytes,
  recorded: { readonly hello: Bytes; readonly answerAndProof: Bytes; readonly dialingProof: Bytes },
): SmReading {
  const { hello, answerAndProof, dialingProof } = recorded;
  const answerEnd = HEADER + 98;
  const answer = answerAndProof.subarray(0, answerEnd);
  const scalar = BigInt(`0x${Buffer.from(ephemeralSecret).toString("hex")}`);
  const common = must(readSm2Point(otherPoint), "a point").multiply(scalar).toBytes(false);
  const secret = hkdfExtract(HASH_SM3, utf8(NAME), common.slice(1, 33));

  let said: Bytes = concatBytes(utf8(NAME), hello, answer);
  const answeringProofSecret = label(secret, "answering proof", sm3(said), 32);
  const dialingProofSecret = label(secret, "dialing proof", sm3(said), 32);
  const answering = readProof(said, answeringProofSecret, answerAndProof.subarray(answerEnd), "answering");
  said = concatBytes(said, answering.plain);
  const dialing = readProof(said, dialingProofSecret, dialingProof, "dialing");
  said = concatBytes(said, dialing.plain);
  return {
    dialingSecret: label(secret, "dialing traffic", sm3(said), 32),
    answeringSecret: label(secret, "answering traffic", sm3(said), 32),
    dialingKey: dialing.key,
    answeringKey: answering.key,
  };
}

/** Opens a record. @param number of the record under that secret. */
export function openSmRecord(secret: Bytes, number: number, record: Bytes): Bytes {
  const nonce = label(secret, "nonce", new Uint8Array(0), 12).slice();
  new DataView(nonce.buffer).setUint32(8, (new DataView(nonce.buffer).getUint32(8) ^ number) >>> 0);
  const key = label(secret, "key", new Uint8Array(0), 16);
  const engine = must(cipher(CIPHER_SM4_GCM), "the cipher is there");
  return must(
    engine.open(key, nonce, record.subarray(0, HEADER), record.subarray(HEADER)),
    "it opens under this key",
  );
}

/** The secret that follows. */
export function followingSmSecret(secret: Bytes): Bytes {
  return label(secret, "next", new Uint8Array(0), 32);
}

function label(secret: Bytes, name: string, context: Bytes, length: number): Bytes {
  const text = utf8(`${NAME} ${name}`);
  const info = concatBytes(
    Uint8Array.of(0, length, text.length),
    text,
    Uint8Array.of(context.length),
    context,
  );
  return hkdfExpand(HASH_SM3, secret, info, length);
}

function readProof(
  said: Bytes,
  secret: Bytes,
  record: Bytes,
  side: string,
): { readonly plain: Bytes; readonly key: Bytes } {
  const plain = openSmRecord(secret, 0, record);
  const certificateEnd = 2 + ((plain[0]! << 8) | plain[1]!);
  const key = keyOfCertificate(plain.subarray(2, certificateEnd));
  const signature = plain.subarray(certificateEnd, certificateEnd + 64);
  const signed = concatBytes(
    utf8(`${NAME} ${side} signature`),
    Uint8Array.of(0),
    sm3(concatBytes(said, plain.subarray(0, certificateEnd))),
  );
  assert(verifySignature(SCHEME_SM2, key, signed, signature), "the signature is good");
  const heard = sm3(concatBytes(said, plain.subarray(0, certificateEnd + 64)));
  const finished = hmac(HASH_SM3, label(secret, "finished", new Uint8Array(0), 32), heard);
  const found = plain.subarray(certificateEnd + 64);
  assert(Buffer.compare(finished, found) === 0, "the code is right");
  return { plain, key };
}

/** The point after the curve's name: OBJECT IDENTIFIER 1.2.156.10197.1.301, BIT STRING of 66 bytes, uncompressed. */
function keyOfCertificate(certificate: Bytes): Bytes {
  const marker = Buffer.from("06082a811ccf5501822d03420004", "hex");
  const at = Buffer.from(certificate).indexOf(marker);
  assert(at >= 0, "a certificate of an SM2 key");
  return certificate.slice(at + marker.length, at + marker.length + 64);
}
