import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, hashFromWord } from "@ostrom/base";
import { SCHEME_ED25519, signatureEngine, writeSigners } from "@ostrom/crypto";
import {
  attestationSigningBytes,
  type BatchAuthors,
  type BatchHeader,
  beginGathering,
  type CertifiedBatch,
  certifiedOf,
  designatedCheckers,
  gather,
  verifyAttestation,
  verifyCertifiedBatch,
} from "./index.ts";
import { attest, authorsOf, certify, DOMAIN, FOUR, headerOf, signWith } from "./testing/batches.ts";

const HEADER = headerOf();

/** What differs in one field from a header. */
const OTHERS: readonly Partial<BatchHeader>[] = [
  { epoch: 4 },
  { author: 2 },
  { sequence: 6 },
  { expiryHeight: 601 },
  { digest: hashFromWord(98n) },
  { byteLength: 1_001 },
  { count: 9 },
  { gasLimit: 168_001n },
];

function codeOf(certified: CertifiedBatch, authors: BatchAuthors = FOUR): string {
  const checked = verifyCertifiedBatch(DOMAIN, authors, certified);
  return checked.ok ? "ok" : checked.error.code;
}

/** A certificate of exactly these, whatever the rules say. */
function signedBy(
  signers: readonly number[],
  header: BatchHeader = HEADER,
  authors: BatchAuthors = FOUR,
): CertifiedBatch {
  return {
    header,
    signers: writeSigners(authors.keys.length, signers),
    signatures: signers.map((signer) => attest(header, signer, authors).signature),
  };
}

test("D1: an attestation counts for its header, signer, chain and epoch alone", () => {
  const attestation = attest(HEADER, 2);
  assert.ok(verifyAttestation(DOMAIN, FOUR, attestation));
  for (const fields of OTHERS)
    assert.ok(!verifyAttestation(DOMAIN, FOUR, { ...attestation, header: headerOf(fields) }));
  for (const signer of [0, 1, 3, 4, 4_095])
    assert.ok(!verifyAttestation(DOMAIN, FOUR, { ...attestation, signer }));
  assert.ok(!verifyAttestation({ ...DOMAIN, genesisHash: hashFromWord(8n) }, FOUR, attestation));
  assert.ok(!verifyAttestation(DOMAIN, { ...FOUR, epoch: 4 }, attestation));
});

test("D1: an attestation to an author that the set has not counts for nothing", () => {
  assert.ok(!verifyAttestation(DOMAIN, FOUR, attest(headerOf({ author: 4 }), 2)));
});

test("D1: attestations verify with keys of links", () => {
  const engine = signatureEngine(SCHEME_ED25519)!;
  const secretKey = hashFromWord(3n);
  const none = new Uint8Array(0);
  const domain = {
    ...DOMAIN,
    verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
      engine.verify(key, message, signature, none),
  };
  const authors = { ...FOUR, keys: FOUR.keys.with(2, engine.publicKey(secretKey)) };
  const message = attestationSigningBytes(DOMAIN.genesisHash, HEADER);
  const attestation = { header: HEADER, signer: 2, signature: engine.sign(secretKey, message, none) };
  assert.ok(verifyAttestation(domain, authors, attestation));
  assert.ok(!verifyAttestation(domain, authors, { ...attestation, signature: new Uint8Array(64) }));
  assert.ok(!verifyAttestation(domain, authors, { ...attestation, signature: none }));
});

test("D2: the author and others of weight >= W - q + 1 certify a batch", () => {
  assert.equal(codeOf(signedBy([1, 2])), "ok");
  assert.equal(codeOf(signedBy([0, 1])), "ok");
  assert.equal(codeOf(signedBy([1])), "batch/weight");
  assert.equal(codeOf(signedBy([0, 2])), "batch/author-missing");
  assert.equal(codeOf(signedBy([])), "batch/author-missing");
  assert.equal(codeOf(signedBy([1, 2], headerOf({ epoch: 2 }))), "batch/epoch");
});

test("D2: nobody but the author can be left out of a certificate", () => {
  assert.equal(codeOf(signedBy([0, 1, 2])), "batch/signers");
  const skewed = authorsOf([1, 1, 2, 40, 40]);
  const [light, heavy] = [headerOf({ author: 0 }), headerOf({ author: 3 })];
  assert.equal(codeOf(signedBy([0, 3], light, skewed), skewed), "ok");
  assert.equal(codeOf(signedBy([0, 1, 3], light, skewed), skewed), "batch/signers");
  assert.equal(codeOf(signedBy([0, 1, 2], light, skewed), skewed), "batch/weight");
  assert.equal(
    codeOf(signedBy([3], heavy, skewed), skewed),
    "ok",
    "an author of so much weight needs nobody",
  );
  assert.equal(codeOf(signedBy([2, 3], heavy, skewed), skewed), "batch/signers");
});

test("D2: a certificate's weight counts each signer once, by the set's weights", () => {
  const authors = authorsOf([10, 1, 1, 1, 1]);
  assert.equal(authors.leastWeight, 5);
  assert.equal(codeOf(signedBy([0, 1], headerOf(), authors), authors), "ok");
  assert.equal(codeOf(signedBy([1, 2, 3, 4], headerOf(), authors), authors), "batch/weight");
  const valid = signedBy([1, 2]);
  const twice = { ...valid, signatures: [valid.signatures[0]!, valid.signatures[0]!] };
  assert.equal(codeOf(twice), "batch/signature");
});

