import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EMPTY_BYTES, hashFromWord, unwrap } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { decodeTransaction, type SignedTransaction } from "@ostrom/execution";
import { attestationToRlp } from "./batch-codec.ts";
import {
  accusedOf,
  type BatchEvidence,
  contradicts,
  decodeBatchEvidence,
  encodeBatch,
  encodeBatchEvidence,
  firstFalseClaim,
  MAX_BATCH_BYTES,
  verifyBatchEvidence,
} from "./index.ts";
import {
  attest,
  clientAddress,
  DOMAIN,
  damage,
  describeBatch,
  FOUR,
  headerOf,
  type MadeBatch,
  makeBatch,
  placeOf,
  transfer,
} from "./testing/batches.ts";

const TRANSACTIONS: readonly SignedTransaction[] = [transfer(0, 0), transfer(1, 0), transfer(1, 1)];
const SENDERS = TRANSACTIONS.map(({ sender }) => sender);
const PLACE = placeOf(headerOf());
const HONEST = makeBatch(TRANSACTIONS);
const FALSE = makeBatch(TRANSACTIONS, {}, SENDERS.with(1, clientAddress(2)));

function codeOf(evidence: BatchEvidence): string {
  const verified = verifyBatchEvidence(DOMAIN, FOUR, evidence);
  return verified.ok ? "ok" : verified.error.code;
}

function falseAttestation({ header, bytes }: MadeBatch, index: number, signer = 2): BatchEvidence {
  return { kind: "false-attestation", attestation: attest(header, signer), batch: bytes, index };
}

function twoBatches(first: Parameters<typeof headerOf>[0], second: typeof first): BatchEvidence {
  return {
    kind: "two-batches",
    first: attest(headerOf(first), 1),
    second: attest(headerOf(second), 1),
  };
}

test("D7: two headers of one number, signed by their author, convict it before anybody", () => {
  for (const other of [
    { digest: hashFromWord(98n) },
    { expiryHeight: 601 },
    { byteLength: 999 },
    { count: 9 },
    { gasLimit: 1n },
  ]) {
    const evidence = twoBatches({}, other);
    assert.equal(codeOf(evidence), "ok");
    assert.deepEqual(accusedOf(evidence), { epoch: 3, validator: 1 });
    assert.equal(codeOf(unwrap(decodeBatchEvidence(encodeBatchEvidence(evidence)))), "ok");
  }
});

test("D7: what an honest author signs convicts nobody", () => {
  assert.equal(codeOf(twoBatches({}, {})), "evidence/no-contradiction");
  assert.equal(codeOf(twoBatches({ sequence: 5 }, { sequence: 6 })), "evidence/no-contradiction");
  assert.equal(codeOf(twoBatches({ epoch: 3 }, { epoch: 4 })), "evidence/no-contradiction");
});

test("D7: attesters may sign what two-faced authors send them: that is no evidence against them", () => {
  const [first, second] = [attest(headerOf(), 2), attest(headerOf({ digest: hashFromWord(98n) }), 2)];
  assert.ok(!contradicts(first, second));
  assert.equal(codeOf({ kind: "two-batches", first, second }), "evidence/no-contradiction");
  const own = attest(headerOf(), 1);
  assert.ok(!contradicts(own, second));
});

test("D7: nobody is convicted by words that it has not signed", () => {
  const evidence = twoBatches({}, { count: 9 });
  assert.ok(evidence.kind === "two-batches");
  const { first, second } = evidence;
  assert.equal(
    codeOf({ ...evidence, second: { ...second, signature: first.signature } }),
    "evidence/signature",
  );
  const wrongEpoch = verifyBatchEvidence(DOMAIN, { ...FOUR, epoch: 4 }, evidence);
  assert.ok(!wrongEpoch.ok && wrongEpoch.error.code === "evidence/signature");
  const wrongChain = verifyBatchEvidence({ ...DOMAIN, genesisHash: hashFromWord(8n) }, FOUR, evidence);
  assert.ok(!wrongChain.ok && wrongChain.error.code === "evidence/signature");
});

test("D8: a claimed sender who has not signed convicts each who attested to it", () => {
  assert.equal(firstFalseClaim(FALSE.bytes, FALSE.header), 1);
  for (const signer of [0, 1, 2, 3]) {
    const evidence = falseAttestation(FALSE, 1, signer);
    assert.equal(codeOf(evidence), "ok");
    assert.deepEqual(accusedOf(evidence), { epoch: 3, validator: signer });
    assert.equal(codeOf(unwrap(decodeBatchEvidence(encodeBatchEvidence(evidence)))), "ok");
  }
  for (const index of [0, 2, 3, 1_000_000])
    assert.equal(codeOf(falseAttestation(FALSE, index)), "evidence/no-contradiction");
});

test("D8: an honest attestation convicts nobody, with claims and without", () => {
  const bare = makeBatch(TRANSACTIONS, {}, []);
  for (const honest of [HONEST, bare]) {
    assert.equal(firstFalseClaim(honest.bytes, honest.header), undefined);
    for (const index of [0, 1, 2, 3])
      assert.equal(codeOf(falseAttestation(honest, index)), "evidence/no-contradiction");
  }
});

test("D8: what execution must judge convicts nobody: another chain, the same transaction twice", () => {
  const odd = makeBatch([transfer(0, 0, 1n), TRANSACTIONS[0]!, TRANSACTIONS[0]!]);
  assert.equal(firstFalseClaim(odd.bytes, odd.header), undefined);
});

