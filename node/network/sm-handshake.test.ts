import assert from "node:assert/strict";
import { createECDH } from "node:crypto";
import { test } from "node:test";
import { type Bytes, concatBytes, equalBytes, hex, must, toHexDigits, utf8 } from "@ostrom/base";
import { createIdentity } from "./identity.ts";
import { SmHandshake, type SmHandshakePorts, type SmSession } from "./sm-handshake.ts";
import type { SmSide } from "./sm-key-schedule.ts";
import { SM_RECORD_TYPES } from "./sm-records.ts";
import { createSm2Ephemeral, sm2EphemeralOf } from "./sm2-keys.ts";
import { followingSmSecret, openSmRecord, readSmHandshake } from "./testing/sm-reference.ts";
import {
  certificateOf,
  feed,
  identities,
  type Outcome,
  portsOf,
  random,
  shake,
  type Tamper,
} from "./testing/sm-shake.ts";
import { SM_VECTOR } from "./testing/sm-vector.ts";

const OTHER = createIdentity("sm2");

function openWhole({ opener }: SmSession, record: Bytes): Bytes | undefined {
  return opener.open(record.subarray(0, 3), record.subarray(3));
}

test("SM handshake: both sides know each other, and what one seals the other opens", () => {
  const { dialing, answering } = shake();
  assert.ok(dialing.session !== undefined && answering.session !== undefined);
  assert.equal(dialing.session.peerId, identities.answering.peerId);
  assert.equal(answering.session.peerId, identities.dialing.peerId);
  for (const [from, to] of [
    [dialing.session, answering.session],
    [answering.session, dialing.session],
  ] as const) {
    const record = must(from.sealer.seal(SM_RECORD_TYPES.data, utf8("vote")), "there is a key");
    assert.deepEqual(openWhole(to, record), Buffer.from("vote"));
  }
});

test("SM handshake: the pinned one, byte for byte, and every value recomputed by core/crypto's own arithmetic", () => {
  const pinned = (side: SmSide): SmHandshakePorts => {
    const given = SM_VECTOR[side];
    return {
      ...portsOf(side),
      protocolName: SM_VECTOR.protocolName,
      certificate: hex(given.certificate),
      sign: () => hex(given.signature),
      entropy: { bytes: () => hex(given.random) },
      createEphemeral: () => sm2EphemeralOf(hex(given.ephemeralSecret), hex(given.ephemeralPoint)),
    };
  };
  const seen: Record<string, string> = {};
  const { dialing, answering } = shake(
    (flight, bytes) => {
      seen[flight] = toHexDigits(bytes);
      return bytes;
    },
    { dialing: pinned("dialing"), answering: pinned("answering") },
  );
  assert.deepEqual(seen, {
    hello: SM_VECTOR.hello,
    answer: SM_VECTOR.answerAndProof,
    proof: SM_VECTOR.dialingProof,
  });
  assert.ok(dialing.session !== undefined && answering.session !== undefined);
  const { dialingData, answeringData } = SM_VECTOR;
  const seal = ({ sealer }: SmSession, text: string): string =>
    toHexDigits(must(sealer.seal(SM_RECORD_TYPES.data, utf8(text)), "there is a key"));
  assert.equal(seal(dialing.session, dialingData.plain), dialingData.record);
  assert.equal(seal(answering.session, answeringData.plain), answeringData.record);

  for (const [own, other] of [
    ["dialing", "answering"],
    ["answering", "dialing"],
  ] as const) {
    const e = createECDH("SM2");
    e.setPrivateKey(hex(SM_VECTOR[own].ephemeralSecret));
    assert.equal(e.getPublicKey("hex").slice(2), SM_VECTOR[own].ephemeralPoint);
    const read = readSmHandshake(hex(SM_VECTOR[own].ephemeralSecret), hex(SM_VECTOR[other].ephemeralPoint), {
      hello: hex(SM_VECTOR.hello),
      answerAndProof: hex(SM_VECTOR.answerAndProof),
      dialingProof: hex(SM_VECTOR.dialingProof),
    });
    assert.equal(toHexDigits(read.answeringKey), dialing.session.peerId);
    assert.equal(toHexDigits(read.dialingKey), answering.session.peerId);
    assert.deepEqual(openSmRecord(read.dialingSecret, 0, hex(dialingData.record)), utf8(dialingData.plain));
    assert.deepEqual(
      openSmRecord(read.answeringSecret, 0, hex(answeringData.record)),
      utf8(answeringData.plain),
    );
  }
});

