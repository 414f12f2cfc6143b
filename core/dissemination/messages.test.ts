import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, EMPTY_BYTES, hashFromWord, unwrap } from "@ostrom/base";
import { encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import { attestationToRlp, certifiedToRlp } from "./batch-codec.ts";
import {
  type BatchMessage,
  decodeBatchMessage,
  encodeBatchMessage,
  MAX_BATCH_BYTES,
  MAX_FETCHED_BATCHES,
} from "./index.ts";
import { attest, certify, damage, headerOf, makeBatch, transfer } from "./testing/batches.ts";

const BATCH: Bytes = makeBatch([transfer(0, 0)]).bytes;
const ATTESTATION = attest(headerOf(), 1);

const MESSAGES: readonly BatchMessage[] = [
  { kind: "batch", attestation: ATTESTATION, batch: BATCH },
  { kind: "attestation", attestation: ATTESTATION },
  { kind: "certified", certified: certify(headerOf()) },
  { kind: "wanted", digests: [] },
  {
    kind: "wanted",
    digests: Array.from({ length: MAX_FETCHED_BATCHES }, (_, index) => hashFromWord(BigInt(index))),
  },
  { kind: "found", batches: [] },
  { kind: "found", batches: Array.from({ length: MAX_FETCHED_BATCHES }, () => BATCH) },
];

function isRefused(item: RlpItem): boolean {
  const read = decodeBatchMessage(encodeRlp(item));
  return !read.ok && read.error.code === "batch/unreadable-message";
}

test("messages come back from their bytes", () => {
  for (const message of MESSAGES)
    assert.deepEqual(unwrap(decodeBatchMessage(encodeBatchMessage(message))), message);
});

test("messages of unknown kinds and other forms are refused", () => {
  const attestation = attestationToRlp(ATTESTATION);
  const certified = certifiedToRlp(certify(headerOf()));
  const forms: readonly RlpItem[] = [
    EMPTY_BYTES,
    [],
    [[]],
    [rlpUint(5), attestation],
    [rlpUint(2n ** 53n - 1n), attestation],
    [rlpUint(0), attestation],
    [rlpUint(0), attestation, [BATCH]],
    [rlpUint(1), attestation, BATCH],
    [rlpUint(1), certified],
    [rlpUint(2), attestation],
    [rlpUint(3), Uint8Array.of(1)],
    [rlpUint(3), [new Uint8Array(31)]],
    [rlpUint(3), [new Uint8Array(33)]],
    [rlpUint(3), [[]]],
    [rlpUint(4), [[]]],
    [Uint8Array.of(0), attestation, BATCH],
  ];
  for (const form of forms) assert.ok(isRefused(form));
});

test("requests, answers and bodies have bounds", () => {
  const digests = Array.from({ length: MAX_FETCHED_BATCHES + 1 }, () => new Uint8Array(32));
  assert.ok(isRefused([rlpUint(3), digests]));
  assert.ok(isRefused([rlpUint(4), digests]));
  const long = new Uint8Array(MAX_BATCH_BYTES + 1);
  assert.ok(isRefused([rlpUint(0), attestationToRlp(ATTESTATION), long]));
  assert.ok(isRefused([rlpUint(4), [long]]));
  assert.ok(!isRefused([rlpUint(4), [long.subarray(1)]]));
});

test("messages of single bytes are refused before they take memory", () => {
  const ones = Array.from({ length: 500_000 }, () => Uint8Array.of(1));
  const [header, signers] = certifiedToRlp(certify(headerOf()));
  assert.ok(isRefused([rlpUint(2), [header!, signers!, ones]]));
  for (const kind of [0, 1, 2, 3, 4]) assert.ok(isRefused([rlpUint(kind), ones]));
});

test("whatever comes is refused or has these very bytes, and nothing is thrown", () => {
  const random = createRandom(51);
  const all = MESSAGES.map(encodeBatchMessage);
  for (let round = 0; round < 4_000; round++) {
    const bytes = random.chance(1, 8)
      ? random.bytes(random.below(200))
      : damage(random, all[random.below(all.length)]!);
    const read = decodeBatchMessage(bytes);
    if (read.ok) assert.deepEqual(encodeBatchMessage(read.value), bytes);
  }
});
