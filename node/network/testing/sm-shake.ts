import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { type Bytes, concatBytes, createRandom, must, type Random } from "@ostrom/base";
import { createIdentity, type Identity } from "../identity.ts";
import { identityKeyOf, signRaw } from "../identity-keys.ts";
import { SmHandshake, type SmHandshakePorts, type SmSession } from "../sm-handshake.ts";
import type { SmSide } from "../sm-key-schedule.ts";
import { SmRecordReader } from "../sm-records.ts";
import { createSm2Ephemeral } from "../sm2-keys.ts";

/** Draws what a test wants to be any. */
export const random: Random = createRandom(6);
/** Who shakes hands, unless a test says otherwise. */
export const identities: Readonly<Record<SmSide, Identity>> = {
  dialing: createIdentity("sm2"),
  answering: createIdentity("sm2"),
};

export function portsOf(side: SmSide, identity: Identity = identities[side]): SmHandshakePorts {
  const privateKey = createPrivateKey(identity.privateKeyPem);
  const key = must(identityKeyOf(createPublicKey(privateKey)), "an identity has a key of its kind");
  return {
    side,
    protocolName: "ostrom/1/test",
    certificate: certificateOf(identity),
    sign: (message) => signRaw(privateKey, key, message),
    entropy: { bytes: (length) => random.bytes(length) },
    createEphemeral: createSm2Ephemeral,
  };
}

export function certificateOf({ certificatePem }: Identity): Bytes {
  return new Uint8Array(new X509Certificate(certificatePem).raw);
}

export type Outcome = {
  readonly sent: Bytes;
  readonly session: SmSession | undefined;
  readonly error: string;
};

/** Gives a side what came over the wire, until it has an answer or an end. */
export function feed(handshake: SmHandshake, wire: Bytes): Outcome {
  const reader = new SmRecordReader();
  reader.push(wire);
  for (let sent: Bytes = new Uint8Array(0); ; ) {
    const { type, maxBytes } = handshake.expects;
    const record = reader.next(type, maxBytes);
    if (record === undefined) return { sent, session: undefined, error: "" };
    if ("code" in record) return { sent, session: undefined, error: record.code };
    const step = handshake.receive(record);
    if (!step.ok) return { sent, session: undefined, error: step.error.code };
    sent = concatBytes(sent, step.value.send);
    if (step.value.session !== undefined) return { sent, session: step.value.session, error: "" };
  }
}

export type Tamper = (flight: "hello" | "answer" | "proof", bytes: Bytes) => Bytes;

/** A whole handshake, with somebody in between. */
export function shake(
  tamper: Tamper = (_, bytes) => bytes,
  ports: Readonly<Record<SmSide, SmHandshakePorts>> = {
    dialing: portsOf("dialing"),
    answering: portsOf("answering"),
  },
): { readonly dialing: Outcome; readonly answering: Outcome } {
  const [dialing, answering] = [new SmHandshake(ports.dialing), new SmHandshake(ports.answering)];
  const first = feed(answering, tamper("hello", dialing.hello()));
  const second = feed(dialing, tamper("answer", first.sent));
  if (second.session === undefined) return { dialing: second, answering: first };
  return { dialing: second, answering: feed(answering, tamper("proof", second.sent)) };
}
