import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Bytes, unwrap } from "@ostrom/base";
import { refuseCertificate } from "./certificate-check.ts";
import { createIdentity, type Identity, identityFromPem } from "./identity.ts";
import type { IdentityKind } from "./identity-kinds.ts";
import { issueWritten, parsed, writeAuthority } from "./testing/certificate-writer.ts";
import { TestNetwork, type TestNode, until } from "./testing/nodes.ts";

const folder = mkdtempSync(join(tmpdir(), "ostrom-certificates-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const skip = hasOpenssl() ? false : "there is no openssl here";
let files = 0;

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function openssl(...words: readonly string[]): void {
  execFileSync("openssl", words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

type Authority = { readonly name: string; readonly der: Bytes };

/** Stands for a key that is made in a step of its own: one that openssl makes on the way would sign ECDSA. */
const SM2_KEY: readonly string[] = [];
/** How authorities of an `sm` chain sign: by the standard's identifier. */
const SM2_SIGNING = ["-sm3", "-sigopt", "distid:1234567812345678"];

/** An authority as an organisation makes it by hand. */
function createAuthority(
  days: number,
  key: readonly string[] = ["-newkey", "ed25519"],
  signing: readonly string[] = [],
): Authority {
  const name = `authority-${++files}`;
  const more = [
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  ];
  const isMadeBefore = key === SM2_KEY;
  if (isMadeBefore) openssl("ecparam", "-genkey", "-name", "SM2", "-noout", "-out", `${name}.key`);
  const source = isMadeBefore ? ["-key", `${name}.key`] : [...key, "-nodes", "-keyout", `${name}.key`];
  openssl(
    "req",
    "-x509",
    ...source,
    "-out",
    `${name}.crt`,
    "-days",
    String(days),
    "-subj",
    `/O=Bank/CN=${name}`,
    ...signing,
    ...more,
  );
  return { name, der: new Uint8Array(new X509Certificate(readFileSync(join(folder, `${name}.crt`))).raw) };
}

/** A certificate over a node's transport key. */
function issue(
  identity: Identity,
  { name: authority }: Authority,
  days = 30,
  extensions = "basicConstraints=CA:FALSE",
  signing: readonly string[] = [],
): Identity {
  const name = `node-${++files}`;
  writeFileSync(join(folder, `${name}.pem`), identity.privateKeyPem);
  writeFileSync(join(folder, `${name}.ext`), `${extensions}\n`);
  const [requesting, checking] =
    identity.kind === "sm2" ? [SM2_SIGNING, ["-vfyopt", "distid:1234567812345678"]] : [[], []];
  openssl(
    "req",
    "-new",
    "-key",
    `${name}.pem`,
    "-out",
    `${name}.csr`,
    "-subj",
    "/O=Bank/CN=node-1",
    ...requesting,
  );
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${authority}.crt`,
    "-CAkey",
    `${authority}.key`,
    "-CAcreateserial",
    "-days",
    String(days),
    "-out",
    `${name}.crt`,
    "-extfile",
    `${name}.ext`,
    ...checking,
    ...signing,
  );
  return unwrap(identityFromPem(identity.privateKeyPem, readFileSync(join(folder, `${name}.crt`), "utf8")));
}

const parse = ({ certificatePem }: Identity): X509Certificate => new X509Certificate(certificatePem);

test("certificates: only one that an authority of the organisation has issued, in force, is good", {
  skip,
}, () => {
  const [bank, other] = [createAuthority(365), createAuthority(365)];
  const identity = createIdentity();
  const nowMs = Date.now() + HOUR_MS;
  const issued = parse(issue(identity, bank));
  const check = (certificate: X509Certificate | undefined, authorities: readonly Authority[], atMs = nowMs) =>
    refuseCertificate(
      certificate,
      authorities.map(({ der }) => der),
      atMs,
    );
  assert.equal(check(issued, [bank]), undefined);
  assert.equal(check(issued, [other, bank]), undefined, "while one replaces another, both count");
  assert.equal(check(issued, [other]), "network/certificate-not-issued");
  assert.equal(check(issued, []), "network/certificate-not-issued");
  assert.equal(check(parse(identity), [bank]), "network/certificate-not-issued", "self-signed");
  assert.equal(check(undefined, [bank]), "network/no-certificate");
  assert.equal(check(issued, [bank], nowMs + 31 * DAY_MS), "network/certificate-expired");
  assert.equal(check(issued, [bank], nowMs - 2 * DAY_MS), "network/certificate-expired", "not yet in force");
  const sub = parse(issue(identity, bank, 30, "basicConstraints=critical,CA:TRUE"));
  assert.equal(check(sub, [bank]), "network/certificate-of-an-authority");
  const old = createAuthority(1);
  const outlives = parse(issue(identity, old, 30));
  assert.equal(check(outlives, [old], nowMs + 2 * DAY_MS), "network/authority-expired");
  const notAnAuthority = issue(createIdentity(), bank);
  assert.equal(
    refuseCertificate(issued, [new Uint8Array(parse(notAnAuthority).raw), Uint8Array.of(1, 2)], nowMs),
    "network/certificate-not-issued",
  );
});

test("certificates: one of another key than the node's is no identity", { skip }, () => {
  const bank = createAuthority(365);
  const read = identityFromPem(createIdentity().privateKeyPem, issue(createIdentity(), bank).certificatePem);
  assert.equal(read.ok ? "" : read.error.code, "identity/key-mismatch");
});

test("certificates of sm2: only one that an SM2 authority has issued, by the standard's identifier, is good", {
  skip,
}, () => {
  const nowMs = Date.now() + HOUR_MS;
  const bank = createAuthority(365, SM2_KEY, SM2_SIGNING);
  const identity = createIdentity("sm2");
  const check = (issued: Identity, ...authorities: readonly Authority[]): string | undefined =>
    refuseCertificate(
      parse(issued),
      authorities.map(({ der }) => der),
      nowMs,
      "sm2",
    );
  const issued = issue(identity, bank, 30, undefined, SM2_SIGNING);
  assert.equal(check(issued, bank), undefined);
  assert.equal(check(issued, createAuthority(365, SM2_KEY, SM2_SIGNING)), "network/certificate-not-issued");
  assert.equal(check(identity, bank), "network/certificate-not-issued", "self-signed");
  const otherIdentifier = issue(identity, bank, 30, undefined, ["-sm3", "-sigopt", "distid:somebody"]);
  assert.equal(check(otherIdentifier, bank), "network/certificate-not-issued");
  const sub = issue(identity, bank, 30, "basicConstraints=critical,CA:TRUE", SM2_SIGNING);
  assert.equal(check(sub, bank), "network/certificate-of-an-authority");
  const classical = createAuthority(365);
  assert.equal(check(issue(identity, classical), classical), "network/certificate-not-issued");
  // A bit of what is signed, of the algorithm's name, of the signature.
  const { raw } = parse(issued);
  for (const at of [60, raw.length - 80, raw.length - 5]) {
    const bent = Buffer.from(raw);
    bent[at]! ^= 1;
    const pem = `-----BEGIN CERTIFICATE-----\n${bent.toString("base64")}\n-----END CERTIFICATE-----\n`;
    assert.throws(() => assert.equal(check({ ...issued, certificatePem: pem }, bank), undefined));
  }
});

test("certificates of ml-dsa-44: only post-quantum authorities count", () => {
  const nowMs = Date.now() + HOUR_MS;
  const identity = createIdentity("ml-dsa-44");
  for (const scheme of ["ml-dsa-44", "ml-dsa-65", "ed25519"] as const) {
    const bank = writeAuthority(scheme);
    const check = (issued: Identity): string | undefined =>
      refuseCertificate(parsed(issued), [bank.der], nowMs, "ml-dsa-44");
    const good = scheme === "ed25519" ? "network/certificate-not-issued" : undefined;
    assert.equal(check(issueWritten(identity, bank)), good, scheme);
    assert.equal(check(issueWritten(identity, writeAuthority(scheme))), "network/certificate-not-issued");
    assert.equal(
      check(issueWritten(identity, bank, { isAuthority: true })),
      "network/certificate-of-an-authority",
    );
    const past = issueWritten(identity, bank, { validity: ["200101000000Z", "210101000000Z"] });
    assert.equal(check(past), "network/certificate-expired");
    const old = writeAuthority(scheme, ["200101000000Z", "210101000000Z"]);
    assert.equal(
      refuseCertificate(parsed(issueWritten(identity, old)), [old.der], nowMs, "ml-dsa-44"),
      good ?? "network/authority-expired",
    );
  }
});

test("certificates: an authority whose key is none has issued nothing", () => {
  const nowMs = Date.now() + HOUR_MS;
  for (const kind of ["ed25519", "ml-dsa-44", "sm2"] as const) {
    const bank = writeAuthority("ed25519");
    const issued = parsed(issueWritten(createIdentity(kind), bank));
    // The algorithm of its key becomes one that nobody knows.
    const der = Buffer.from(bank.der);
    const algorithm = Buffer.from("06032b6570032100", "hex");
    assert.ok(der.includes(algorithm));
    der[der.indexOf(algorithm) + 4] = 0x7f;
    assert.throws(() => new X509Certificate(der).publicKey);
    assert.equal(refuseCertificate(issued, [der], nowMs, kind), "network/certificate-not-issued");
  }
});

type Bureau = { readonly der: Bytes; readonly issue: (identity: Identity) => Identity };

function bureau(key: readonly string[], signing: readonly string[] = []): Bureau {
  const authority = createAuthority(365, key, signing);
  return { der: authority.der, issue: (identity) => issue(identity, authority, 30, undefined, signing) };
}

function writtenBureau(scheme: "ml-dsa-44" | "ml-dsa-65"): Bureau {
  const authority = writeAuthority(scheme);
  return { der: authority.der, issue: (identity) => issueWritten(identity, authority) };
}

const BUREAUS: readonly [name: string, kind: IdentityKind, open: () => Bureau][] = [
  ["Ed25519", "ed25519", () => bureau(["-newkey", "ed25519"])],
  ["P-256", "ed25519", () => bureau(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])],
  ["RSA", "ed25519", () => bureau(["-newkey", "rsa:2048"])],
  ["SM2", "sm2", () => bureau(SM2_KEY, SM2_SIGNING)],
  ["ML-DSA-44", "ml-dsa-44", () => writtenBureau("ml-dsa-44")],
  ["ML-DSA-65", "ml-dsa-44", () => writtenBureau("ml-dsa-65")],
];

for (const [name, kind, open] of BUREAUS) {
  test(`certificates: links of nodes whose authorities have ${name} keys; others are refused; a replaced authority ends links`, {
    skip,
  }, async () => {
    const [bank, next] = [open(), open()];
    const nowMs = (): number => Date.now() + HOUR_MS;
    const [a, b, alone] = [
      bank.issue(createIdentity(kind)),
      bank.issue(createIdentity(kind)),
      createIdentity(kind),
    ];
    const authorities = new Map<string, readonly Bytes[]>(
      [a, b, alone].map(({ peerId }) => [peerId, [bank.der]]),
    );
    const certificateAuthoritiesOf = (peerId: string): readonly Bytes[] | undefined =>
      authorities.get(peerId);
    const network = new TestNetwork({}, kind);
    try {
      const start = (identity: Identity): Promise<TestNode> =>
        network.start({ identity, certificateAuthoritiesOf, nowMs });
      const [first, second, self] = [await start(a), await start(b), await start(alone)];
      await until(
        "both are linked",
        () => first.links.connected().includes(b.peerId) && second.links.connected().includes(a.peerId),
      );
      await until(
        "the one without is refused",
        () => (first.links.stats().refused["network/certificate-not-issued"] ?? 0) > 0,
      );
      assert.deepEqual(self.links.connected(), []);
      // The organisation names a second authority, then takes the first one back.
      authorities.set(b.peerId, [bank.der, next.der]);
      first.links.refresh();
      assert.ok(first.links.connected().includes(b.peerId), "an overlap breaks nothing");
      authorities.set(b.peerId, [next.der]);
      first.links.refresh();
      assert.deepEqual(first.links.connected(), []);
      await second.links.stop();
      const renewed = await start(next.issue(b));
      await until("with the new certificate it is linked again", () =>
        renewed.links.connected().includes(a.peerId),
      );
    } finally {
      await network.stop();
    }
  });
}