test("SM handshake: what the two compute in freely drawn ones, core/crypto's own arithmetic computes too", () => {
  for (let count = 0; count < 3; count++) {
    const secret = concatBytes(Uint8Array.of(1), random.bytes(31));
    const e = createECDH("SM2");
    e.setPrivateKey(secret);
    const point = new Uint8Array(e.getPublicKey()).slice(1);
    const sealLimits = { recordsPerKey: 2, maxKeys: 4 };
    const flights: Bytes[] = [];
    const { dialing, answering } = shake(
      (_, bytes) => {
        flights.push(bytes);
        return bytes;
      },
      {
        dialing: { ...portsOf("dialing"), sealLimits, createEphemeral: () => sm2EphemeralOf(secret, point) },
        answering: { ...portsOf("answering"), sealLimits },
      },
    );
    assert.ok(dialing.session !== undefined && answering.session !== undefined);
    const [hello, answerAndProof, dialingProof] = flights as [Bytes, Bytes, Bytes];
    const read = readSmHandshake(secret, answerAndProof.subarray(3 + 34, 3 + 98), {
      hello,
      answerAndProof,
      dialingProof,
    });
    const records = ["first", "second", "third"].map((text) =>
      must(dialing.session?.sealer.seal(SM_RECORD_TYPES.data, utf8(text)), "there is a key"),
    );
    const next = followingSmSecret(read.dialingSecret);
    assert.deepEqual(openSmRecord(read.dialingSecret, 0, records[0]!), utf8("first"));
    assert.deepEqual(openSmRecord(read.dialingSecret, 1, records[1]!), utf8("second"));
    assert.deepEqual(openSmRecord(next, 0, records[2]!), utf8("third"));
  }
});

test("SM handshake: no bit of it can be turned on the way without ending it", () => {
  const lengths: Record<string, number> = {};
  shake((flight, bytes) => {
    lengths[flight] = bytes.length;
    return bytes;
  });
  let tried = 0;
  for (const flight of ["hello", "answer", "proof"] as const) {
    // All of what is in clear, and of what is sealed some.
    const clear = flight === "hello" ? lengths[flight]! : flight === "answer" ? 104 : 3;
    for (let at = 0; at < lengths[flight]!; at += at < clear ? 1 : 29) {
      const { dialing, answering } = shake((which, bytes) => {
        if (which !== flight) return bytes;
        const bent = Uint8Array.from(bytes);
        bent[at]! ^= 1 << random.below(8);
        return bent;
      });
      const reached = flight === "proof" ? [answering] : [dialing, answering];
      for (const { session } of reached) assert.equal(session, undefined, `${flight}, byte ${at}`);
      tried += 1;
    }
  }
  assert.ok(tried > 200);
});

test("SM handshake: another format or suite is refused by either side, and there is no other to fall back to", () => {
  for (const at of [3, 4]) {
    for (const flight of ["hello", "answer"] as const) {
      for (const value of [0, 2, 255]) {
        const outcome = shake((which, bytes) => {
          const bent = Uint8Array.from(bytes);
          if (which === flight) bent[at] = value;
          return bent;
        });
        const error = flight === "hello" ? outcome.answering.error : outcome.dialing.error;
        assert.equal(error, "network/other-protocol");
        assert.equal(outcome.dialing.session, undefined);
      }
    }
  }
});

test("SM handshake: a node of another chain or protocol gets no answer", () => {
  for (const protocolName of ["ostrom/1/other", "ostrom/2/test", "ostrom/1/tes", "ostrom/1/test2", ""]) {
    const { answering, dialing } = shake(undefined, {
      dialing: { ...portsOf("dialing"), protocolName },
      answering: portsOf("answering"),
    });
    assert.equal(answering.error, "network/other-protocol");
    assert.equal(answering.sent.length, 0);
    assert.equal(dialing.session, undefined);
  }
});

