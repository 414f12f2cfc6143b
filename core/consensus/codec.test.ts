import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, createRandom, Epoch, Hash, Height, unwrap, View, ZERO_HASH } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import {
  decodeBlock,
  decodeCertificate,
  decodeLogRecord,
  decodeMessage,
  decodeSignedExecuted,
  decodeStateCertificate,
  encodeBlock,
  encodeCertificate,
  encodeLogRecord,
  encodeMessage,
  encodeSignedExecuted,
  encodeStateCertificate,
  type LogRecord,
  MAX_MESSAGE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_RANGE_BLOCKS,
  MAX_SEALING_BLOCKS,
  type Message,
  type OrderedBlock,
  orderDigest,
  type SignedExecuted,
  ValidatorIndex,
  voteSigningBytes,
} from "./index.ts";
import {
  blockAt,
  certificateOf,
  proposalOf,
  signedBy,
  stateCertificateOf,
  voteFor,
} from "./testing/driven-node.ts";
import { simulatedDomain } from "./testing/signatures.ts";

const digest = Hash(new Uint8Array(32).fill(6));
const plain = blockAt(3);
const rich = blockAt(7, plain, {
  payload: new Uint8Array(300).fill(1),
  stateCertificate: stateCertificateOf(0, digest),
});
const epoch = Epoch(0);
const executed: SignedExecuted = {
  executed: stateCertificateOf(2, digest).executed,
  signer: ValidatorIndex(3),
  signature: new Uint8Array(16).fill(2),
};

const MESSAGES: readonly Message[] = [
  proposalOf(plain),
  proposalOf(rich),
  { kind: "vote", vote: signedBy(2, voteFor("notarize", 9, digest)) },
  { kind: "vote", vote: signedBy(2, voteFor("nullify", 9)) },
  { kind: "vote", vote: signedBy(2, voteFor("finalize", 9, digest)) },
  { kind: "certificate", certificate: certificateOf("notarization", 9, digest) },
  { kind: "certificate", certificate: certificateOf("nullification", 9) },
  { kind: "certificate-request", epoch, view: View(8), want: "any" },
  { kind: "certificate-request", epoch, view: View(8), want: "finalization" },
  { kind: "block-request", epoch, view: View(8), digest },
  { kind: "block", block: rich },
  { kind: "block-range-request", fromHeight: Height(70_000) },
  { kind: "block-range", blocks: [plain, rich], finalization: certificateOf("finalization", 7, digest) },
  { kind: "view-request", epoch },
  { kind: "view-report", epoch, view: View(1), certificate: undefined },
  { kind: "view-report", epoch, view: View(10), certificate: certificateOf("nullification", 9) },
  { kind: "executed", executed },
  { kind: "state-certificate", certificate: stateCertificateOf(4, digest) },
  { kind: "state-certificate-request", height: Height(5) },
];

const RECORDS: readonly LogRecord[] = [
  { kind: "vote", vote: signedBy(0, voteFor("nullify", 3)) },
  { kind: "block", block: rich },
  { kind: "certificate", certificate: certificateOf("finalization", 3, digest) },
];

test("every message and log record reads back as it was written", () => {
  for (const message of MESSAGES) assert.deepEqual(unwrap(decodeMessage(encodeMessage(message))), message);
  for (const record of RECORDS) assert.deepEqual(unwrap(decodeLogRecord(encodeLogRecord(record))), record);
  assert.deepEqual(unwrap(decodeBlock(encodeBlock(rich))), rich);
  assert.deepEqual(
    unwrap(decodeStateCertificate(encodeStateCertificate(stateCertificateOf(4)))),
    stateCertificateOf(4),
  );
  const certificate = certificateOf("notarization", 9, digest);
  assert.deepEqual(unwrap(decodeCertificate(encodeCertificate(certificate))), certificate);
  assert.deepEqual(unwrap(decodeSignedExecuted(encodeSignedExecuted(executed))), executed);
});

