import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, Height, Weight, ZERO_HASH } from "@ostrom/base";
import {
  checkValidatorSet,
  MAX_RANGE_BLOCKS,
  MAX_SEALING_BLOCKS,
  quorumWeight,
  type ValidatorSet,
  validatorSetHash,
  verifyCertificate,
  verifyChainSegment,
  verifyStateCertificate,
  verifyVote,
} from "./index.ts";
import { voteSigningBytes } from "./signing.ts";
import { countTally, type Tally } from "./tally.ts";
import {
  blockAt,
  certificateOf,
  digestOf,
  GENESIS_MS,
  signedBy,
  stateCertificateOf,
  TEST_CONFIG,
  voteFor,
} from "./testing/driven-node.ts";
import { simulatedDomain, simulatedSet } from "./testing/signatures.ts";
import type { ValidatorIndex, Vote } from "./types.ts";

const set = TEST_CONFIG.validators;
const digest = Hash(new Uint8Array(32).fill(6));

test("q = floor(2W/3) + 1, for small and for the largest weights", () => {
  const cases = [
    [[1], 1],
    [[1, 1], 2],
    [[1, 1, 1], 3],
    [[1, 1, 1, 1], 3],
    [[1, 1, 1, 1, 1], 4],
    [[3, 3, 3], 7],
    [[5, 3, 2, 2, 1, 1, 1], 11],
  ] as const;
  for (const [weights, quorum] of cases)
    assert.equal(quorumWeight(simulatedSet(weights)), quorum, weights.join());
  const total = Number.MAX_SAFE_INTEGER;
  assert.equal(BigInt(quorumWeight(simulatedSet([total]))), (2n * BigInt(total)) / 3n + 1n);
  for (let weight = 1; weight < 50; weight++) {
    assert.equal(quorumWeight(simulatedSet([weight])), Math.floor((2 * weight) / 3) + 1);
  }
});

test("a validator set is refused if it is empty, has weightless or overflowing weights, or a key twice", () => {
  const code = (candidate: ValidatorSet): string => {
    const checked = checkValidatorSet(candidate);
    return checked.ok ? "ok" : checked.error.code;
  };
  assert.equal(code(set), "ok");
  assert.equal(code({ ...set, validators: [] }), "validators/empty");
  assert.equal(code(simulatedSet(Array.from({ length: 1025 }, () => 1))), "validators/too-many");
  assert.equal(code(simulatedSet([1, 0])), "validators/weight");
  assert.equal(code(simulatedSet([Number.MAX_SAFE_INTEGER, 1])), "validators/weight");
  assert.equal(
    code({ ...set, validators: [set.validators[0]!, set.validators[0]!] }),
    "validators/duplicate",
  );
});

test("the hash of a validator set changes with everything in it", () => {
  const [first, ...rest] = set.validators as [(typeof set.validators)[0], ...typeof set.validators];
  const variants: readonly ValidatorSet[] = [
    set,
    { ...set, epoch: Epoch(1) },
    { ...set, schemeId: 9 },
    { ...set, validators: rest },
    { ...set, validators: [{ ...first, weight: Weight(2) }, ...rest] },
    { ...set, validators: [{ ...first, transportKey: Uint8Array.of(9) }, ...rest] },
  ];
  assert.equal(
    new Set(variants.map((one) => validatorSetHash(simulatedDomain, one).join())).size,
    variants.length,
  );
});

test("a certificate is good only with its own epoch, scheme, bitmap, weight, digest and signatures", () => {
  const good = certificateOf("notarization", 4, digest);
  const code = (change: Partial<typeof good>): string => {
    const verified = verifyCertificate(simulatedDomain, set, { ...good, ...change });
    return verified.ok ? verified.value.join() : verified.error.code;
  };
  assert.equal(code({}), "1,2,3");
  assert.equal(code({ epoch: Epoch(1) }), "certificate/epoch");
  assert.equal(code({ schemeId: 1 }), "certificate/scheme");
  assert.equal(code({ signers: Uint8Array.of(0b1_1110) }), "certificate/bitmap");
  assert.equal(code({ signers: Uint8Array.of(0b1110, 0) }), "certificate/bitmap");
  assert.equal(code({ signers: Uint8Array.of(0b0110) }), "certificate/weight");
  assert.equal(code({ signers: Uint8Array.of(0b0111) }), "certificate/signature");
  assert.equal(code({ kind: "finalization" }), "certificate/signature");
  assert.equal(code({ kind: "nullification" }), "certificate/digest");
  assert.equal(code({ digest: ZERO_HASH }), "certificate/digest");
});