test("SM handshake: what was recorded of one is worth nothing in another, in whole or in parts", () => {
  const recorded: Record<string, Bytes> = {};
  shake((flight, bytes) => {
    recorded[flight] = bytes;
    return bytes;
  });
  // Somebody who was there sends hello and proof again.
  const victim = new SmHandshake(portsOf("answering"));
  assert.notEqual(feed(victim, recorded["hello"]!).sent.length, 0);
  assert.equal(feed(victim, recorded["proof"]!).error, "network/not-authentic");
  // Somebody answers a new hello with an old answer.
  const dialing = new SmHandshake(portsOf("dialing"));
  dialing.hello();
  assert.equal(feed(dialing, recorded["answer"]!).error, "network/not-authentic");
  // Or with a new answer and an old proof.
  const { dialing: mixed } = shake((flight, bytes) =>
    flight === "answer" ? concatBytes(bytes.subarray(0, 101), recorded["answer"]!.subarray(101)) : bytes,
  );
  assert.equal(mixed.error, "network/not-authentic");
});

test("SM handshake: a side's own messages, sent back to it, are refused", () => {
  const dialing = new SmHandshake(portsOf("dialing"));
  const hello = dialing.hello();
  assert.equal(feed(dialing, hello).error, "network/unexpected-record");
  // Its point and random, in the form of an answer.
  const answer = concatBytes(Uint8Array.of(SM_RECORD_TYPES.answer, 0, 98), hello.subarray(3, 101));
  const again = new SmHandshake(portsOf("dialing"));
  again.hello();
  assert.notEqual(feed(again, answer).error, "network/not-authentic", "another's hello is no reflection");
  assert.equal(feed(dialing, answer).error, "network/not-authentic");
  // The answering side's proof, sent back in the place of the dialing side's.
  const { answering } = shakeWithReflectedProof();
  assert.equal(answering.error, "network/not-authentic");
});

function shakeWithReflectedProof(): { readonly dialing: Outcome; readonly answering: Outcome } {
  let proof: Bytes = new Uint8Array(0);
  return shake((flight, bytes) => {
    if (flight === "answer") proof = bytes.subarray(101);
    return flight === "proof" ? proof : bytes;
  });
}

test("SM handshake: nobody passes for another: not by his certificate, not by standing between two", () => {
  // A certificate of somebody else, and a signature by one's own key.
  for (const side of ["dialing", "answering"] as const) {
    const thief = { ...portsOf(side, OTHER), certificate: certificateOf(identities[side]) };
    const ports = { dialing: portsOf("dialing"), answering: portsOf("answering"), [side]: thief };
    const outcome = shake(undefined, ports);
    const victim = side === "dialing" ? outcome.answering : outcome.dialing;
    assert.equal(victim.error, "network/not-authentic");
    assert.equal(victim.session, undefined);
  }
  // Whoever stands in between shakes hands with both, but each of them learns his name, not the other's.
  const left = shake(undefined, { dialing: portsOf("dialing"), answering: portsOf("answering", OTHER) });
  const right = shake(undefined, { dialing: portsOf("dialing", OTHER), answering: portsOf("answering") });
  assert.equal(left.dialing.session?.peerId, OTHER.peerId);
  assert.equal(right.answering.session?.peerId, OTHER.peerId);
});

test("SM handshake: a signature of one handshake, or of one side, is none of another", () => {
  const signatures: Bytes[] = [];
  const honest = portsOf("answering");
  shake(undefined, {
    dialing: portsOf("dialing"),
    answering: {
      ...honest,
      sign: (message) => {
        const signature = honest.sign(message);
        signatures.push(signature);
        return signature;
      },
    },
  });
  // Who has the signature but not the key.
  const replaying = { ...honest, sign: () => signatures[0]! };
  assert.equal(
    shake(undefined, { dialing: portsOf("dialing"), answering: replaying }).dialing.error,
    "network/not-authentic",
  );
  // Signed over the same transcript, but as the other side.
  const swapped = {
    ...honest,
    sign: (message: Bytes) => {
      const text = new TextDecoder("latin1").decode(message.subarray(0, 32));
      assert.ok(text.startsWith("ostrom-sm/1 answering signature"));
      return honest.sign(concatBytes(utf8("ostrom-sm/1 dialing signature"), message.subarray(31)));
    },
  };
  assert.equal(
    shake(undefined, { dialing: portsOf("dialing"), answering: swapped }).dialing.error,
    "network/not-authentic",
  );
});

