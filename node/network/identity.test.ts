import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { hex, must, utf8 } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_SM2,
  signatureEngine,
  verifySignature,
} from "@ostrom/crypto";
import { createIdentity, identityFromPem, peerIdOfCertificate } from "./identity.ts";
import { identityKeyOf, signRaw, verifyRaw } from "./identity-keys.ts";
import { IDENTITY_KINDS, isPeerId, kindOfPeerId, lengthsOf, shortPeerId } from "./identity-kinds.ts";

const identity = createIdentity();

test("identity: named by the raw Ed25519 key that its certificate carries", () => {
  assert.ok(isPeerId(identity.peerId));
  const certificate = new X509Certificate(identity.certificatePem);
  assert.equal(peerIdOfCertificate(certificate, "ed25519"), identity.peerId);
  // SubjectPublicKeyInfo of Ed25519 ends with the raw key (RFC 8410).
  const spki = certificate.publicKey.export({ format: "der", type: "spki" });
  assert.equal(spki.subarray(-32).toString("hex"), identity.peerId);
  assert.ok(certificate.verify(certificate.publicKey), "the certificate is self-signed");
});

test("identity: read back from PEM in any order", () => {
  for (const pem of [
    identity.privateKeyPem + identity.certificatePem,
    identity.certificatePem + identity.privateKeyPem,
    `# a comment\n${identity.privateKeyPem}\n\n${identity.certificatePem}`,
  ]) {
    assert.deepEqual(identityFromPem(pem), { ok: true, value: identity });
  }
});

test("identity: two are never the same", () => {
  assert.notEqual(createIdentity().peerId, identity.peerId);
});

test("identity: parts missing or broken, keys of other kinds, and a foreign certificate are refused", () => {
  const codeOf = (pem: string): string => {
    const read = identityFromPem(pem);
    return read.ok ? "ok" : read.error.code;
  };
  assert.equal(codeOf(""), "identity/malformed");
  assert.equal(codeOf(identity.privateKeyPem), "identity/malformed");
  assert.equal(codeOf(identity.certificatePem), "identity/malformed");
  assert.equal(codeOf(identity.privateKeyPem.slice(0, 60) + identity.certificatePem), "identity/malformed");
  assert.equal(
    codeOf(identity.privateKeyPem + identity.certificatePem.replace("MIH", "AAA")),
    "identity/malformed",
  );
  const other = createIdentity();
  assert.equal(codeOf(other.privateKeyPem + identity.certificatePem), "identity/key-mismatch");
  const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    format: "pem",
    type: "pkcs8",
  });
  assert.equal(codeOf(elliptic.toString() + identity.certificatePem), "identity/wrong-key-type");
});

const SCHEMES = { ed25519: SCHEME_ED25519, "ml-dsa-44": SCHEME_ML_DSA_44, sm2: SCHEME_SM2 };

for (const kind of IDENTITY_KINDS) {
  const own = createIdentity(kind);
  const privateKey = createPrivateKey(own.privateKeyPem);
  const key = must(identityKeyOf(createPublicKey(privateKey)), "an identity has a key of its kind");
  const message = utf8("what a node says");

  test(`identity of ${kind}: named by its raw key, which its certificate carries, and read back from PEM`, () => {
    assert.equal(own.peerId.length, 2 * lengthsOf(kind).publicKey);
    assert.ok(isPeerId(own.peerId) && isPeerId(own.peerId, kind));
    assert.equal(kindOfPeerId(own.peerId), kind);
    assert.equal(peerIdOfCertificate(new X509Certificate(own.certificatePem), kind), own.peerId);
    assert.deepEqual(identityFromPem(own.privateKeyPem + own.certificatePem, undefined, kind), {
      ok: true,
      value: own,
    });
    assert.notEqual(createIdentity(kind).peerId, own.peerId);
  });

  test(`identity of ${kind}: none of another kind, whatever asks`, () => {
    for (const other of IDENTITY_KINDS.filter((each) => each !== kind)) {
      const read = identityFromPem(own.privateKeyPem + own.certificatePem, undefined, other);
      assert.equal(read.ok ? "" : read.error.code, "identity/wrong-key-type");
      assert.equal(peerIdOfCertificate(new X509Certificate(own.certificatePem), other), undefined);
      assert.equal(isPeerId(own.peerId, other), false);
    }
  });

  test(`identity of ${kind}: what it signs, core/crypto verifies, and the other way round`, () => {
    const engine = must(signatureEngine(SCHEMES[kind]), "the scheme has an engine");
    for (let count = 0; count < 5; count++) {
      const signature = signRaw(privateKey, key, message);
      assert.equal(signature.length, lengthsOf(kind).signature);
      assert.ok(verifySignature(SCHEMES[kind], key.raw, message, signature));
      assert.ok(verifyRaw(key, message, signature));
      assert.equal(verifyRaw(key, utf8("something else"), signature), false);
      assert.equal(verifyRaw(key, message, signature.subarray(1)), false);
      const bent = Uint8Array.from(signature);
      bent[count * 7]! ^= 1;
      assert.equal(verifyRaw(key, message, bent), false);
    }
    const secret = new Uint8Array(32).fill(7);
    const raw = engine.publicKey(secret);
    const signature = engine.sign(secret, message, new Uint8Array(0));
    assert.ok(verifyRaw({ kind, raw }, message, signature));
    assert.equal(verifyRaw({ kind, raw: key.raw }, message, signature), false);
    assert.equal(verifyRaw({ kind, raw: raw.subarray(1) }, message, signature), false);
  });
}

test("identity: SM2 numbers of zero, of the group's order and above are no signature", () => {
  const { peerId } = createIdentity("sm2");
  const key = { kind: "sm2" as const, raw: hex(peerId) };
  const order = "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
  const [zero, one, most] = ["00".repeat(32), `${"00".repeat(31)}01`, "ff".repeat(32)];
  for (const [r, s] of [
    [zero, zero],
    [zero, one],
    [one, zero],
    [order, one],
    [one, order],
    [most, most],
  ] as const)
    assert.equal(verifyRaw(key, utf8("message"), hex(r + s)), false);
});

test("identity: the example of GB/T 32918.5-2017, A.2, is a good signature", () => {
  const raw = hex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
  );
  const signature = hex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
  );
  assert.ok(verifyRaw({ kind: "sm2", raw }, utf8("message digest"), signature));
});

test("identity: names are lower-case hex of a key's length and nothing else; long ones are short in logs", () => {
  for (const text of [
    "",
    "00".repeat(31),
    "00".repeat(33),
    "AB".repeat(32),
    "0g".repeat(32),
    "00".repeat(96),
  ])
    assert.equal(isPeerId(text), false, text);
  const { peerId } = createIdentity("ml-dsa-44");
  assert.ok(shortPeerId(peerId).length < 100);
  assert.equal(shortPeerId("00".repeat(64)), "00".repeat(64));
});
