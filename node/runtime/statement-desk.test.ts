import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch, View, Weight, ZERO_ADDRESS } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  consensusDomain,
  domainOfSet,
  type Message,
  type Signatures,
  ValidatorIndex,
  type ValidatorSet,
  type Vote,
  verifyCertificate,
  voteSigningBytes,
} from "@ostrom/consensus";
import {
  deriveBlsSecretKey,
  HASH_KECCAK256,
  keccak256,
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_SM2,
  validatorScheme,
  writeSigners,
} from "@ostrom/crypto";
import { installNativeCrypto } from "./native-crypto.ts";
import { checkStatements, startSignatureWorkers } from "./signature-checker.ts";
import { MIN_SET_OFF_THREAD, StatementDesk, type VerifyStatements } from "./statement-desk.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";

installNativeCrypto();

const DIGEST = keccak256(Uint8Array.of(1));
const VOTE: Vote = { kind: "notarize", epoch: Epoch(0), view: View(3), digest: DIGEST };

type World = {
  readonly set: ValidatorSet;
  readonly domain: ConsensusDomain;
  readonly sign: (index: number) => Bytes;
  /** Signatures that were checked on this thread. */
  readonly checkedHere: () => number;
};

function world(count: number, schemeId = SCHEME_ML_DSA_44): World {
  const scheme = validatorScheme(schemeId)!;
  const secrets = Array.from({ length: count }, (_, index) =>
    deriveBlsSecretKey(keccak256(Uint8Array.of(index))),
  );
  const set: ValidatorSet = {
    epoch: Epoch(0),
    schemeId,
    validators: secrets.map((secret, index) => ({
      address: ZERO_ADDRESS,
      consensusKey: scheme.publicKey(secret),
      transportKey: Uint8Array.of(index),
      weight: Weight(1),
    })),
  };
  let checked = 0;
  const bare = consensusDomain(DIGEST, HASH_KECCAK256, SCHEME_BLS12381);
  const counted = (inner: Signatures | undefined): Signatures | undefined =>
    inner === undefined
      ? undefined
      : {
          ...inner,
          verifyOne: (...statement) => {
            checked++;
            return inner.verifyOne(...statement);
          },
        };
  const domain = { ...bare, signaturesOf: (id: number) => counted(bare.signaturesOf(id)) };
  const message = voteSigningBytes(domainOfSet(domain, set), VOTE);
  // Engines may draw a nonce: each signs once.
  const signatures = secrets.map((secret) => scheme.sign(secret, message));
  return {
    set,
    domain,
    sign: (index) => signatures[index]!,
    checkedHere: () => checked,
  };
}

function certificateOf({ set, sign }: World, signers: readonly number[]): Certificate {
  return {
    kind: "notarization",
    schemeId: set.schemeId,
    epoch: VOTE.epoch,
    view: VOTE.view,
    digest: VOTE.digest,
    signers: writeSigners(set.validators.length, signers),
    signature: validatorScheme(set.schemeId)!.join(signers.map(sign))!,
  };
}

const voteOf = ({ sign }: World, index: number): Message => ({
  kind: "vote",
  vote: { vote: VOTE, signer: ValidatorIndex(index), signature: sign(index) },
});

/** A desk whose checks are done by hand. */
function desk(at: World): {
  readonly desk: StatementDesk;
  readonly calls: number[];
  readonly answer: () => void;
} {
  const calls: number[] = [];
  const open: (() => void)[] = [];
  const verify: VerifyStatements = (schemeId, statements) => {
    calls.push(statements.length);
    return new Promise((resolve) => {
      const parts = statements.flatMap(({ publicKey, message, signature }) => [
        publicKey,
        message,
        signature,
      ]);
      open.push(() => resolve(checkStatements(schemeId, parts)));
    });
  };
  const failed = (error: unknown): never => assert.fail(String(error));
  return {
    desk: new StatementDesk(at.domain, { verify, setOf: () => at.set, failed }),
    calls,
    answer: () => open.shift()!(),
  };
}

const COUNT = MIN_SET_OFF_THREAD;
const QUORUM = Array.from({ length: Math.floor((2 * COUNT) / 3) + 1 }, (_, index) => index);