test("SM handshake: certificates of other kinds of keys, or none at all, are no identity", () => {
  for (const certificate of [
    certificateOf(createIdentity("ed25519")),
    certificateOf(createIdentity("ml-dsa-44")),
    utf8("no certificate"),
    new Uint8Array(0),
  ]) {
    const { dialing } = shake(undefined, {
      dialing: portsOf("dialing"),
      answering: { ...portsOf("answering"), certificate },
    });
    assert.equal(dialing.error, "network/no-identity");
  }
});

const FIELD = "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff";

test("SM handshake: points that are none of the curve are refused by both sides", () => {
  const { point } = createSm2Ephemeral();
  const offCurve = Uint8Array.from(point);
  offCurve[63]! ^= 1;
  const points: readonly Bytes[] = [
    new Uint8Array(64),
    new Uint8Array(64).fill(0xff),
    offCurve,
    // A point of P-256, on whose curve logarithms may be easier to come by.
    hex(
      "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ),
    // Coordinates at the field's size and above.
    concatBytes(hex(FIELD), point.subarray(32)),
    concatBytes(point.subarray(0, 32), hex(FIELD)),
    concatBytes(point.subarray(32), point.subarray(0, 32)),
  ];
  for (const bad of points) {
    const put =
      (which: "hello" | "answer"): Tamper =>
      (flight, bytes) => {
        const bent = Uint8Array.from(bytes);
        if (flight === which) bent.set(bad, 3 + 34);
        return bent;
      };
    assert.equal(shake(put("hello")).answering.error, "network/bad-point");
    assert.equal(shake(put("answer")).dialing.error, "network/bad-point");
  }
  assert.equal(createSm2Ephemeral().agree(point.subarray(1)), undefined);
  assert.equal(createSm2Ephemeral().agree(concatBytes(point, Uint8Array.of(1))), undefined);
});

test("SM handshake: records too long, too short or out of place are refused by their headers", () => {
  const at = (side: SmSide, bytes: Bytes): string => {
    const handshake = new SmHandshake(portsOf(side));
    if (side === "dialing") handshake.hello();
    return feed(handshake, bytes).error;
  };
  assert.equal(at("answering", Uint8Array.of(1, 0xff, 0xff)), "network/record-too-long");
  assert.equal(at("answering", Uint8Array.of(1, 1, 99)), "network/record-too-long");
  assert.equal(at("answering", Uint8Array.of(4, 0, 1)), "network/unexpected-record");
  assert.equal(at("answering", utf8("GET / HTTP/1.1\r\n\r\n")), "network/unexpected-record");
  // The beginning of TLS.
  assert.equal(at("answering", Uint8Array.of(0x16, 3, 1)), "network/unexpected-record");
  assert.equal(at("dialing", Uint8Array.of(3, 0, 1)), "network/unexpected-record");
  assert.equal(
    at("dialing", concatBytes(Uint8Array.of(2, 0, 97), new Uint8Array(97))),
    "network/malformed-handshake",
  );
  assert.equal(at("answering", Uint8Array.of(1, 0, 0)), "network/malformed-handshake");
  const long = { ...portsOf("answering"), certificate: new Uint8Array(9_000) };
  const { dialing } = shake(undefined, { dialing: portsOf("dialing"), answering: long });
  assert.equal(dialing.error, "network/record-too-long");
});

test("SM handshake: a cut in any place leaves a side waiting, never done", () => {
  const handshake = new SmHandshake(portsOf("dialing"));
  const hello = handshake.hello();
  for (const length of [0, 1, 2, 3, 50, hello.length - 1]) {
    const outcome = feed(new SmHandshake(portsOf("answering")), hello.subarray(0, length));
    assert.deepEqual([outcome.session, outcome.sent.length, outcome.error], [undefined, 0, ""]);
  }
});

test("SM handshake: secrets of two handshakes between the same nodes have nothing in common", () => {
  const seal = (): Bytes => {
    const session = must(shake().dialing.session, "it is done");
    return must(session.sealer.seal(SM_RECORD_TYPES.data, new Uint8Array(64)), "there is a key");
  };
  assert.ok(!equalBytes(seal(), seal()));
});
