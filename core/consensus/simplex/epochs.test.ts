import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, Epoch, Hash, Height, unwrap, View } from "@ostrom/base";
import {
  decodeSealProof,
  type Effect,
  encodeSealProof,
  type OrderedBlock,
  ValidatorIndex,
  verifyChainSegment,
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
  viewLedBy,
  voteFor,
} from "../testing/driven-node.ts";

/** An epoch of two blocks; the first decides the next set. */
const BOUNDS = { frozenHeight: Height(1), lastHeight: Height(2) };

/** Consecutive views that validator 0 does not lead, so that what it does is answer others. */
function viewsNotLed(count: number): readonly number[] {
  const views: number[] = [];
  for (let view = 1; views.length < count; view++) if (leader(view) !== 0) views.push(view);
  return views;
}

function child(view: number, parent: OrderedBlock, change: Partial<OrderedBlock> = {}): OrderedBlock {
  return blockAt(view, parent, change);
}

function sealOn(view: number, parent: OrderedBlock, change: Partial<OrderedBlock> = {}): OrderedBlock {
  return child(view, parent, { timestampMs: parent.timestampMs + 1, ...change });
}

/** Comes to `view` with the views between nullified. */
function skipTo(node: DrivenNode, view: number): void {
  while (node.view < view) node.receiveCertificate("nullification", node.view);
}

/** A node whose first block is final and certified, in the view after it. */
function afterFirst(): { readonly node: DrivenNode; readonly first: OrderedBlock; readonly view: number } {
  const [firstView, view] = viewsNotLed(2) as [number, number];
  const node = new DrivenNode(BOUNDS);
  skipTo(node, firstView);
  const first = blockAt(firstView);
  node.propose(first);
  node.receiveCertificate("finalization", firstView, digestOf(first));
  skipTo(node, view);
  node.effects = [];
  return { node, first, view };
}

const certifiedFirst = (first: OrderedBlock): ReturnType<typeof stateCertificateOf> =>
  stateCertificateOf(1, digestOf(first));

/** The same, with the last block notarized, and the next view entered. */
function afterLast(): { readonly node: DrivenNode; readonly last: OrderedBlock; readonly view: number } {
  const { node, first, view } = afterFirst();
  const last = child(view, first, { stateCertificate: certifiedFirst(first) });
  node.propose(last);
  node.receiveCertificate("notarization", view, digestOf(last));
  return { node, last, view };
}

test("E1: the last block of an epoch is notarized only with a state certificate that names the next set", () => {
  const { node, first, view } = afterFirst();
  node.receive(leader(view), proposalOf(child(view, first)));
  assert.deepEqual(node.take("checkBlock"), []);
  assert.deepEqual(node.signedIn(view), ["nullify"]);
  assert.equal(node.take("fault")[0]?.code, "consensus/bad-block");

  const good = afterFirst();
  good.node.propose(child(view, first, { stateCertificate: certifiedFirst(first) }));
  assert.deepEqual(good.node.signedIn(view), ["notarize"]);
});

test("E1: a certificate of another epoch, or from before the set was decided, does not do", () => {
  const bounds = { frozenHeight: Height(2), lastHeight: Height(3) };
  const [firstView, secondView, view] = viewsNotLed(3) as [number, number, number];
  const node = new DrivenNode(bounds);
  skipTo(node, firstView);
  const first = blockAt(firstView);
  node.propose(first);
  node.receiveCertificate("finalization", firstView, digestOf(first));
  skipTo(node, secondView);
  const second = child(secondView, first, { stateCertificate: certifiedFirst(first) });
  node.propose(second);
  node.receiveCertificate("finalization", secondView, digestOf(second));
  skipTo(node, view);
  node.effects = [];
  node.receive(leader(view), proposalOf(child(view, second)));
  assert.deepEqual(node.signedIn(view), ["nullify"]);
});

test("E1: a leader proposes the last block only with such a certificate", () => {
  const view = viewLedBy(0, 2);
  const [firstView] = viewsNotLed(1) as [number];
  const node = new DrivenNode(BOUNDS);
  skipTo(node, firstView);
  const first = blockAt(firstView);
  node.propose(first);
  node.receiveCertificate("finalization", firstView, digestOf(first));
  skipTo(node, view);
  node.effects = [];
  node.buildPayload(EMPTY_BYTES, undefined);
  assert.deepEqual(node.signedIn(view), []);
  node.buildPayload(EMPTY_BYTES, certifiedFirst(first));
  assert.deepEqual(node.signedIn(view), ["notarize"]);
});

test("E2: above the last block a leader seals at once, without asking for a payload", () => {
  const { node, last } = afterLast();
  const view = viewLedBy(0, node.view);
  for (let passed = node.view; passed < view; passed++) node.receiveCertificate("nullification", passed);
  assert.deepEqual(node.take("buildPayload"), []);
  const seal = node
    .messages()
    .flatMap((message) => (message.kind === "proposal" ? [message.block] : []))
    .at(-1);
  assert.equal(seal?.height, 3);
  assert.equal(seal?.payload.length, 0);
  assert.equal(seal?.timestampMs, last.timestampMs + 1);
  assert.deepEqual(seal?.stateCertificate, last.stateCertificate);
});

test("E2: a sealing block is notarized without the runtime's check; one that carries anything is not", () => {
  const view = viewsNotLed(3)[2]!;
  const good = afterLast();
  skipTo(good.node, view);
  good.node.effects = [];
  good.node.receive(leader(view), proposalOf(sealOn(view, good.last)));
  assert.deepEqual(good.node.take("checkBlock"), []);
  assert.deepEqual(good.node.signedIn(view), ["notarize"]);

  for (const change of [{ payload: Uint8Array.of(0xc0) }, { timestampMs: good.last.timestampMs + 2 }]) {
    const bad = afterLast();
    skipTo(bad.node, view);
    bad.node.receive(leader(view), proposalOf(sealOn(view, bad.last, change)));
    assert.deepEqual(bad.node.signedIn(view), ["nullify"]);
  }
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
      frozenHeight: Height(3),
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

test("a segment of blocks never crosses an epoch, and must be linked to the tip through every sealing block", () => {
  const { first, view } = afterFirst();
  const { domain, validators } = TEST_CONFIG;
  const tip = {
    view: first.view,
    height: first.height,
    digest: digestOf(first),
    timestampMs: first.timestampMs,
  };
  const last = child(view, first, { stateCertificate: certifiedFirst(first) });
  const seal = sealOn(view + 1, last);
  const finalization = certificateOf("finalization", view + 1, digestOf(seal));
  assert.ok(verifyChainSegment(domain, validators, tip, [last, seal], finalization).ok);
  assert.ok(!verifyChainSegment(domain, validators, tip, [last], finalization).ok);
  const foreign = { ...seal, epoch: Epoch(1) };
  assert.ok(!verifyChainSegment(domain, validators, tip, [last, foreign], finalization).ok);
  const other = sealOn(view + 1, { ...last, payload: Uint8Array.of(1) });
  assert.ok(!verifyChainSegment(domain, validators, tip, [last, other], finalization).ok);
  assert.notDeepEqual(Hash(digestOf(other)), digestOf(seal));
});
