import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Height, unwrap, View } from "@ostrom/base";
import {
  decodeSealProof,
  type Effect,
  type Executed,
  encodeSealProof,
  executedSigningBytes,
  ValidatorIndex,
} from "../index.ts";
import {
  blockAt,
  certificateOf,
  DrivenNode,
  digestOf,
  leader,
  proposalOf,
  signedBy,
  stateCertificateOf,
  TEST_CONFIG,
  voteFor,
} from "../testing/driven-node.ts";
import {
  afterFirst,
  afterLast,
  BOUNDS,
  certifiedFirst,
  child,
  firstOfNext,
  inNextEpoch,
  sealOn,
  skipTo,
  viewsNotLed,
} from "../testing/epoch-steps.ts";
import { simulatedSign } from "../testing/signatures.ts";

test("E1: the first block of an epoch is checked only with a state certificate of what named its set", () => {
  const bad = inNextEpoch();
  const from = leader(1, bad.node.state.config);
  bad.node.receive(from, firstOfNext(bad.node, bad.last, { stateCertificate: undefined }));
  assert.deepEqual(bad.node.take("checkBlock"), []);
  assert.equal(bad.node.take("fault")[0]?.code, "consensus/bad-block");

  const good = inNextEpoch();
  const stateCertificate = certifiedFirst(good.first);
  good.node.receive(from, firstOfNext(good.node, good.last, { stateCertificate }));
  assert.equal(good.node.take("checkBlock").length, 1);
});

test("E1: the last block needs no certificate: blocks below it may become final only by it", () => {
  const { node, first, view } = afterFirst();
  node.propose(child(view, first));
  assert.deepEqual(node.signedIn(view), ["notarize"]);
});

test("E3: the epoch ends with its last block; sealing blocks are its proof and never final themselves", () => {
  const direct = afterLast();
  direct.node.effects = [];
  direct.node.receiveCertificate("finalization", direct.view, digestOf(direct.last));
  const kinds = direct.node.effects.map(({ kind }) => kind).filter((kind) => kind !== "cancelTimer");
  assert.ok(kinds.indexOf("finalized") < kinds.indexOf("epochEnded"));
  const [end] = direct.node.take("epochEnded");
  assert.deepEqual(end?.proof.sealing, []);
  assert.deepEqual(
    { epoch: end?.tip.epoch, view: end?.tip.view, height: end?.tip.height },
    { epoch: 1, view: 0, height: 2 },
  );

  const sealed = afterLast();
  const view = viewsNotLed(3)[2]!;
  skipTo(sealed.node, view);
  const seal = sealOn(view, sealed.last);
  sealed.node.propose(seal);
  sealed.node.effects = [];
  sealed.node.receiveCertificate("finalization", view, digestOf(seal));
  assert.deepEqual(
    sealed.node.take("finalized").map(({ block }) => block.height),
    [2],
  );
  const [proven] = sealed.node.take("epochEnded");
  assert.deepEqual(proven?.proof.sealing.map(digestOf), [digestOf(seal)]);
  assert.deepEqual(unwrap(decodeSealProof(encodeSealProof(proven!.proof))), proven!.proof);
});

test("E3: after its end an epoch signs nothing and sets no timer, whatever comes; it answers questions", () => {
  const { node, last, view } = afterLast();
  node.receiveCertificate("finalization", view, digestOf(last));
  assert.deepEqual(
    node
      .take("cancelTimer")
      .map(({ id }) => id)
      .slice(-4),
    ["leader", "advance", "standstill", "fetch"],
  );
  node.effects = [];
  const next = sealOn(view + 1, last);
  for (const id of ["leader", "advance", "standstill", "fetch"] as const)
    node.input({ kind: "timer", id, token: node.view });
  node.receive(leader(view + 1), proposalOf(next));
  for (const peer of [1, 2, 3]) node.receiveVote(peer, voteFor("notarize", view + 1, digestOf(next)));
  node.receiveCertificate("nullification", view + 1);
  node.input({ kind: "work", pending: true });
  node.input({ kind: "verdict", digest: digestOf(next), valid: true });
  node.input({ kind: "signed", vote: signedBy(0, voteFor("nullify", view + 1)) });
  node.buildPayload();
  const said: readonly Effect["kind"][] = node.effects.map(({ kind }) => kind);
  assert.deepEqual(
    said.filter((kind) => kind !== "send"),
    [],
  );
  node.effects = [];
  node.receive(2, { kind: "certificate-request", epoch: Epoch(0), view: View(view), want: "any" });
  assert.equal(node.messages()[0]?.kind, "certificate");
  node.receive(2, { kind: "block-range-request", fromHeight: Height(1) });
  assert.equal(node.take("serveBlocks").length, 1);
  node.effects = [];
  node.receive(2, { kind: "view-request", epoch: Epoch(0) });
  assert.deepEqual(node.effects, []);
});

test("E3: a restarted node whose log finalizes the last block comes to the end again", () => {
  const { node, last, view } = afterLast();
  const records = [
    ...node.log,
    { kind: "certificate" as const, certificate: certificateOf("finalization", view, digestOf(last)) },
  ];
  const again = new DrivenNode(BOUNDS, undefined, records);
  assert.equal(again.take("epochEnded").length, 1);
  assert.deepEqual(again.signedIn(view), node.signedIn(view));
});

