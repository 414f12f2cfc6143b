import assert from "node:assert/strict";
import { test } from "node:test";
import { View } from "@ostrom/base";
import { isRecordLive, type Message, type OrderedBlock } from "../index.ts";
import {
  blockAt,
  certificateOf,
  DrivenNode,
  digestOf,
  leader,
  nodeIn,
  notLed,
  proposalOf,
  signedBy,
  viewLedBy,
  voteFor,
} from "../testing/driven-node.ts";
import { simulatedSet } from "../testing/signatures.ts";

test("S10: votes beyond the window leave no trace, and finality forgets everything below it", () => {
  const node = new DrivenNode();
  for (let far = 0; far < 100; far++) {
    node.receiveVote(1, voteFor("nullify", 1_000 + far));
    node.receive(1, proposalOf(blockAt(viewLedBy(1, 1_000 + far))));
  }
  assert.ok(node.state.views.size <= 1);
  assert.equal(node.state.blocks.size, 0);
  let parent: OrderedBlock | undefined;
  for (let view = 1; view <= 40; view++) {
    const block: OrderedBlock = blockAt(view, parent);
    if (leader(view) === 0)
      node.receive(1, {
        kind: "block-range",
        blocks: [block],
        finalization: certificateOf("finalization", view, digestOf(block)),
      });
    else {
      node.propose(block);
      node.receiveCertificate("finalization", view, digestOf(block));
    }
    parent = block;
    assert.ok(node.state.views.size <= 1 && node.state.blocks.size === 0);
  }
  assert.equal(node.state.tip.height, 40);
});

test("S11: a finalization makes all ancestors final, in height order, each once", () => {
  const node = new DrivenNode();
  const chain: OrderedBlock[] = [];
  for (let view = 1; view <= 3; view++) {
    const block = blockAt(view, chain.at(-1));
    chain.push(block);
    node.receiveCertificate("notarization", view, digestOf(block));
    node.timeout("fetch");
    node.receive(1, { kind: "block", block });
  }
  assert.equal(node.take("finalized").length, 0);
  node.receiveCertificate("finalization", 3, digestOf(chain[2]!));
  node.receiveCertificate("finalization", 2, digestOf(chain[1]!));
  assert.deepEqual(
    node.take("finalized").map(({ block }) => block.height),
    [1, 2, 3],
  );
});

test("S11: a final block whose ancestors are missing is synced from a signer, and the segment checked", () => {
  const node = new DrivenNode();
  const first = blockAt(1);
  const second = blockAt(2, first);
  node.receiveCertificate("finalization", 2, digestOf(second));
  node.timeout("fetch");
  const [sync] = node.take("sync");
  assert.equal(sync?.fromHeight, 1);
  const finalization = certificateOf("finalization", 2, digestOf(second));
  node.receive(1, { kind: "block-range", blocks: [second], finalization });
  assert.equal(node.take("fault").length, 0, "it may have been asked for before");
  const forged = { ...first, payload: Uint8Array.of(1) };
  node.receive(1, { kind: "block-range", blocks: [forged, second], finalization });
  assert.equal(node.take("fault")[0]?.code, "consensus/bad-segment");
  node.receive(1, { kind: "block-range", blocks: [first, second], finalization });
  assert.deepEqual(
    node.take("finalized").map(({ block }) => block.height),
    [1, 2],
  );
  node.receive(2, { kind: "block-range", blocks: [first, second], finalization });
  assert.equal(node.take("finalized").length, 0);
});

test("S12: at a standstill everything needed to join and end the view is said again, and no more than a bounded lot", () => {
  const view = notLed(40);
  const node = nodeIn(view);
  node.propose(blockAt(view));
  node.effects = [];
  node.timeout("standstill");
  const again = node.messages();
  assert.ok(again.some((message) => message.kind === "certificate" && message.certificate.view === view - 1));
  assert.ok(again.some((message) => message.kind === "vote" && message.vote.vote.view === view));
  assert.ok(again.length <= 8 * 6 + 2, `${again.length} messages`);
  assert.equal(node.take("setTimer").filter((effect) => effect.id === "standstill").length, 1);
});

test("S12: requests for what others hold are answered, and what is final by the finalization", () => {
  const node = new DrivenNode();
  const block = blockAt(notLed());
  node.receiveCertificate("nullification", 1);
  node.effects = [];
  node.receive(2, { kind: "certificate-request", epoch: block.epoch, view: block.view, want: "any" });
  node.receive(2, { kind: "block-request", epoch: block.epoch, view: block.view, digest: digestOf(block) });
  node.receive(2, { kind: "block-range-request", fromHeight: block.height });
  const [answer] = node.take("send");
  assert.equal(answer?.to, 2);
  assert.ok(answer?.message.kind === "certificate" && answer.message.certificate.kind === "nullification");
  assert.deepEqual(node.take("serveBlocks"), [{ kind: "serveBlocks", to: 2, fromHeight: 1 }]);
});

