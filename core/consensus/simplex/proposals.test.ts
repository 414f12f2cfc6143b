import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, Hash } from "@ostrom/base";
import type { OrderedBlock } from "../index.ts";
import {
  blockAt,
  DrivenNode,
  digestOf,
  leader,
  nodeIn,
  notLed,
  proposalOf,
  stateCertificateOf,
  viewLedBy,
  voteFor,
} from "../testing/driven-node.ts";

test("S2: the leader asks for a payload on the newest notarized block, and proposes it once its vote is on disk", () => {
  const view = viewLedBy(0, 2);
  const node = nodeIn(view);
  const again = new DrivenNode({}, undefined, node.log);
  const [offer] = again.take("buildPayload");
  assert.equal(offer?.view, view);
  again.effects = [];
  again.buildPayload(Uint8Array.of(1));
  const kinds = again.effects.map((effect) => effect.kind);
  assert.ok(kinds.indexOf("persist") < kinds.indexOf("sign"), "the body is logged before the vote");
  assert.ok(kinds.indexOf("sign") < kinds.indexOf("broadcast"), "nothing leaves before the vote is on disk");
  const [message] = again.messages();
  assert.equal(message?.kind, "proposal");
  again.effects = [];
  again.buildPayload(Uint8Array.of(2));
  assert.deepEqual(again.signedIn(view), ["notarize"], "a second payload is not proposed");
});

test("S2: the block carries the newer of the parent's and the leader's state certificate, of an ancestor only", () => {
  const view = viewLedBy(0, 2);
  const parent = blockAt(view - 1, undefined, { proposer: leader(view - 1) });
  const proposed = (height: number): OrderedBlock => {
    const node = nodeIn(view - 1);
    node.propose(parent);
    node.receiveCertificate("notarization", view - 1, digestOf(parent));
    node.effects = [];
    node.buildPayload(EMPTY_BYTES, stateCertificateOf(height));
    const [message] = node.messages();
    assert.ok(message?.kind === "proposal");
    return message.block;
  };
  assert.equal(proposed(1).stateCertificate?.executed.height, 1);
  assert.equal(proposed(2).stateCertificate, undefined);
});

test("S3, S4: a valid proposal is checked, then notarized once", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.receive(leader(view), proposalOf(block));
  assert.equal(node.take("checkBlock").length, 1);
  assert.deepEqual(node.signedIn(view), []);
  node.input({ kind: "verdict", digest: digestOf(block), valid: true });
  node.input({ kind: "verdict", digest: digestOf(block), valid: true });
  node.receive(leader(view), proposalOf(block));
  assert.deepEqual(node.signedIn(view), ["notarize"]);
});

test("S3: without a nullification of a view between, the proposal waits, and its leader is asked for it", () => {
  const view = notLed(3);
  const node = new DrivenNode();
  for (let passed = 1; passed < view; passed++) {
    if (passed !== view - 2) node.receiveCertificate("nullification", passed);
  }
  node.effects = [];
  node.propose(blockAt(view));
  assert.deepEqual(node.signedIn(view), []);
  const [request] = node.take("send");
  assert.equal(request?.to, leader(view));
  assert.deepEqual(request?.message, {
    kind: "certificate-request",
    epoch: 0,
    view: view - 2,
    want: "nullification",
  });
  node.receiveCertificate("nullification", view - 2);
  assert.equal(node.take("checkBlock").length, 1);
});

test("S3: a view that ended with a notarization here and a nullification at the leader: the exact certificate is fetched", () => {
  const view = notLed(2);
  const node = nodeIn(view - 1);
  const passed = blockAt(view - 1);
  node.receiveCertificate("notarization", view - 1, digestOf(passed));
  assert.equal(node.view, view);
  node.effects = [];
  const child = blockAt(view);
  node.propose(child);
  const wanted = node.messages().find((message) => message.kind === "certificate-request");
  assert.deepEqual(wanted, { kind: "certificate-request", epoch: 0, view: view - 1, want: "nullification" });
  node.receiveCertificate("nullification", view - 1);
  node.input({ kind: "verdict", digest: digestOf(child), valid: true });
  assert.deepEqual(node.signedIn(view), ["notarize"]);
});

for (const [what, change] of [
  ["a height that skips one", { height: 3 }],
  ["a timestamp that is not above the parent's", { timestampMs: 1_000_000 }],
  ["a state certificate of no ancestor", { stateCertificate: stateCertificateOf(1) }],
  [
    "a state certificate without a quorum",
    { stateCertificate: { ...stateCertificateOf(0), signers: Uint8Array.of(3) } },
  ],
  ["a parent that is not the final block", { parent: Hash(new Uint8Array(32).fill(4)) }],
] as const) {
  test(`S8: ${what} makes a proposal invalid, and the view is given up at once`, () => {
    const view = notLed();
    const node = nodeIn(view);
    node.receive(leader(view), proposalOf(blockAt(view, undefined, change as Partial<OrderedBlock>)));
    assert.equal(node.take("checkBlock").length, 0);
    assert.deepEqual(node.signedIn(view), ["nullify"]);
    assert.equal(node.take("fault")[0]?.code, "consensus/bad-block");
  });
}

test("S16: a state certificate older than the parent's, or none after one, makes a proposal invalid", () => {
  const first = notLed();
  const view = notLed(first + 1);
  for (const stateCertificate of [undefined, stateCertificateOf(1)]) {
    const node = nodeIn(first);
    const tip = {
      ...node.state.tip,
      view: blockAt(first).view,
      height: blockAt(2).height,
      digest: digestOf(blockAt(first)),
      stateCertificate: stateCertificateOf(2),
    };
    node.input({ kind: "synced", tip: { ...tip, height: 5 as typeof tip.height } });
    for (let passed = first + 1; passed < view; passed++) node.receiveCertificate("nullification", passed);
    const height = 6 as OrderedBlock["height"];
    const parent = tip.digest;
    const change = { height, parent, parentView: tip.view, stateCertificate };
    node.receive(leader(view), proposalOf(blockAt(view, undefined, change)));
    assert.deepEqual(node.signedIn(view), ["nullify"]);
  }
});

test("S8: an invalid payload, the leader's own Nullify, or its second proposal end the view at once", () => {
  const view = notLed();
  const invalid = nodeIn(view);
  invalid.propose(blockAt(view), false);
  assert.deepEqual(invalid.signedIn(view), ["nullify"]);

  const abandoned = nodeIn(view);
  abandoned.receiveVote(leader(view), voteFor("nullify", view));
  assert.deepEqual(abandoned.signedIn(view), ["nullify"]);

  const equivocated = nodeIn(view);
  equivocated.receive(leader(view), proposalOf(blockAt(view)));
  equivocated.receive(leader(view), proposalOf(blockAt(view, undefined, { payload: Uint8Array.of(1) })));
  assert.deepEqual(equivocated.signedIn(view), ["nullify"]);
  assert.equal(equivocated.take("evidence")[0]?.evidence.validator, leader(view));
});
