import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch, type Hash, Height, unwrap, Weight } from "@ostrom/base";
import {
  keccak256,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  validatorScheme,
} from "@ostrom/crypto";
import {
  type CheckpointSet,
  type CheckpointStatement,
  type CheckpointTrust,
  type ConsensusDomain,
  checkpointKeyHash,
  checkpointSetHash,
  checkpointSigningBytes,
  decodeCheckpointCertificate,
  decodeCheckpointEvidence,
  decodeCheckpointSet,
  decodeMessage,
  encodeCheckpointCertificate,
  encodeCheckpointEvidence,
  encodeCheckpointSet,
  encodeMessage,
  ethereumDomain,
  executedSigningBytes,
  extendCheckpointTrust,
  formCheckpointCertificate,
  verifyCheckpointCertificate,
  verifyCheckpointEvidence,
  verifyCheckpointVote,
} from "../index.ts";

const EPOCH_LENGTH = 10;
const hash = (byte: number): Hash => new Uint8Array(32).fill(byte) as Hash;
const domain: ConsensusDomain = ethereumDomain(hash(1));

type Key = {
  readonly publicKey: Bytes;
  readonly sign: (statement: CheckpointStatement, on?: ConsensusDomain) => Bytes;
};

function keyOf(seed: number, schemeId: number = SCHEME_ML_DSA_44): Key {
  const scheme = validatorScheme(schemeId)!;
  const secret = new Uint8Array(32).fill(seed);
  return {
    publicKey: scheme.publicKey(secret),
    sign: (statement, on = domain) => scheme.sign(secret, checkpointSigningBytes(on, statement)),
  };
}

const KEYS = [1, 2, 3, 4].map((seed) => keyOf(seed));
const STRANGER = keyOf(9);

function setOf(epoch: number, keys: readonly (Key | undefined)[] = KEYS): CheckpointSet {
  const members = keys.map((key, index) => ({
    consensusKeyHash: keccak256(Uint8Array.of(index)),
    weight: Weight(1),
    keyHash: key === undefined ? undefined : checkpointKeyHash(key.publicKey),
  }));
  return { epoch: Epoch(epoch), members };
}

function statementOf(epoch: number, next: CheckpointSet = setOf(epoch + 1), block = 7): CheckpointStatement {
  return {
    epoch: Epoch(epoch),
    height: Height((epoch + 1) * EPOCH_LENGTH),
    executedHash: hash(block),
    nextSetHash: hash(8),
    nextCheckpointSetHash: checkpointSetHash(domain, next),
  };
}

const signedBy = (keys: readonly Key[], statement: CheckpointStatement) =>
  keys.map((key) => ({ publicKey: key.publicKey, signature: key.sign(statement) }));

function certified(set: CheckpointSet, statement: CheckpointStatement, keys: readonly Key[]) {
  return formCheckpointCertificate(set, statement, signedBy(keys, statement))!;
}

const codeOf = (result: { readonly ok: boolean; readonly error?: { readonly code: string } }): string =>
  result.ok ? "" : (result.error?.code ?? "?");

test("weight of q makes a certificate, in whichever order signatures come, and its bytes say the same", () => {
  const set = setOf(0);
  const statement = statementOf(0);
  const signatures = signedBy([...KEYS.slice(1)].reverse(), statement);
  assert.equal(formCheckpointCertificate(set, statement, signatures.slice(1)), undefined, "two of four");
  const formed = formCheckpointCertificate(set, statement, [
    ...signatures,
    ...signedBy([STRANGER], statement),
  ])!;
  assert.deepEqual(unwrap(verifyCheckpointCertificate(domain, set, formed, EPOCH_LENGTH)), [1, 2, 3]);
  assert.deepEqual(unwrap(decodeCheckpointCertificate(encodeCheckpointCertificate(formed))), formed);
  assert.deepEqual(unwrap(decodeCheckpointSet(encodeCheckpointSet(set))), set);
});

test("members without a key count in the weight that is needed: a few keys never speak for all", () => {
  const statement = statementOf(0);
  const two = setOf(0, [KEYS[0], KEYS[1], undefined, undefined]);
  assert.equal(formCheckpointCertificate(two, statement, signedBy(KEYS, statement)), undefined);
  const three = setOf(0, [KEYS[0], KEYS[1], KEYS[2], undefined]);
  assert.ok(formCheckpointCertificate(three, statement, signedBy(KEYS, statement)) !== undefined);
});

