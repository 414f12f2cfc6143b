import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  bytesToBigint,
  concatBytes,
  createRandom,
  Epoch,
  type Hash,
  Height,
  utf8,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  type Evidence,
  type Executed,
  encodeEvidence,
  ethereumDomain,
  executedSigningBytes,
  ValidatorIndex,
  type Vote,
  type VoteKind,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, deriveBlsSecretKey, keccak256 } from "@ostrom/crypto";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { evidencePrecompile } from "./evidence-precompile.ts";

installNativeCrypto();

const GENESIS = keccak256(utf8("a chain"));
const SECRET = deriveBlsSecretKey(keccak256(utf8("a validator")));
const KEY = bls().publicKey(SECRET);
const A = keccak256(utf8("a block"));
const B = keccak256(utf8("another block"));
const INDEX = ValidatorIndex(3);

const vote = (kind: VoteKind, epoch: number, view: number, digest: Hash = ZERO_HASH): Vote => ({
  kind,
  epoch: Epoch(epoch),
  view: View(view),
  digest,
});
const result = (epoch: number, height: number, executedHash: Hash): Executed => ({
  epoch: Epoch(epoch),
  height: Height(height),
  orderDigest: A,
  executedHash,
  nextSetHash: B,
});

type Signing = {
  readonly genesis?: Hash;
  readonly secret?: Bytes;
  readonly signers?: readonly [number, number];
};

function votes(first: Vote, second: Vote, signing: Signing = {}): Evidence {
  const { genesis = GENESIS, secret = SECRET, signers = [INDEX, INDEX] } = signing;
  const signed = (said: Vote, signer: number) => ({
    vote: said,
    signer: ValidatorIndex(signer),
    signature: bls().sign(secret, voteSigningBytes(ethereumDomain(genesis), said)),
  });
  return {
    kind: "votes",
    validator: INDEX,
    first: signed(first, signers[0]),
    second: signed(second, signers[1]),
  };
}

function results(first: Executed, second: Executed): Evidence {
  const signed = (executed: Executed) => ({
    executed,
    signer: INDEX,
    signature: bls().sign(SECRET, executedSigningBytes(ethereumDomain(GENESIS), executed)),
  });
  return { kind: "results", validator: INDEX, first: signed(first), second: signed(second) };
}

function run(
  evidence: Evidence | Bytes,
  key: Bytes = KEY,
  genesis: Bytes = GENESIS,
): readonly bigint[] | undefined {
  const bytes = evidence instanceof Uint8Array ? evidence : encodeEvidence(evidence);
  const output = evidencePrecompile.run(concatBytes(key, genesis, bytes));
  if (output === undefined) return undefined;
  assert.equal(output.length, 96);
  return [0, 32, 64].map((at) => bytesToBigint(output.subarray(at, at + 32)));
}

const GUILTY = votes(vote("notarize", 7, 12, A), vote("notarize", 7, 12, B));

test("contradictions of the key on the chain give epoch, kind, and view or height", () => {
  assert.deepEqual(run(GUILTY), [7n, 0n, 12n]);
  assert.deepEqual(run(votes(vote("finalize", 2, 9, A), vote("finalize", 2, 9, B))), [2n, 0n, 9n]);
  assert.deepEqual(run(votes(vote("nullify", 2, 9), vote("finalize", 2, 9, A))), [2n, 0n, 9n]);
  assert.deepEqual(run(results(result(4, 100, A), result(4, 100, B))), [4n, 1n, 100n]);
  const most = 2 ** 53 - 1;
  assert.deepEqual(run(results(result(most, most, A), result(most, most, B))), [
    BigInt(most),
    1n,
    BigInt(most),
  ]);
});

