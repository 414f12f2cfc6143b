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

/** An authority as an organisation makes it by hand. */
function createAuthority(days: number, key: readonly string[] = ["-newkey", "ed25519"]): Authority {
  const name = `authority-${++files}`;
  const more = [
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  ];
  openssl(
    "req",
    "-x509",
    ...key,
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
    "-days",
    String(days),
    "-subj",
    `/O=Bank/CN=${name}`,
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
): Identity {
  const name = `node-${++files}`;
  writeFileSync(join(folder, `${name}.pem`), identity.privateKeyPem);
  writeFileSync(join(folder, `${name}.ext`), `${extensions}\n`);
  openssl("req", "-new", "-key", `${name}.pem`, "-out", `${name}.csr`, "-subj", "/O=Bank/CN=node-1");
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

for (const [kind, key] of [
  ["Ed25519", ["-newkey", "ed25519"]],
  ["P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ["RSA", ["-newkey", "rsa:2048"]],
] as const) {
  test(`certificates: links of nodes whose authorities have ${kind} keys; others are refused; a replaced authority ends links`, {
    skip,
  }, async () => {
    const [bank, next] = [createAuthority(365, key), createAuthority(365, key)];
    const nowMs = (): number => Date.now() + HOUR_MS;
    const [a, b, alone] = [issue(createIdentity(), bank), issue(createIdentity(), bank), createIdentity()];
    const authorities = new Map<string, readonly Bytes[]>(
      [a, b, alone].map(({ peerId }) => [peerId, [bank.der]]),
    );
    const certificateAuthoritiesOf = (peerId: string): readonly Bytes[] | undefined =>
      authorities.get(peerId);
    const network = new TestNetwork();
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
      const renewed = await start(issue(b, next));
      await until("with the new certificate it is linked again", () =>
        renewed.links.connected().includes(a.peerId),
      );
    } finally {
      await network.stop();
    }
  });
}