test("messages carry votes and questions, and over-long keys or signatures are not read", () => {
  const statement = statementOf(0);
  const votes = { statement, signatures: signedBy(KEYS.slice(0, 2), statement) };
  for (const message of [
    { kind: "checkpoint-votes", votes } as const,
    { kind: "checkpoint-request", epoch: Epoch(3) } as const,
  ])
    assert.deepEqual(unwrap(decodeMessage(encodeMessage(message))), message);
  for (const [publicKey, signature] of [
    [new Uint8Array(1953), new Uint8Array(2420)],
    [KEYS[0]!.publicKey, new Uint8Array(3310)],
  ] as const) {
    const long = {
      kind: "checkpoint-votes",
      votes: { statement, signatures: [{ publicKey, signature }] },
    } as const;
    assert.equal(codeOf(decodeMessage(encodeMessage(long))), "rlp/wrong-shape");
  }
  const [key] = KEYS;
  const signature = key!.sign(statement);
  const longer = (bytes: Bytes): Bytes => new Uint8Array([...bytes, 0]);
  assert.ok(verifyCheckpointVote(domain, { statement, publicKey: key!.publicKey, signature }));
  assert.ok(!verifyCheckpointVote(domain, { statement, publicKey: longer(key!.publicKey), signature }));
  assert.ok(
    !verifyCheckpointVote(domain, { statement, publicKey: key!.publicKey, signature: longer(signature) }),
  );
});

test("keys of both ML-DSA schemes sign; a key of an elliptic curve never does", () => {
  const statement = statementOf(0);
  const larger = keyOf(5, SCHEME_ML_DSA_65);
  const vote = { statement, publicKey: larger.publicKey, signature: larger.sign(statement) };
  assert.ok(verifyCheckpointVote(domain, vote));
  const bls = keyOf(5, SCHEME_BLS12381);
  assert.ok(
    !verifyCheckpointVote(domain, { statement, publicKey: bls.publicKey, signature: bls.sign(statement) }),
  );
});

test("forgeries, replays from another chain or epoch, swapped sets and short weights are refused, each by its code", () => {
  const set = setOf(0);
  const statement = statementOf(0);
  const good = certified(set, statement, KEYS.slice(0, 3));
  const code = (changed: object, against: CheckpointSet = set, on: ConsensusDomain = domain): string =>
    codeOf(verifyCheckpointCertificate(on, against, { ...good, ...changed }, EPOCH_LENGTH));
  assert.equal(code({}), "");
  assert.equal(code({}, set, ethereumDomain(hash(2))), "checkpoint/signature", "another chain");
  assert.equal(code({ statement: statementOf(1) }), "checkpoint/signature", "another epoch");
  assert.equal(code({ statement: { ...statement, executedHash: hash(6) } }), "checkpoint/signature");
  assert.equal(code({ statement: { ...statement, height: Height(9) } }), "checkpoint/height");
  assert.equal(code({ setEpoch: Epoch(1) }), "checkpoint/epoch", "a set that is not the one trusted");
  assert.equal(code({}, setOf(1)), "checkpoint/epoch");
  assert.equal(code({}, setOf(0, [STRANGER, ...KEYS.slice(1)])), "checkpoint/key", "a set swapped");
  assert.equal(code({ signers: Uint8Array.of(0b1110) }), "checkpoint/key", "signatures of others");
  assert.equal(code({ signers: Uint8Array.of(0b11) }), "checkpoint/signers", "more signatures than signers");
  assert.equal(code({ signers: Uint8Array.of(0b10111) }), "checkpoint/signers", "a member who is not there");
  const short = { signers: Uint8Array.of(0b11), signatures: good.signatures.slice(0, 2) };
  assert.equal(code(short), "checkpoint/weight");
  const twice = [good.signatures[0]!, good.signatures[0]!, good.signatures[2]!];
  assert.equal(code({ signatures: twice }), "checkpoint/key", "one signature for two members");
  const ofStranger = signedBy([STRANGER], statement)[0]!;
  assert.equal(code({ signatures: [ofStranger, ...good.signatures.slice(1)] }), "checkpoint/key");
});