test("a certificate of a large set is heard when its signatures are checked elsewhere, and costs this thread none", async () => {
  const at = world(COUNT);
  const { desk: one, calls, answer } = desk(at);
  const certificate = certificateOf(at, QUORUM);
  const heard = Promise.withResolvers<void>();
  let isHeard = false;
  one.settle({ kind: "certificate", certificate }, () => {
    isHeard = true;
    heard.resolve();
  });
  assert.equal(isHeard, false);
  assert.deepEqual(calls, [QUORUM.length]);
  answer();
  await heard.promise;
  assert.ok(verifyCertificate(one.domain, at.set, certificate).ok);
  assert.equal(at.checkedHere(), 0);
  // It comes again from each peer.
  let again = 0;
  one.settle({ kind: "certificate", certificate }, () => again++);
  assert.deepEqual([again, calls.length], [1, 1]);
});

test("votes that wait are one batch, heard in the order in which they came; their certificate is known then", async () => {
  const at = world(COUNT);
  const { desk: one, calls, answer } = desk(at);
  const heard: number[] = [];
  const all = Promise.withResolvers<void>();
  for (const index of QUORUM)
    one.settle(voteOf(at, index), () => heard.push(index) === QUORUM.length && all.resolve());
  answer();
  while (calls.length < 2) await Promise.resolve();
  assert.deepEqual(calls, [1, QUORUM.length - 1]);
  answer();
  await all.promise;
  assert.deepEqual(heard, QUORUM);
  assert.ok(verifyCertificate(one.domain, at.set, certificateOf(at, QUORUM)).ok);
  assert.equal(at.checkedHere(), 0);
});

test("what is not good is not remembered: the engines refuse it", async () => {
  const at = world(COUNT);
  const { desk: one, answer } = desk(at);
  const good = certificateOf(at, QUORUM);
  const signature = good.signature.slice();
  signature[5]! ^= 1;
  const bad = { ...good, signature };
  const heard = Promise.withResolvers<void>();
  one.settle({ kind: "certificate", certificate: bad }, heard.resolve);
  answer();
  await heard.promise;
  const verified = verifyCertificate(one.domain, at.set, bad);
  assert.equal(verified.ok ? "ok" : verified.error.code, "certificate/signature");
  assert.equal(one.size, QUORUM.length - 1);
});

test("small sets, sets that aggregate, and forms that are wrong are heard at once", () => {
  const small = world(COUNT - 1);
  const aggregating = world(4, SCHEME_BLS12381);
  const at = world(COUNT);
  const bent = { ...certificateOf(at, QUORUM), signature: new Uint8Array(7) };
  const cases: readonly (readonly [World, Message])[] = [
    [small, { kind: "certificate", certificate: certificateOf(small, QUORUM) }],
    [aggregating, voteOf(aggregating, 0)],
    [at, { kind: "certificate", certificate: bent }],
    [at, { kind: "view-request", epoch: Epoch(0) }],
  ];
  for (const [one, message] of cases) {
    let heard = 0;
    const { desk: made, calls } = desk(one);
    made.settle(message, () => heard++);
    assert.deepEqual([heard, calls], [1, []]);
  }
});

test("in small sets too each signature is checked once, as a vote or in whichever certificate comes first", () => {
  const at = world(4, SCHEME_SM2);
  const { desk: one } = desk(at);
  assert.ok(verifyCertificate(one.domain, at.set, certificateOf(at, [0, 1, 2])).ok);
  assert.equal(at.checkedHere(), 3);
  assert.ok(verifyCertificate(one.domain, at.set, certificateOf(at, [1, 2, 3])).ok);
  assert.equal(at.checkedHere(), 4);
  const wrong = { ...certificateOf(at, [0, 1, 2]), view: View(4) };
  assert.ok(!verifyCertificate(one.domain, at.set, wrong).ok);
});

test("workers tell good statements from bad ones", async () => {
  const at = world(COUNT);
  const workers = startSignatureWorkers(new OrderedChain().genesis.rules, (error) => assert.fail(error));
  try {
    const message = voteSigningBytes(domainOfSet(at.domain, at.set), VOTE);
    const statements = QUORUM.map((index) => ({
      publicKey: at.set.validators[index]!.consensusKey,
      message,
      signature: at.sign(index === 4 ? 5 : index),
    }));
    const flags = await workers.verify!(SCHEME_ML_DSA_44, statements);
    assert.deepEqual(
      [...flags],
      QUORUM.map((index) => (index === 4 ? 0 : 1)),
    );
  } finally {
    await workers.stop();
  }
});
