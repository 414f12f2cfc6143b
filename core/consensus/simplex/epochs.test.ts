import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, Height, unwrap, View } from "@ostrom/base";
import {
  decodeMessage,
  decodeSealProof,
  type Effect,
  type Executed,
  encodeMessage,
  encodeSealProof,
  executedSigningBytes,
  MAX_SEALING_BLOCKS,
  type Message,
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
import { simulatedSign } from "../testing/signatures.ts";

/** An epoch of two blocks. */
const BOUNDS = { lastHeight: Height(2) };

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

/** A node at the beginning of epoch 1, whose set the state after block 1 has named, and epoch 0's last block. */
function inNextEpoch(): {
  readonly node: DrivenNode;
  readonly last: OrderedBlock;
  readonly first: OrderedBlock;
} {
  const { node: before, first, view } = afterFirst();
  const last = child(view, first);
  before.propose(last);
  before.receiveCertificate("finalization", view, digestOf(last));
  const { tip } = before.take("epochEnded")[0]!;
  const node = new DrivenNode(
    {
      validators: { ...TEST_CONFIG.validators, epoch: Epoch(1) },
      earlierValidators: [TEST_CONFIG.validators],
      leastCertified: Height(1),
      lastHeight: Height(4),
      // Another one than the leader of its first view.
      own: ValidatorIndex(1),
    },
    tip,
  );
  return { node, last, first };
}

/** The first block of epoch 1, as its leader signs it. */
function firstOfNext(node: DrivenNode, last: OrderedBlock, change: Partial<OrderedBlock>): Message {
  const { config } = node.state;
  const proposer = leader(1, config);
  const block = child(1, last, { epoch: Epoch(1), parentView: View(0), proposer, ...change });
  const vote = { ...voteFor("notarize", 1, digestOf(block)), epoch: Epoch(1) };
  return { kind: "proposal", block, signature: signedBy(proposer, vote, config).signature };
}

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

test("E2: after a few sealing blocks that nothing makes final, each waits for half of a Delta that grows", () => {
  const { node, last } = afterLast();
  let parent = last;
  const pauses: number[] = [];
  for (let count = 0; pauses.length < 4; count++) {
    assert.ok(count < 60, "validator 0 leads now and then");
    const { view } = node;
    if (leader(view) === 0) {
      const [pause] = node.take("setTimer").filter(({ id }) => id === "seal");
      if (pause !== undefined) {
        assert.deepEqual(node.signedIn(view), []);
        pauses.push(pause.delayMs);
        node.timeout("seal");
      }
      assert.deepEqual(node.signedIn(view), ["notarize"]);
      const [own] = [...node.state.blocks.values()].filter(({ block }) => block.view === view);
      parent = own!.block;
    } else {
      parent = sealOn(view, parent);
      node.propose(parent);
    }
    node.effects = [];
    node.receiveCertificate("notarization", view, digestOf(parent));
  }
  assert.ok(parent.height > 2 + 4);
  const { deltaMs, maxDeltaMs } = TEST_CONFIG;
  for (const [index, pause] of pauses.entries())
    assert.ok(pause >= (pauses[index - 1] ?? deltaMs / 2) && pause <= maxDeltaMs / 2, pauses.join());
});

test("E2: for a sealing block nobody allows a leader the time to wait for work", () => {
  const { node } = afterLast();
  const [timer] = node.take("setTimer").filter(({ id, token }) => id === "leader" && token === node.view);
  assert.equal(timer?.delayMs, 2 * TEST_CONFIG.deltaMs + TEST_CONFIG.minBlockIntervalMs);
});

test("E2: nothing but a sealing block may stand above the last, whatever its height claims", () => {
  const { node, last } = afterLast();
  const view = viewsNotLed(3)[2]!;
  skipTo(node, view);
  for (const change of [{ height: Height(4) }, { height: Height(2) }, { parent: last.parent }]) {
    const fresh = afterLast().node;
    skipTo(fresh, view);
    fresh.receive(leader(view), proposalOf(sealOn(view, last, change)));
    assert.deepEqual(fresh.signedIn(view), ["nullify"], JSON.stringify(change));
  }
});

test("E2: a sealing block that is final before its ancestors are here ends the epoch when they come", () => {
  const { node, first, view } = afterFirst();
  const last = child(view, first, { stateCertificate: certifiedFirst(first) });
  const seal = sealOn(view + 1, last);
  node.receiveCertificate("finalization", view + 1, digestOf(seal));
  assert.equal(node.take("epochEnded").length, 0);
  node.timeout("fetch");
  const [sync] = node.take("sync");
  const finalization = certificateOf("finalization", view + 1, digestOf(seal));
  node.receive(sync!.peer, { kind: "block-range", blocks: [last, seal], finalization });
  assert.deepEqual(
    node.take("finalized").map(({ block }) => block.height),
    [2],
  );
  assert.equal(node.take("epochEnded").length, 1);
});

test("E6: a set's state certificate counts for heights of its epoch only, whoever holds its keys later", () => {
  const certificateAt = (height: number, epoch: number): ReturnType<typeof stateCertificateOf> => {
    const { executed } = stateCertificateOf(height);
    const signed: Executed = { ...executed, epoch: Epoch(epoch) };
    const message = executedSigningBytes(TEST_CONFIG.domain, signed);
    const keys = TEST_CONFIG.validators.validators.slice(1).map(({ consensusKey }) => consensusKey);
    const signature = TEST_CONFIG.domain.signatures.aggregate(keys.map((key) => simulatedSign(key, message)))!;
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
    assert.equal(node.take("checkBlock").length, isGood ? 1 : 0, `height ${stateCertificate.executed.height}`);
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
  node.receive(2, { kind: "certificate", certificate: certificateOf("finalization", 9, digestOf(blockAt(9))) });
  assert.equal(node.state, state);
  assert.deepEqual(node.take("fault"), []);
});

test("an epoch that was sealed by as many blocks as can be still has a proof that can be stored and sent", () => {
  const { last } = afterLast();
  const sealing: OrderedBlock[] = [];
  while (sealing.length < MAX_SEALING_BLOCKS) {
    const parent = sealing.at(-1) ?? last;
    sealing.push(sealOn(parent.view + 1, parent));
  }
  const end = sealing.at(-1)!;
  const finalization = certificateOf("finalization", end.view, digestOf(end));
  const stored = unwrap(decodeSealProof(encodeSealProof({ sealing, finalization })));
  const message: Message = { kind: "block-range", blocks: [last, ...stored.sealing], finalization };
  const arrived = unwrap(decodeMessage(encodeMessage(message)));
  assert.ok(arrived.kind === "block-range");
  const { node } = afterFirst();
  node.receive(1, arrived);
  assert.equal(node.take("epochEnded")[0]?.proof.sealing.length, MAX_SEALING_BLOCKS);
});