test("D2: bitmaps of another length or with bits beyond the set, and lists of another length, are refused", () => {
  const valid = signedBy([1, 2]);
  for (const signers of [
    new Uint8Array(0),
    Uint8Array.of(...valid.signers, 0),
    Uint8Array.of(valid.signers[0]! | 0x10),
    Uint8Array.of(valid.signers[0]! | 0x80),
  ])
    assert.equal(codeOf({ ...valid, signers }), "batch/signers");
  const { signatures } = valid;
  assert.equal(codeOf({ ...valid, signatures: signatures.slice(1) }), "batch/signers");
  assert.equal(codeOf({ ...valid, signatures: [...signatures, signatures[0]!] }), "batch/signers");
});

test("D2: signatures stand in the order of their signers, and each is over this header", () => {
  const valid = signedBy([1, 2]);
  assert.equal(codeOf({ ...valid, signatures: valid.signatures.toReversed() }), "batch/signature");
  for (const fields of OTHERS) {
    const code = codeOf({ ...valid, header: headerOf(fields) });
    assert.ok(["batch/signature", "batch/epoch"].includes(code), code);
  }
  assert.equal(
    codeOf({ ...valid, signatures: [valid.signatures[0]!, new Uint8Array(0)] }),
    "batch/signature",
  );
});

test("who gathers takes attestations to its own header alone, each signer's once", () => {
  const begun = beginGathering(attest(HEADER, 1));
  for (const fields of OTHERS) assert.equal(gather(begun, attest(headerOf(fields), 2)), begun);
  assert.equal(gather(begun, attest(HEADER, 1)), begun);
  assert.equal(certifiedOf(FOUR, begun), undefined);
  const more = gather(begun, attest(HEADER, 3));
  assert.notEqual(more, begun);
  assert.equal(gather(more, { ...attest(HEADER, 3), signature: new Uint8Array(32) }), more);
  assert.equal(codeOf(certifiedOf(FOUR, more)!), "ok");
});

test("what is gathered, in whatever order and from sets of any weights, verifies, and one signer fewer does not", () => {
  const random = createRandom(5);
  for (let round = 0; round < 150; round++) {
    const size = 1 + random.below(round < 100 ? 12 : 100);
    const authors = authorsOf(
      Array.from({ length: size }, () => 1 + random.below(random.chance(1, 3) ? 1_000 : 4)),
    );
    const header = headerOf({ author: random.below(size) });
    let gathering = beginGathering(attest(header, header.author, authors));
    let certified = certifiedOf(authors, gathering);
    while (certified === undefined) {
      gathering = gather(gathering, attest(header, random.below(size), authors));
      certified = certifiedOf(authors, gathering);
    }
    assert.equal(codeOf(certified, authors), "ok");
    assert.equal(codeOf(certify(header, authors), authors), "ok");
    if (certified.signatures.length > 1)
      assert.equal(
        codeOf({ ...certified, signatures: certified.signatures.slice(1) }, authors),
        "batch/signers",
      );
  }
});

test("D3: designated checkers have enough weight with the author, who is not among them, and each is named once", () => {
  const random = createRandom(6);
  for (let size = 1; size <= 100; size++) {
    for (const most of [1, 3, 10_000]) {
      const authors = authorsOf(Array.from({ length: size }, () => 1 + random.below(most)));
      const author = random.below(size);
      for (const sequence of [
        1,
        2,
        1 + random.below(1_000_000),
        Number.MAX_SAFE_INTEGER - random.below(200),
      ]) {
        const checkers = designatedCheckers(authors, { author, sequence });
        assert.ok(!checkers.includes(author));
        assert.equal(new Set(checkers).size, checkers.length);
        assert.ok(checkers.every((checker) => checker >= 0 && checker < size));
        const weight = [author, ...checkers].reduce((sum, index) => sum + authors.weights[index]!, 0);
        assert.ok(weight >= authors.leastWeight, `${size} validators, number ${sequence}`);
        const last = authors.weights[checkers.at(-1) ?? author]!;
        if (checkers.length > 0) assert.ok(weight - last < authors.leastWeight, "the last one is needed");
      }
    }
  }
});

test("D3: checkers take turns: over as many numbers as there are others, all of equal weight check alike", () => {
  for (const size of [2, 4, 7, 31, 100]) {
    const authors = authorsOf(Array.from({ length: size }, () => 1));
    const counts = new Array<number>(size).fill(0);
    for (let sequence = 1; sequence <= size - 1; sequence++)
      for (const checker of designatedCheckers(authors, { author: 0, sequence })) counts[checker]!++;
    assert.deepEqual(new Set(counts.slice(1)), new Set([authors.leastWeight - 1]));
  }
});

test("a signature of a link's key for anything else is no attestation", () => {
  const { signature } = attest(HEADER, 2);
  assert.ok(
    !verifyAttestation(DOMAIN, FOUR, {
      header: HEADER,
      signer: 2,
      signature: signWith(FOUR.keys[2]!, signature),
    }),
  );
});
