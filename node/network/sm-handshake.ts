import { createHash, type Hash as NodeHash, timingSafeEqual, X509Certificate } from "node:crypto";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  hex,
  must,
  ok,
  type Result,
  utf8,
} from "@ostrom/base";
import { MAX_CERTIFICATE_BYTES, peerIdOfCertificate } from "./identity.ts";
import { verifyRaw } from "./identity-keys.ts";
import {
  SM_CHANNEL_NAME,
  SM_SECRET_BYTES,
  type SmSide,
  smFinished,
  smHandshakeSecret,
  smSideSecret,
} from "./sm-key-schedule.ts";
import {
  plainSmRecord,
  SM_RECORD_TYPES,
  SM4_GCM_TAG_BYTES,
  type SmRecord,
  SmRecordCipher,
  type SmSealLimits,
} from "./sm-records.ts";
import { SM2_POINT_BYTES, SM2_SIGNATURE_BYTES, type Sm2Ephemeral } from "./sm2-keys.ts";
import type { Entropy, PeerId } from "./types.ts";

/** The handshake of the SM channel: ephemeral Diffie-Hellman on SM2's curve, and each side's identity key signs what both have said (SIGMA-I,
 * Krawczyk 2003, in the order and with the key schedule of TLS 1.3, RFC 8446; cipher and hash of RFC 8998). README.md of this package has the
 * specification.
 *
 *   dialing                      answering
 *   hello             ------->
 *                     <-------   answer, proof (sealed)
 *   proof (sealed)    ------->
 *
 * One version, one cipher, one curve: nothing is negotiated, and all of it stands in what is signed. */
export type SmHandshakePorts = {
  readonly side: SmSide;
  readonly protocolName: string;
  /** What this side shows: DER of a certificate of its key. */
  readonly certificate: Bytes;
  /** Signs with the identity's key. @returns r || s. */
  readonly sign: (message: Bytes) => Bytes;
  readonly entropy: Entropy;
  readonly createEphemeral: () => Sm2Ephemeral;
  readonly sealLimits?: SmSealLimits | undefined;
};

export type SmSession = {
  readonly peerId: PeerId;
  readonly certificate: X509Certificate;
  readonly sealer: SmRecordCipher;
  readonly opener: SmRecordCipher;
};

export type SmStep = {
  /** To be sent now; may be empty. */
  readonly send: Bytes;
  /** When the handshake is done. */
  readonly session?: SmSession;
};

export type SmHandshakeErrorCode =
  | "network/malformed-handshake"
  | "network/other-protocol"
  | "network/bad-point"
  | "network/not-authentic"
  | "network/no-identity";

const FORMAT = 1;
/** SM2, SM3, SM4-GCM. */
const SUITE = 1;
const RANDOM_BYTES = 32;
const MAX_NAME_BYTES = 0xff;
/** Format, suite, random, point. */
const ANSWER_BYTES = 2 + RANDOM_BYTES + SM2_POINT_BYTES;
const MAX_HELLO_BYTES = ANSWER_BYTES + 1 + MAX_NAME_BYTES;
const CERTIFICATE_LENGTH_BYTES = 2;
const PROOF_BYTES_BESIDES = CERTIFICATE_LENGTH_BYTES + SM2_SIGNATURE_BYTES + SM_SECRET_BYTES;
const MAX_PROOF_BYTES = PROOF_BYTES_BESIDES + MAX_CERTIFICATE_BYTES + SM4_GCM_TAG_BYTES;
const NOTHING: Bytes = new Uint8Array(0);

const LONGEST: Readonly<Record<number, number>> = {
  [SM_RECORD_TYPES.hello]: MAX_HELLO_BYTES,
  [SM_RECORD_TYPES.answer]: ANSWER_BYTES,
  [SM_RECORD_TYPES.proof]: MAX_PROOF_BYTES,
};

function otherSide(side: SmSide): SmSide {
  return side === "dialing" ? "answering" : "dialing";
}