test("what an honest validator may say is refused: one statement twice, other views, heights or epochs, notarize and nullify", () => {
  const innocent = [
    votes(vote("notarize", 7, 12, A), vote("notarize", 7, 12, A)),
    votes(vote("nullify", 7, 12), vote("nullify", 7, 12)),
    votes(vote("notarize", 7, 12, A), vote("notarize", 7, 13, B)),
    votes(vote("notarize", 7, 12, A), vote("notarize", 8, 12, B)),
    votes(vote("nullify", 7, 12), vote("finalize", 8, 12, A)),
    votes(vote("notarize", 7, 12, A), vote("nullify", 7, 12)),
    votes(vote("notarize", 7, 12, A), vote("finalize", 7, 12, B)),
    results(result(4, 100, A), result(4, 100, A)),
    results(result(4, 100, A), result(4, 101, B)),
    results(result(4, 100, A), result(5, 100, B)),
  ];
  for (const evidence of innocent) assert.equal(run(evidence), undefined);
});

test("another key, another chain, or a statement that another has signed is refused", () => {
  const otherSecret = deriveBlsSecretKey(keccak256(utf8("another validator")));
  const otherKey = bls().publicKey(otherSecret);
  assert.equal(run(GUILTY, otherKey), undefined);
  assert.equal(run(GUILTY, KEY, keccak256(utf8("another chain"))), undefined);
  assert.equal(run(votes(vote("notarize", 7, 12, A), vote("notarize", 7, 12, B), { genesis: B })), undefined);
  const framed = votes(vote("notarize", 7, 12, A), vote("notarize", 7, 12, B), { secret: otherSecret });
  assert.equal(run(framed), undefined);
  assert.ok(framed.kind === "votes" && GUILTY.kind === "votes");
  assert.equal(run({ ...GUILTY, second: framed.second }), undefined);
  assert.equal(run({ ...GUILTY, first: GUILTY.second, second: GUILTY.second }), undefined);
  const swapped = { ...GUILTY, first: { ...GUILTY.first, signature: GUILTY.second.signature } };
  assert.equal(run(swapped), undefined);
});

test("statements that name another index than the evidence are refused; which index all name does not matter", () => {
  const pair = [vote("notarize", 7, 12, A), vote("notarize", 7, 12, B)] as const;
  assert.equal(run(votes(...pair, { signers: [2, 3] })), undefined);
  assert.equal(run(votes(...pair, { signers: [3, 4] })), undefined);
  assert.equal(run(votes(...pair, { signers: [4, 4] })), undefined);
  const elsewhere = { ...votes(...pair, { signers: [4, 4] }), validator: ValidatorIndex(4) } as Evidence;
  assert.deepEqual(run(elsewhere), [7n, 0n, 12n]);
});

test("keys that are no keys are refused", () => {
  const infinity = new Uint8Array(48);
  infinity[0] = 0xc0;
  for (const key of [new Uint8Array(48), infinity, new Uint8Array(48).fill(0xff)])
    assert.equal(run(GUILTY, key), undefined);
});

test("evidence that is cut off, longer, damaged or not canonical is refused", () => {
  const bytes = encodeEvidence(GUILTY);
  for (let length = 0; length < bytes.length; length++) assert.equal(run(bytes.slice(0, length)), undefined);
  assert.equal(run(concatBytes(bytes, Uint8Array.of(0))), undefined);
  const random = createRandom(11);
  for (let i = 0; i < 150; i++) {
    const turned = bytes.slice();
    turned[random.below(turned.length)]! ^= 1 << random.below(8);
    assert.equal(run(turned), undefined, `mutation ${i}`);
  }
});

test("gas is known by the length: little for what no evidence can have", () => {
  const gas = (length: number): bigint => evidencePrecompile.gas(new Uint8Array(length));
  assert.deepEqual([0, 48, 80, 593, 1_000_000].map(gas), Array(5).fill(100n));
  assert.deepEqual([81, 400, 592].map(gas), Array(3).fill(150_000n));
  for (const length of [0, 47, 48, 80, 593, 100_000])
    assert.equal(evidencePrecompile.run(new Uint8Array(length)), undefined);
  const most = 2 ** 53 - 1;
  const longest = encodeEvidence({
    ...results(result(most, most, A), result(most, most, B)),
  });
  assert.ok(longest.length <= 512, `${longest.length} bytes`);
});
