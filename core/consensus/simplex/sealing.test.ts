import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash, Height, unwrap } from "@ostrom/base";
import {
  decodeMessage,
  decodeSealProof,
  encodeMessage,
  encodeSealProof,
  MAX_SEALING_BLOCKS,
  type Message,
  type OrderedBlock,
  verifyChainSegment,
} from "../index.ts";
import {
  certificateOf,
  digestOf,
  leader,
  proposalOf,
  TEST_CONFIG,
  viewLedBy,
} from "../testing/driven-node.ts";
import {
  afterFirst,
  afterLast,
  certifiedFirst,
  child,
  sealOn,
  skipTo,
  viewsNotLed,
} from "../testing/epoch-steps.ts";
import { currentDeltaMs } from "./delta.ts";

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
  assert.equal(timer?.delayMs, 2 * currentDeltaMs(node.state) + TEST_CONFIG.minBlockIntervalMs);
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