test("a state certificate is good only for the result that was signed", () => {
  const good = stateCertificateOf(3, digest);
  assert.ok(verifyStateCertificate(simulatedDomain, set, good).ok);
  for (const change of [
    { executedHash: digest },
    { height: Height(4) },
    { nextSetHash: digest },
    { epoch: Epoch(1) },
  ]) {
    const changed = { ...good, executed: { ...good.executed, ...change } };
    assert.ok(!verifyStateCertificate(simulatedDomain, set, changed).ok);
  }
});

test("a vote is good only under the key of whom it names", () => {
  const signed = signedBy(2, voteFor("nullify", 4));
  assert.ok(verifyVote(simulatedDomain, set, signed));
  for (const signer of [1, 9])
    assert.ok(!verifyVote(simulatedDomain, set, { ...signed, signer: signer as ValidatorIndex }));
});

test("a tally verifies nothing below the quorum, once above it, and finds any number of wrong signatures", () => {
  const weights = Array.from({ length: 20 }, () => 1);
  const wide = simulatedSet(weights);
  const vote = voteFor("finalize", 3, digest);
  const message = voteSigningBytes(simulatedDomain, vote);
  const config = { ...TEST_CONFIG, validators: wide };
  const tallyOf = (signers: readonly number[], wrong: readonly number[]): Tally<Vote> =>
    new Map(
      signers.map((index) => {
        const signature = wrong.includes(index)
          ? new Uint8Array(16).fill(index)
          : signedBy(index, vote, config).signature;
        return [index as ValidatorIndex, { key: "a", statement: vote, signature, verified: false }] as const;
      }),
    );
  let checks = 0;
  const domain = {
    ...simulatedDomain,
    signatures: {
      ...simulatedDomain.signatures,
      verifyAggregate: (...arguments_: Parameters<typeof simulatedDomain.signatures.verifyAggregate>) => {
        checks++;
        return simulatedDomain.signatures.verifyAggregate(...arguments_);
      },
    },
  };
  const all = weights.map((_, index) => index);
  assert.equal(
    countTally(domain, wide, 14, tallyOf(all.slice(0, 13), []), "a", () => message).aggregate,
    undefined,
  );
  assert.equal(checks, 0);
  assert.ok(countTally(domain, wide, 14, tallyOf(all, []), "a", () => message).aggregate !== undefined);
  assert.equal(checks, 1);
  for (const wrong of [[0], [19], [3, 4, 11], [0, 2, 4, 6, 8, 10]]) {
    const count = countTally(domain, wide, 14, tallyOf(all, wrong), "a", () => message);
    assert.deepEqual(count.bad, wrong);
    assert.ok(
      count.aggregate !== undefined && wrong.every((index) => !count.tally.has(index as ValidatorIndex)),
    );
  }
  const short = countTally(domain, wide, 14, tallyOf(all, [0, 1, 2, 3, 4, 5, 6]), "a", () => message);
  assert.equal(short.aggregate, undefined);
  assert.equal(short.tally.size, 13);
});

test("a chain segment is final only if it continues the tip without a gap and its last block is certified", () => {
  const first = blockAt(2);
  const second = blockAt(5, first);
  const third = blockAt(6, second);
  const blocks = [first, second, third];
  const tip = {
    view: blockAt(1).parentView,
    height: Height(0),
    digest: simulatedDomain.genesisHash,
    timestampMs: GENESIS_MS,
  };
  const finalization = certificateOf("finalization", 6, digestOf(third));
  const code = (segment: readonly (typeof first)[], certificate = finalization, from = tip): string => {
    const verified = verifyChainSegment(simulatedDomain, set, from, segment, certificate);
    return verified.ok ? verified.value.map(({ block }) => block.height).join() : verified.error.code;
  };
  assert.equal(code(blocks), "1,2,3");
  assert.equal(code([]), "segment/empty");
  assert.equal(
    code(Array.from({ length: MAX_RANGE_BLOCKS + MAX_SEALING_BLOCKS + 1 }, () => first)),
    "segment/too-long",
  );
  assert.equal(code([first, third]), "segment/link");
  assert.equal(code([second, third]), "segment/link");
  assert.equal(code([first, { ...second, payload: Uint8Array.of(1) }, third]), "segment/link");
  assert.equal(code([first, { ...second, timestampMs: first.timestampMs }, third]), "segment/link");
  assert.equal(code(blocks, finalization, { ...tip, timestampMs: first.timestampMs }), "segment/link");
  assert.equal(code([first, second]), "segment/certificate");
  assert.equal(code(blocks, certificateOf("notarization", 6, digestOf(third))), "segment/certificate");
  assert.equal(code(blocks, { ...finalization, signature: new Uint8Array(16) }), "segment/certificate");
});
