import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, Height, ZERO_HASH } from "@ostrom/base";
import {
  type CertificationEffect,
  type CertificationInput,
  certifiedHeight,
  type Executed,
  executedSigningBytes,
  type Message,
  type SignedExecuted,
  startCertification,
  stepCertification,
  ValidatorIndex,
} from "../index.ts";
import { stateCertificateOf, TEST_CONFIG } from "../testing/driven-node.ts";
import { simulatedSign } from "../testing/signatures.ts";
import { CERTIFICATION_WINDOW } from "./types.ts";

const { domain, validators, earlierValidators, own } = TEST_CONFIG;
const CONFIG = { domain, validators, earlierValidators, own, lastHeight: Height(1_000), resendMs: 100 };
const OTHER = Hash(new Uint8Array(32).fill(1));

const resultOf = (height: number, executedHash: Hash = ZERO_HASH): Executed =>
  stateCertificateOf(height, ZERO_HASH, [1, 2, 3], executedHash).executed;

function signedBy(index: number, executed: Executed): SignedExecuted {
  const key = validators.validators[index]!.consensusKey;
  return {
    executed,
    signer: ValidatorIndex(index),
    signature: simulatedSign(key, executedSigningBytes(domain, executed)),
  };
}

/** Signs like the runtime does, and remembers all effects. */
class Collector {
  state = startCertification(CONFIG, undefined, []).state;
  effects: CertificationEffect[] = [];

  input(input: CertificationInput): void {
    const step = stepCertification(this.state, input);
    this.state = step.state;
    this.effects.push(...step.effects);
    for (const effect of step.effects) {
      if (effect.kind === "sign") this.input({ kind: "signed", vote: signedBy(0, effect.executed) });
    }
  }

  execute(height: number, executedHash?: Hash): void {
    this.input({ kind: "executed", executed: resultOf(height, executedHash) });
  }

  receive(from: number, message: Message): void {
    this.input({ kind: "message", from: ValidatorIndex(from), message });
  }

  hear(from: number, height: number, executedHash?: Hash): void {
    this.receive(from, { kind: "executed", executed: signedBy(from, resultOf(height, executedHash)) });
  }

  kinds(): readonly string[] {
    return this.effects.map((effect) => effect.kind);
  }
}

test("an own result is signed, said, and certified with a quorum of like results", () => {
  const collector = new Collector();
  collector.execute(1);
  assert.deepEqual(collector.kinds(), ["sign", "setTimer", "broadcast"]);
  collector.hear(1, 1);
  assert.ok(!collector.kinds().includes("certified"));
  collector.hear(2, 1);
  const certified = collector.effects.find((effect) => effect.kind === "certified");
  assert.equal(certified?.certificate.executed.height, 1);
  assert.ok(collector.kinds().includes("cancelTimer"));
  collector.hear(3, 1);
  assert.equal(certifiedHeight(collector.state), 1);
  assert.equal(collector.state.tallies.size + collector.state.results.size, 0);
});

test("a quorum that came before the own execution counts when that is done", () => {
  const collector = new Collector();
  for (const peer of [1, 2, 3]) collector.hear(peer, 1);
  assert.ok(!collector.kinds().includes("certified"), "never above what this node has executed");
  collector.execute(1);
  assert.ok(collector.kinds().includes("certified"));
});

test("a certificate of another result than the own stops everything, whichever comes first", () => {
  for (const isOwnFirst of [true, false]) {
    const collector = new Collector();
    if (isOwnFirst) collector.execute(1);
    for (const peer of [1, 2, 3]) collector.hear(peer, 1, OTHER);
    if (!isOwnFirst) collector.execute(1);
    assert.ok(collector.kinds().includes("diverged"));
    collector.effects = [];
    collector.input({ kind: "timer" });
    collector.receive(1, { kind: "state-certificate-request", height: resultOf(1).height });
    assert.deepEqual(collector.kinds(), []);
  }
});

test("two results of one validator for one height are evidence, once, and only if it signed both", () => {
  const collector = new Collector();
  collector.hear(1, 1);
  collector.hear(1, 1, OTHER);
  collector.hear(1, 1, OTHER);
  assert.deepEqual(collector.kinds(), ["evidence"]);
  const framed = new Collector();
  framed.receive(1, {
    kind: "executed",
    executed: { ...signedBy(1, resultOf(1)), signature: new Uint8Array(16) },
  });
  framed.hear(1, 1, OTHER);
  assert.deepEqual(framed.kinds(), ["fault"]);
});

test("a wrong signature is found at the quorum and its signer named; the others still count", () => {
  const collector = new Collector();
  collector.execute(1);
  collector.receive(1, {
    kind: "executed",
    executed: { ...signedBy(1, resultOf(1)), signature: new Uint8Array(16) },
  });
  collector.hear(2, 1);
  assert.ok(collector.effects.some((effect) => effect.kind === "fault" && effect.peer === 1));
  collector.hear(3, 1);
  assert.equal(certifiedHeight(collector.state), 1);
});