test("S14: without its log a validator asks, proves nothing itself, and abstains through the highest view told plus one", () => {
  const node = new DrivenNode({ lostLog: true });
  assert.ok(node.messages().some((message) => message.kind === "view-request"));
  const epoch = voteFor("nullify", 1).epoch;
  const report = (view: number, admitted: number | undefined): Message => ({
    kind: "view-report",
    epoch,
    view: view as View,
    certificate: admitted === undefined ? undefined : certificateOf("nullification", admitted),
  });
  node.receive(1, report(5, undefined));
  node.receive(1, report(5, 3));
  assert.equal(node.take("fault").length, 2, "a view must be proven");
  node.receive(1, report(5, 4));
  node.receive(2, report(3, 2));
  node.receive(2, { kind: "view-request", epoch });
  assert.ok(!node.messages().some((message) => message.kind === "view-report"), "it knows nothing to tell");
  node.timeout("advance");
  node.receive(3, report(5, 4));
  for (let view = 5; view <= 7; view++) {
    node.timeout("advance");
    assert.deepEqual(node.signedIn(view), view === 7 ? ["nullify"] : [], `view ${view}`);
    node.effects = [];
    node.receive(2, { kind: "view-request", epoch });
    const told = node.messages().some((message) => message.kind === "view-report");
    assert.equal(
      told,
      view === 7,
      "what it would tell while it abstains may be too low for another that asks",
    );
    node.receiveCertificate("nullification", view);
  }
});

test("S14: in a set of two or three the word of one other is enough, since none may be Byzantine", () => {
  for (const count of [2, 3]) {
    const validators = simulatedSet(Array.from({ length: count }, () => 1));
    const node = new DrivenNode({ validators, lostLog: true });
    const { epoch } = validators;
    node.receive(1, { kind: "view-report", epoch, view: View(1), certificate: undefined });
    assert.equal(node.state.viewReports, undefined, `${count} validators`);
    node.timeout("advance");
    assert.deepEqual(node.signedIn(1), [], "it abstains through view 2");
  }
});

test("S14: nothing is signed below the oldest vote in the log: an earlier log may have been lost", () => {
  const first = blockAt(1);
  const node = new DrivenNode({}, undefined, [
    { kind: "certificate", certificate: certificateOf("nullification", 4) },
    { kind: "vote", vote: signedBy(0, voteFor("nullify", 5)) },
  ]);
  node.receiveCertificate("notarization", 1, digestOf(first));
  node.timeout("fetch");
  node.receive(1, { kind: "block", block: first });
  assert.deepEqual(node.signedIn(1), []);
  node.receiveCertificate("nullification", 5);
  node.timeout("advance");
  assert.deepEqual(node.signedIn(6), ["nullify"]);
});

test("a restarted validator is bound by every vote in its log", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.propose(block);
  node.timeout("advance");
  const again = new DrivenNode({}, undefined, node.log);
  assert.equal(again.view, view);
  const resent = again
    .messages()
    .flatMap((message) => (message.kind === "vote" ? [message.vote.vote.kind] : []));
  assert.deepEqual(resent.sort(), ["notarize", "nullify"]);
  again.effects = [];
  again.timeout("advance");
  again.propose(blockAt(view, undefined, { payload: Uint8Array.of(1) }));
  again.receiveCertificate("notarization", view, digestOf(block));
  assert.deepEqual(again.signedIn(view), ["notarize", "nullify"]);
});

test("a leader that restarts after its vote sends the same proposal again", () => {
  const view = viewLedBy(0);
  const node = nodeIn(view);
  node.input({ kind: "work", pending: true });
  const fresh = new DrivenNode({}, undefined, node.log);
  fresh.buildPayload(Uint8Array.of(5));
  const again = new DrivenNode({}, undefined, fresh.log);
  assert.equal(again.take("buildPayload").length, 0);
  const sent = again.messages().find((message) => message.kind === "proposal");
  assert.deepEqual(sent?.kind === "proposal" && sent.block.payload, Uint8Array.of(5));
});

test("log records below the durable tip may be forgotten, the others not", () => {
  const node = new DrivenNode();
  node.receiveCertificate("nullification", 1);
  node.receiveCertificate("nullification", 2);
  const tip = { epoch: node.state.tip.epoch, view: 1 as View };
  assert.deepEqual(
    node.log.map((record) => isRecordLive(tip, record)),
    [false, true],
  );
});

test("a follower without a key goes along and never signs", () => {
  const node = new DrivenNode({ own: undefined });
  const block = blockAt(1);
  node.receive(leader(1), proposalOf(block));
  node.timeout("advance");
  node.receiveCertificate("finalization", 1, digestOf(block));
  assert.equal(node.take("sign").length, 0);
  assert.equal(node.take("finalized").length, 1);
});

test("a step leaves the state it was given as it was", () => {
  const view = notLed();
  const node = nodeIn(view);
  const before = node.state;
  const copy = structuredClone({ ...before, config: undefined });
  node.propose(blockAt(view));
  node.timeout("advance");
  node.receiveCertificate("nullification", view);
  assert.deepEqual(structuredClone({ ...before, config: undefined }), copy);
});