export class SmHandshake {
  readonly #ports: SmHandshakePorts;
  /** Made when something of the right form has been heard: it costs a key pair. */
  #ephemeral: Sm2Ephemeral | undefined;
  /** Over all that was said, proofs as they were before they were sealed. */
  readonly #transcript: NodeHash = createHash("sm3");
  #secret: Bytes = NOTHING;
  /** Secrets that seal the proofs. */
  #proofSecrets: Readonly<Record<SmSide, Bytes>> = { dialing: NOTHING, answering: NOTHING };
  #expected: number;

  constructor(ports: SmHandshakePorts) {
    this.#ports = ports;
    this.#expected = ports.side === "dialing" ? SM_RECORD_TYPES.answer : SM_RECORD_TYPES.hello;
    this.#transcript.update(utf8(SM_CHANNEL_NAME));
  }

  /** The one record that may come next, and how long its body may be. */
  get expects(): { readonly type: number; readonly maxBytes: number } {
    return { type: this.#expected, maxBytes: LONGEST[this.#expected] ?? 0 };
  }

  /** The dialing side's first record. */
  hello(): Bytes {
    const { protocolName } = this.#ports;
    const name = utf8(protocolName);
    const body = concatBytes(this.#offer(), Uint8Array.of(name.length), name);
    return this.#said(plainSmRecord(SM_RECORD_TYPES.hello, body));
  }

  /** Takes the record that `expects` names. After a failure the connection is to be closed without a word.
   * Errors: `network/malformed-handshake`, `network/other-protocol` (another format, suite, chain or protocol), `network/bad-point`,
   * `network/not-authentic` (altered, replayed, reflected, or signed by nobody), `network/no-identity` (a certificate of another kind of key). */
  receive(record: SmRecord): Result<SmStep, Failure<SmHandshakeErrorCode>> {
    switch (this.#expected) {
      case SM_RECORD_TYPES.hello:
        return this.#hearHello(record);
      case SM_RECORD_TYPES.answer:
        return this.#hearAnswer(record);
      default:
        return this.#hearProof(record);
    }
  }

  #hearHello({ header, body }: SmRecord): Result<SmStep, Failure<SmHandshakeErrorCode>> {
    const name = body.subarray(ANSWER_BYTES + 1);
    if (body.length <= ANSWER_BYTES || body[ANSWER_BYTES] !== name.length)
      return fail("network/malformed-handshake", "a hello of another form");
    if (!equalBytes(name, utf8(this.#ports.protocolName)))
      return fail("network/other-protocol", "a hello for another chain or protocol");
    const offered = this.#readOffer(body);
    if (!offered.ok) return offered;
    this.#said(header);
    this.#said(body);
    const answer = this.#said(plainSmRecord(SM_RECORD_TYPES.answer, this.#offer()));
    this.#agree(offered.value);
    this.#expected = SM_RECORD_TYPES.proof;
    return ok({ send: concatBytes(answer, this.#proof()) });
  }

  #hearAnswer({ header, body }: SmRecord): Result<SmStep, Failure<SmHandshakeErrorCode>> {
    if (body.length !== ANSWER_BYTES)
      return fail("network/malformed-handshake", "an answer of another length");
    const offered = this.#readOffer(body);
    if (!offered.ok) return offered;
    this.#said(header);
    this.#said(body);
    this.#agree(offered.value);
    this.#expected = SM_RECORD_TYPES.proof;
    return ok({ send: NOTHING });
  }

  #hearProof(record: SmRecord): Result<SmStep, Failure<SmHandshakeErrorCode>> {
    const { side } = this.#ports;
    const other = otherSide(side);
    const heard = this.#readProof(record, other);
    if (!heard.ok) return heard;
    const send = side === "dialing" ? this.#proof() : NOTHING;
    const transcript = this.#heard();
    const cipherOf = (of: SmSide): SmRecordCipher =>
      new SmRecordCipher(smSideSecret(this.#secret, of, "traffic", transcript), this.#ports.sealLimits);
    const session = { ...heard.value, sealer: cipherOf(side), opener: cipherOf(other) };
    for (const secret of [this.#secret, this.#proofSecrets.dialing, this.#proofSecrets.answering])
      secret.fill(0);
    return ok({ send, session });
  }

  #own(): Sm2Ephemeral {
    this.#ephemeral ??= this.#ports.createEphemeral();
    return this.#ephemeral;
  }

  /** What both sides begin with. */
  #offer(): Bytes {
    const random = this.#ports.entropy.bytes(RANDOM_BYTES);
    return concatBytes(Uint8Array.of(FORMAT, SUITE), random, this.#own().point);
  }

  /** @returns the common x. */
  #readOffer(body: Bytes): Result<Bytes, Failure<SmHandshakeErrorCode>> {
    if (body[0] !== FORMAT || body[1] !== SUITE)
      return fail("network/other-protocol", `format ${body[0]}, suite ${body[1]}`);
    const point = body.subarray(2 + RANDOM_BYTES, ANSWER_BYTES);
    const own = this.#own();
    if (equalBytes(point, own.point)) return fail("network/not-authentic", "this side's own point");
    const shared = own.agree(point);
    return shared === undefined ? fail("network/bad-point", "no point of the curve") : ok(shared);
  }

  #agree(shared: Bytes): void {
    this.#secret = smHandshakeSecret(shared);
    shared.fill(0);
    const transcript = this.#heard();
    this.#proofSecrets = {
      dialing: smSideSecret(this.#secret, "dialing", "proof", transcript),
      answering: smSideSecret(this.#secret, "answering", "proof", transcript),
    };
  }

  /** This side's certificate, its signature of all before, and a code over all that only a side of this handshake can make. */
  #proof(): Bytes {
    const { side, certificate, sign } = this.#ports;
    const length = Uint8Array.of(certificate.length >> 8, certificate.length & 0xff);
    this.#said(length);
    this.#said(certificate);
    const signature = this.#said(sign(signedBytes(side, this.#heard())));
    const finished = this.#said(smFinished(this.#proofSecrets[side], this.#heard()));
    const cipher = new SmRecordCipher(this.#proofSecrets[side]);
    return must(
      cipher.seal(SM_RECORD_TYPES.proof, concatBytes(length, certificate, signature, finished)),
      "the first record has a key",
    );
  }

  #readProof(
    { header, body }: SmRecord,
    side: SmSide,
  ): Result<Pick<SmSession, "peerId" | "certificate">, Failure<SmHandshakeErrorCode>> {
    const plain = new SmRecordCipher(this.#proofSecrets[side]).open(header, body);
    if (plain === undefined) return fail("network/not-authentic", "a proof that does not open");
    const size = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
    if (plain.length !== PROOF_BYTES_BESIDES + size)
      return fail("network/malformed-handshake", "a proof of another form");
    const end = CERTIFICATE_LENGTH_BYTES + size;
    const certificate = parseCertificate(plain.subarray(CERTIFICATE_LENGTH_BYTES, end));
    const peerId = certificate === undefined ? undefined : peerIdOfCertificate(certificate, "sm2");
    if (certificate === undefined || peerId === undefined)
      return fail("network/no-identity", "no certificate of an SM2 key");
    this.#said(plain.subarray(0, end));
    const signature = plain.subarray(end, end + SM2_SIGNATURE_BYTES);
    const message = signedBytes(side, this.#heard());
    if (!verifyRaw({ kind: "sm2", raw: hex(peerId) }, message, signature, certificate.publicKey))
      return fail("network/not-authentic", "a signature that is not its key's");
    this.#said(signature);
    const finished = plain.subarray(end + SM2_SIGNATURE_BYTES);
    const expected = smFinished(this.#proofSecrets[side], this.#heard());
    if (!timingSafeEqual(finished, expected))
      return fail("network/not-authentic", "a proof of another handshake");
    this.#said(finished);
    return ok({ peerId, certificate });
  }

  #said(bytes: Bytes): Bytes {
    this.#transcript.update(bytes);
    return bytes;
  }

  #heard(): Bytes {
    return new Uint8Array(this.#transcript.copy().digest());
  }
}

function signedBytes(side: SmSide, transcript: Bytes): Bytes {
  return concatBytes(utf8(`${SM_CHANNEL_NAME} ${side} signature`), Uint8Array.of(0), transcript);
}

function parseCertificate(der: Bytes): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}