test("E4: views begin again in the next epoch, on the last block; what bound one epoch does not count in the other", () => {
  const { node, last, view } = afterLast();
  node.receiveCertificate("finalization", view, digestOf(last));
  const { tip } = node.take("epochEnded")[0]!;
  const validators = { ...TEST_CONFIG.validators, epoch: Epoch(1) };
  const next = new DrivenNode(
    {
      validators,
      earlierValidators: [TEST_CONFIG.validators],
      lastHeight: Height(4),
    },
    tip,
  );
  assert.equal(next.view, 1);
  next.receiveCertificate("nullification", 1);
  assert.equal(next.view, 1, "a nullification of epoch 0 does not count in epoch 1");
  for (const peer of [1, 2, 3]) next.receiveVote(peer, voteFor("nullify", 1));
  assert.equal(next.view, 1, "nor do votes");
});

test("E5: who hears of a later epoch asks for blocks, and takes them from a stranger too", () => {
  const { node, first, view } = afterFirst();
  const vote = { ...voteFor("nullify", 1), epoch: Epoch(1) };
  node.receive(2, { kind: "vote", vote: { vote, signer: ValidatorIndex(2), signature: new Uint8Array(16) } });
  assert.deepEqual(
    node.take("sync").map(({ peer, fromHeight }) => [peer, fromHeight]),
    [[2, 2]],
  );
  const last = child(view, first, { stateCertificate: certifiedFirst(first) });
  const seal = sealOn(view + 1, last);
  const finalization = certificateOf("finalization", view + 1, digestOf(seal));
  node.input({
    kind: "message",
    from: undefined,
    message: { kind: "block-range", blocks: [last, seal], finalization },
  });
  assert.deepEqual(
    node.take("finalized").map(({ block }) => block.height),
    [2],
  );
  assert.equal(node.take("epochEnded").length, 1);
});

test("E5: one liar about epochs costs a few questions and nothing else", () => {
  const { node } = afterFirst();
  const vote = { ...voteFor("nullify", 1), epoch: Epoch(9) };
  const before = node.view;
  for (let times = 0; times < 50; times++) {
    node.receive(3, {
      kind: "vote",
      vote: { vote, signer: ValidatorIndex(3), signature: new Uint8Array(16) },
    });
    node.timeout("fetch");
  }
  assert.ok(node.take("sync").length <= 9);
  assert.equal(node.view, before);
});

test("E6: a set's state certificate counts for heights of its epoch only, whoever holds its keys later", () => {
  const certificateAt = (height: number, epoch: number): ReturnType<typeof stateCertificateOf> => {
    const { executed } = stateCertificateOf(height);
    const signed: Executed = { ...executed, epoch: Epoch(epoch) };
    const message = executedSigningBytes(TEST_CONFIG.domain, signed);
    const keys = TEST_CONFIG.validators.validators.slice(1).map(({ consensusKey }) => consensusKey);
    const signature = TEST_CONFIG.domain.signatures.aggregate(
      keys.map((key) => simulatedSign(key, message)),
    )!;
    return { ...stateCertificateOf(height), executed: signed, signature };
  };
  // The first block of epoch 1 has height 3. A certificate of epoch 0 is of height 1 or 2, one of epoch 1 of 3 or 4.
  for (const [stateCertificate, isGood] of [
    [certificateAt(1, 0), true],
    [certificateAt(2, 0), true],
    [certificateAt(2, 1), false],
    [certificateAt(1, 1), false],
  ] as const) {
    const { node, last } = inNextEpoch();
    node.receive(leader(1, node.state.config), firstOfNext(node, last, { stateCertificate }));
    assert.equal(
      node.take("checkBlock").length,
      isGood ? 1 : 0,
      `height ${stateCertificate.executed.height}`,
    );
  }
});

test("E8: who is not in the set of the next epoch follows it: it learns what is final and signs nothing", () => {
  const { node: before, first, view } = afterFirst();
  const last = child(view, first);
  before.propose(last);
  before.receiveCertificate("finalization", view, digestOf(last));
  const { tip } = before.take("epochEnded")[0]!;
  const [, ...others] = TEST_CONFIG.validators.validators;
  const validators = { ...TEST_CONFIG.validators, epoch: Epoch(1), validators: others };
  const node = new DrivenNode(
    {
      validators,
      earlierValidators: [TEST_CONFIG.validators],
      leastCertified: Height(1),
      lastHeight: Height(4),
      own: undefined,
    },
    tip,
    before.log,
  );
  assert.equal(node.view, 1);
  node.timeout("advance");
  node.timeout("leader");
  // Validator 2 of epoch 0 is validator 1 here.
  const config = node.state.config;
  const vote = { ...voteFor("nullify", 1), epoch: Epoch(1) };
  for (const index of [0, 1, 2]) node.receive(index, { kind: "vote", vote: signedBy(index, vote, config) });
  assert.equal(node.view, 2);
  assert.equal(node.take("sign").length, 0);
});

test("E5: a seat means nothing in another epoch: what comes of one that has passed is not even read", () => {
  const { node } = inNextEpoch();
  const { state } = node;
  // In epoch 0 another validator had that index.
  node.receive(2, { kind: "vote", vote: signedBy(3, voteFor("nullify", 1)) });
  node.receive(2, { kind: "proposal", block: blockAt(1), signature: new Uint8Array(16) });
  node.receive(2, {
    kind: "certificate",
    certificate: certificateOf("finalization", 9, digestOf(blockAt(9))),
  });
  assert.equal(node.state, state);
  assert.deepEqual(node.take("fault"), []);
});