test("trust goes from genesis' set to the set that each checkpoint names, past epochs that have none", () => {
  const later = [5, 6, 7, 8].map((seed) => keyOf(seed));
  const start: CheckpointTrust = { set: setOf(0), newest: undefined };
  const second = setOf(1, later);
  const first = statementOf(0, second);
  const trusted = unwrap(
    extendCheckpointTrust(domain, start, certified(setOf(0), first, KEYS), second, EPOCH_LENGTH),
  );
  assert.equal(trusted.newest, first);

  const fourth = setOf(4);
  const third = statementOf(3, fourth);
  const skipped = certified(second, third, later);
  const ahead = unwrap(extendCheckpointTrust(domain, trusted, skipped, fourth, EPOCH_LENGTH));
  assert.equal(ahead.set, fourth, "the set of epoch 1 has certified epoch 3");

  const over = certified(setOf(0), statementOf(4), KEYS);
  assert.equal(
    codeOf(extendCheckpointTrust(domain, ahead, over, setOf(5), EPOCH_LENGTH)),
    "checkpoint/epoch",
    "a set that another has followed certifies nothing",
  );
  assert.equal(
    codeOf(extendCheckpointTrust(domain, trusted, skipped, setOf(4, later), EPOCH_LENGTH)),
    "checkpoint/set",
    "another next set than the one that was signed",
  );
});

test("a checkpoint that names a set with too few keys does not end the chain: the set that signed it certifies on", () => {
  const start: CheckpointTrust = { set: setOf(0), newest: undefined };
  const bare = setOf(1, [KEYS[0], KEYS[1], undefined, undefined]);
  const first = certified(setOf(0), statementOf(0, bare), KEYS);
  const held = unwrap(extendCheckpointTrust(domain, start, first, bare, EPOCH_LENGTH));
  assert.deepEqual([held.set, held.newest], [start.set, first.statement]);
  assert.equal(codeOf(extendCheckpointTrust(domain, held, first, bare, EPOCH_LENGTH)), "checkpoint/epoch");
  const full = setOf(
    2,
    [5, 6, 7, 8].map((seed) => keyOf(seed)),
  );
  const byFew = formCheckpointCertificate(bare, statementOf(1, full), signedBy(KEYS, statementOf(1, full)));
  assert.equal(byFew, undefined);
  const second = certified(setOf(0), statementOf(1, full), KEYS);
  const ahead = unwrap(extendCheckpointTrust(domain, held, second, full, EPOCH_LENGTH));
  assert.equal(ahead.set, full);
  assert.equal(
    codeOf(
      extendCheckpointTrust(domain, ahead, certified(setOf(0), statementOf(2), KEYS), setOf(3), EPOCH_LENGTH),
    ),
    "checkpoint/epoch",
    "it is over once a set that can certify has followed",
  );
});

test("two statements of one key about one epoch are evidence; one said twice, or two keys', are none", () => {
  const [key, other] = KEYS as [Key, Key];
  const vote = (by: Key, statement: CheckpointStatement) => ({ statement, ...signedBy([by], statement)[0]! });
  const first = vote(key, statementOf(0));
  const second = vote(key, statementOf(0, setOf(1), 9));
  const evidence = { first, second };
  assert.ok(verifyCheckpointEvidence(domain, evidence));
  assert.deepEqual(unwrap(decodeCheckpointEvidence(encodeCheckpointEvidence(evidence))), evidence);
  assert.ok(!verifyCheckpointEvidence(domain, { first, second: first }));
  assert.ok(!verifyCheckpointEvidence(domain, { first, second: vote(other, second.statement) }));
  assert.ok(!verifyCheckpointEvidence(domain, { first, second: vote(key, statementOf(1)) }), "other epochs");
  assert.ok(!verifyCheckpointEvidence(domain, { first, second: { ...second, signature: first.signature } }));
});

test("no bytes are a checkpoint and a vote at once, should one key sign both", () => {
  const checkpoint = checkpointSigningBytes(domain, statementOf(0));
  const executed = executedSigningBytes(domain, {
    epoch: Epoch(0),
    height: Height(10),
    orderDigest: hash(7),
    executedHash: hash(8),
    nextSetHash: hash(9),
  });
  const text = (bytes: Bytes): string => new TextDecoder().decode(bytes);
  assert.ok(
    text(checkpoint).includes("ostrom/checkpoint/1") && text(executed).includes("ostrom/consensus/1"),
  );
});