test("results are read on their signer's link only, and certificates only if they verify", () => {
  const collector = new Collector();
  collector.receive(1, { kind: "executed", executed: signedBy(2, resultOf(1)) });
  collector.receive(1, { kind: "state-certificate", certificate: stateCertificateOf(1, ZERO_HASH, [1, 2]) });
  const codes = collector.effects.map((effect) => effect.kind === "fault" && effect.code);
  assert.deepEqual(codes, ["certification/wrong-sender", "certification/bad-certificate"]);
});

test("a laggard takes a certificate from any height, signs nothing below it, and compares when it gets there", () => {
  const collector = new Collector();
  collector.input({ kind: "certificate", certificate: stateCertificateOf(500) });
  for (let height = 1; height < 500; height++) collector.execute(height);
  assert.deepEqual(
    collector.kinds().filter((kind) => kind !== "setTimer"),
    [],
  );
  collector.execute(500);
  assert.equal(certifiedHeight(collector.state), 500);
  collector.execute(501);
  assert.ok(collector.kinds().includes("sign"));
});

test("an uncertified newest result is repeated, and another peer asked each time, until it is certified", () => {
  const collector = new Collector();
  collector.execute(1);
  const asked: number[] = [];
  for (let round = 0; round < 3; round++) {
    collector.effects = [];
    collector.input({ kind: "timer" });
    assert.deepEqual(collector.kinds(), ["broadcast", "send", "setTimer"]);
    for (const effect of collector.effects) if (effect.kind === "send") asked.push(effect.to);
  }
  assert.deepEqual(asked, [1, 2, 3]);
  collector.receive(2, { kind: "state-certificate", certificate: stateCertificateOf(1) });
  assert.equal(certifiedHeight(collector.state), 1);
  collector.effects = [];
  collector.receive(3, { kind: "state-certificate-request", height: resultOf(1).height });
  assert.deepEqual(collector.kinds(), ["send"]);
});

test("votes far from the own execution are not kept", () => {
  const collector = new Collector();
  for (let height = 1; height < 3 * CERTIFICATION_WINDOW; height++) collector.hear(1, height);
  assert.equal(collector.state.tallies.size, CERTIFICATION_WINDOW);
  for (let height = 1; height < 4 * CERTIFICATION_WINDOW; height++) collector.execute(height);
  assert.ok(collector.state.tallies.size <= 2 * CERTIFICATION_WINDOW + 1);
  assert.ok(collector.state.results.size <= CERTIFICATION_WINDOW);
});

test("a validator alone certifies its own results", () => {
  const alone = { ...CONFIG, validators: { ...validators, validators: validators.validators.slice(0, 1) } };
  let { state } = startCertification(alone, undefined, []);
  state = stepCertification(state, { kind: "executed", executed: resultOf(1) }).state;
  const step = stepCertification(state, { kind: "signed", vote: signedBy(0, resultOf(1)) });
  assert.ok(step.effects.some((effect) => effect.kind === "certified"));
});

test("a restart signs the uncertified results again", () => {
  const step = startCertification(CONFIG, stateCertificateOf(3), [resultOf(4), resultOf(5)]);
  assert.deepEqual(
    step.effects.map((effect) => effect.kind),
    ["sign", "sign", "setTimer"],
  );
});

test("E6: results of another epoch are not counted, and whoever sent them may have that seat there", () => {
  const collector = new Collector();
  collector.execute(1);
  const later = { ...resultOf(1), epoch: Epoch(1) };
  for (const [from, signer] of [
    [1, 2],
    [2, 3],
    [3, 1],
  ] as const)
    collector.receive(from, { kind: "executed", executed: signedBy(signer, later) });
  assert.equal(certifiedHeight(collector.state), 0);
  assert.ok(!collector.effects.some(({ kind }) => kind === "fault"));
});

test("E6: a set signs results of its own epoch's heights only: neither above its last block nor below its first", () => {
  const bounds = { ...CONFIG, validators: { ...validators, epoch: Epoch(1) }, lastHeight: Height(20) };
  for (const [height, isOfEpoch] of [
    [10, false],
    [11, true],
    [20, true],
    [21, false],
  ] as const) {
    const executed = { ...resultOf(height), epoch: Epoch(1) };
    const { state } = startCertification(bounds, undefined, []);
    const message: Message = { kind: "executed", executed: signedBy(2, executed) };
    const step = stepCertification(state, { kind: "message", from: ValidatorIndex(2), message });
    const codes = step.effects.map((effect) => (effect.kind === "fault" ? effect.code : effect.kind));
    assert.deepEqual(codes, isOfEpoch ? [] : ["certification/wrong-epoch"]);
    assert.equal(step.state.tallies.size, isOfEpoch ? 1 : 0);
  }
});

test("E6: keys of an epoch that has passed cannot certify, or refute, a result of a later one", () => {
  const now = {
    ...CONFIG,
    validators: { ...validators, epoch: Epoch(1) },
    earlierValidators: [validators],
    lastHeight: Height(20),
  };
  const own = { ...resultOf(11), epoch: Epoch(1) };
  const { state } = startCertification(now, undefined, [own]);
  const forged = stateCertificateOf(11, ZERO_HASH, [1, 2, 3], OTHER);
  const step = stepCertification(state, { kind: "certificate", certificate: forged });
  assert.deepEqual(step.effects, []);
});
