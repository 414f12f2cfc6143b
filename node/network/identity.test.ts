import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createIdentity, identityFromPem, isPeerId, peerIdOfCertificate } from "./identity.ts";

const identity = createIdentity();

test("identity: named by the raw Ed25519 key that its certificate carries", () => {
  assert.ok(isPeerId(identity.peerId));
  const certificate = new X509Certificate(identity.certificatePem);
  assert.equal(peerIdOfCertificate(certificate), identity.peerId);
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