test("every truncation, every extra byte and every bit flip is refused or read as another canonical message", () => {
  for (const message of MESSAGES) {
    const bytes = encodeMessage(message);
    for (let length = 0; length < bytes.length; length++)
      assert.ok(!decodeMessage(bytes.subarray(0, length)).ok);
    assert.ok(!decodeMessage(concatBytes(bytes, Uint8Array.of(0))).ok);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Uint8Array.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      const read = decodeMessage(flipped);
      if (read.ok) assert.deepEqual(encodeMessage(read.value), flipped);
    }
  }
});

test("random bytes never throw", () => {
  const random = createRandom(4);
  for (let round = 0; round < 3_000; round++) {
    decodeMessage(random.bytes(random.below(200)));
    decodeLogRecord(random.bytes(random.below(100)));
    decodeStateCertificate(random.bytes(random.below(100)));
  }
});

test("messages beyond their limits are refused by name", () => {
  const tooLong = decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1));
  assert.equal(!tooLong.ok && tooLong.error.code, "message/too-long");
  const refused: readonly Uint8Array[] = [
    encodeMessage({ kind: "block", block: { ...plain, payload: new Uint8Array(MAX_PAYLOAD_BYTES + 1) } }),
    encodeMessage({
      kind: "block-range",
      blocks: Array.from({ length: MAX_RANGE_BLOCKS + MAX_SEALING_BLOCKS + 1 }, () => plain),
      finalization: certificateOf("finalization", 7, digest),
    }),
    encodeMessage({ kind: "vote", vote: signedBy(0, voteFor("nullify", 3, digest)) }),
    encodeMessage({ kind: "vote", vote: signedBy(0, voteFor("notarize", 3, ZERO_HASH)) }),
    encodeMessage({
      kind: "vote",
      vote: { ...signedBy(0, voteFor("nullify", 3)), signature: new Uint8Array(6_000) },
    }),
    encodeMessage({ kind: "executed", executed: { ...executed, signer: ValidatorIndex(5_000) } }),
    encodeRlp([rlpUint(2), rlpUint(8), rlpUint(0)]),
    encodeRlp([rlpUint(1), rlpUint(99), rlpUint(0)]),
    encodeRlp([rlpUint(1), rlpUint(8), rlpUint(0), rlpUint(0)]),
  ];
  for (const bytes of refused) {
    const read = decodeMessage(bytes);
    assert.equal(!read.ok && read.error.code, "rlp/wrong-shape");
  }
});

test("the order digest binds chain, hash function and every field", () => {
  const changes: readonly Partial<OrderedBlock>[] = [
    {},
    { epoch: Epoch(1) },
    { view: View(99) },
    { height: Height(99) },
    { parent: digest },
    { parentView: View(2) },
    { timestampMs: 5 },
    { proposer: ValidatorIndex(2) },
    { stateCertificate: undefined },
    { stateCertificate: stateCertificateOf(1, digest) },
    { payload: Uint8Array.of(1) },
  ];
  const base = { ...rich, proposer: ValidatorIndex(1) };
  const digests = changes.map((change) => orderDigest(simulatedDomain, { ...base, ...change }).join());
  digests.push(orderDigest({ ...simulatedDomain, genesisHash: digest }, base).join());
  digests.push(orderDigest({ ...simulatedDomain, hashId: 77 }, base).join());
  assert.equal(new Set(digests).size, digests.length);
});

test("signed bytes differ by chain, scheme, hash function, epoch, kind, view and digest", () => {
  const vote = voteFor("notarize", 4, digest);
  const variants = [
    voteSigningBytes(simulatedDomain, vote),
    voteSigningBytes(simulatedDomain, { ...vote, kind: "finalize" }),
    voteSigningBytes(simulatedDomain, { ...vote, epoch: Epoch(1) }),
    voteSigningBytes(simulatedDomain, { ...vote, view: View(5) }),
    voteSigningBytes(simulatedDomain, { ...vote, digest: ZERO_HASH }),
    voteSigningBytes({ ...simulatedDomain, genesisHash: digest }, vote),
    voteSigningBytes({ ...simulatedDomain, hashId: 9 }, vote),
    voteSigningBytes(
      { ...simulatedDomain, signatures: { ...simulatedDomain.signatures, schemeId: 9 } },
      vote,
    ),
  ];
  assert.equal(new Set(variants.map((bytes) => bytes.join())).size, variants.length);
});