test("D8: transactions that cannot be read, or that nobody has signed, convict", () => {
  const random = createRandom(41);
  const raws = TRANSACTIONS.map(({ raw }) => raw);
  const unreadable = describeBatch(
    encodeBatch({ place: PLACE, transactions: raws.with(2, Uint8Array.of(2, 0xc0)), claims: EMPTY_BYTES }),
    { count: 3, gasLimit: 42_000n },
  );
  assert.equal(firstFalseClaim(unreadable.bytes, unreadable.header), 2);
  assert.equal(codeOf(falseAttestation(unreadable, 2)), "ok");
  let unsigned = 0;
  for (let round = 0; round < 60; round++) {
    const raw = raws[2]!.slice();
    raw.set(random.bytes(20), raw.length - 60);
    const gasLimit = decodeTransaction(raw).ok ? 63_000n : 42_000n;
    const bytes = encodeBatch({ place: PLACE, transactions: raws.with(2, raw), claims: EMPTY_BYTES });
    const batch = describeBatch(bytes, { count: 3, gasLimit });
    const index = firstFalseClaim(batch.bytes, batch.header);
    if (index === undefined) continue;
    unsigned++;
    assert.equal(index, 2);
    assert.equal(codeOf(falseAttestation(batch, 2)), "ok");
  }
  assert.ok(unsigned > 0);
});

test("D8: a header of another place than its batch convicts each who attested to it, at index 0", () => {
  for (const fields of [{ epoch: 2 }, { author: 2 }, { sequence: 6 }, { expiryHeight: 601 }]) {
    const moved = makeBatch(TRANSACTIONS, fields);
    const header = { ...moved.header, ...PLACE };
    assert.equal(firstFalseClaim(moved.bytes, header), 0);
    for (const signer of [0, 1, 3]) {
      const evidence = falseAttestation({ ...moved, header }, 0, signer);
      assert.equal(codeOf(evidence), "ok");
      assert.equal(codeOf(unwrap(decodeBatchEvidence(encodeBatchEvidence(evidence)))), "ok");
    }
    assert.equal(codeOf(falseAttestation({ ...moved, header }, 1)), "evidence/no-contradiction");
  }
});

test("D8: a header that says other bytes, transactions or gas than its batch has convicts, at index 0", () => {
  for (const fields of [
    { byteLength: HONEST.bytes.length + 1 },
    { count: 4 },
    { count: 2 },
    { gasLimit: 62_999n },
  ]) {
    const misdescribed = { ...HONEST, header: { ...HONEST.header, ...fields } };
    assert.equal(firstFalseClaim(HONEST.bytes, misdescribed.header), 0);
    assert.equal(codeOf(falseAttestation(misdescribed, 0)), "ok");
    assert.equal(codeOf(falseAttestation(misdescribed, 1)), "evidence/no-contradiction");
  }
  assert.equal(firstFalseClaim(HONEST.bytes), undefined);
});

test("D8: bytes that are no batch convict, at index 0", () => {
  const noise = describeBatch(Uint8Array.of(1, 2, 3), { count: 1, gasLimit: 0n });
  assert.equal(firstFalseClaim(noise.bytes), 0);
  assert.equal(codeOf(falseAttestation(noise, 0)), "ok");
  assert.equal(codeOf(falseAttestation(noise, 1)), "evidence/no-contradiction");
});

test("D8: nobody is convicted by another batch than the one that it attested to, or by another's signature", () => {
  const evidence = falseAttestation(FALSE, 1);
  assert.ok(evidence.kind === "false-attestation");
  assert.equal(codeOf({ ...evidence, attestation: attest(HONEST.header, 2) }), "evidence/wrong-batch");
  assert.equal(codeOf({ ...evidence, batch: HONEST.bytes }), "evidence/wrong-batch");
  const stolen = { ...evidence.attestation, signer: 3 };
  assert.equal(codeOf({ ...evidence, attestation: stolen }), "evidence/signature");
  const relabelled = { ...evidence.attestation, header: { ...FALSE.header, sequence: 6 } };
  assert.equal(codeOf({ ...evidence, attestation: relabelled }), "evidence/signature");
});

test("evidence comes back from its bytes, and has no others", () => {
  const random = createRandom(43);
  for (const evidence of [twoBatches({}, { count: 9 }), falseAttestation(FALSE, 1)]) {
    const bytes = encodeBatchEvidence(evidence);
    assert.deepEqual(unwrap(decodeBatchEvidence(bytes)), evidence);
    for (let round = 0; round < 500; round++) {
      const damaged = damage(random, bytes);
      const read = decodeBatchEvidence(damaged);
      if (!read.ok) continue;
      assert.deepEqual(encodeBatchEvidence(read.value), damaged);
      // What is not signed may change without harm: the index, and which of the whole batch's faults is meant.
      if (evidence.kind === "two-batches") assert.notEqual(codeOf(read.value), "ok");
    }
  }
});

test("evidence of unknown kinds, of wrong lengths or with endless batches is refused", () => {
  const item = attestationToRlp(attest(headerOf(), 1));
  for (const fields of [
    [],
    [rlpUint(0), item, item],
    [rlpUint(3), item, item],
    [rlpUint(1), item],
    [rlpUint(1), item, item, item],
    [rlpUint(2), item, HONEST.bytes],
    [rlpUint(2), item, [HONEST.bytes], rlpUint(0)],
    [rlpUint(2), item, new Uint8Array(MAX_BATCH_BYTES + 1), rlpUint(0)],
  ])
    assert.ok(!decodeBatchEvidence(encodeRlp(fields)).ok);
});
