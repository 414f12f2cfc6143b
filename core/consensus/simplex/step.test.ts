import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, Hash, type View, ZERO_HASH } from "@ostrom/base";
import { isRecordLive, type Message, type OrderedBlock } from "../index.ts";
import {
  blockAt,
  certificateOf,
  DrivenNode,
  digestOf,
  leader,
  proposalOf,
  signedBy,
  stateCertificateOf,
  viewLedBy,
  voteFor,
} from "../testing/driven-node.ts";

/** Validator 0 is driven; these views are led by others, so that it votes as a follower in them. */
const notLed = (from = 1): number => (leader(from) === 0 ? notLed(from + 1) : from);

/** A node that has come to `view` by nullifications of all views before. */
function nodeIn(view: number): DrivenNode {
  const node = new DrivenNode();
  for (let passed = 1; passed < view; passed++) node.receiveCertificate("nullification", passed);
  node.effects = [];
  return node;
}

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
  assert.deepEqual(request?.message, { kind: "certificate-request", epoch: 0, view: view - 2, want: "nullification" });
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
  ["a state certificate without a quorum", { stateCertificate: { ...stateCertificateOf(0), signers: Uint8Array.of(3) } }],
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

test("S5: a notarization admits to the next view and is finalized, also after others came to it", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.propose(block);
  for (const peer of [1, 2, 3]) node.receiveVote(peer, voteFor("notarize", view, digestOf(block)));
  assert.equal(node.view, view + 1);
  assert.deepEqual(node.signedIn(view), ["notarize", "finalize"]);
});

test("S5: no Finalize after a Nullify, whatever is notarized later; the view is entered all the same", () => {
  const view = notLed();
  const node = nodeIn(view);
  node.timeout("leader");
  assert.deepEqual(node.signedIn(view), ["nullify"]);
  const block = blockAt(view);
  node.propose(block);
  node.receiveCertificate("notarization", view, digestOf(block));
  assert.equal(node.view, view + 1);
  assert.ok(!node.signedIn(view).includes("finalize"));
});

test("S5: no Finalize before the body is here; it is fetched from a signer and logged first", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.receiveCertificate("notarization", view, digestOf(block));
  assert.equal(node.view, view + 1);
  assert.deepEqual(node.signedIn(view), []);
  assert.ok(!node.messages().some((message) => message.kind === "block-request"), "it may still come by itself");
  node.effects = [];
  node.timeout("fetch");
  const [request] = node.take("send");
  assert.equal(request?.message.kind, "block-request");
  node.receive(2, { kind: "block", block });
  assert.deepEqual(node.signedIn(view), ["finalize"]);
  assert.deepEqual(node.log.slice(-2).map((record) => record.kind), ["block", "vote"]);
});

test("S5: what this validator found invalid is not finalized by it, and it says so", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.propose(block, false);
  node.take("fault");
  node.receiveCertificate("notarization", view, digestOf(block));
  assert.deepEqual(node.signedIn(view), ["nullify"]);
  assert.equal(node.take("fault")[0]?.code, "consensus/notarized-invalid");
});

test("S6: the leader timer counts only without a proposal, the advance timer always; late firings do not", () => {
  const view = notLed();
  const node = nodeIn(view);
  node.input({ kind: "timer", id: "advance", token: view - 1 });
  node.receive(leader(view), proposalOf(blockAt(view)));
  assert.ok(node.take("cancelTimer").some((effect) => effect.id === "leader"));
  node.timeout("leader");
  assert.deepEqual(node.signedIn(view), []);
  node.timeout("advance");
  node.timeout("advance");
  assert.deepEqual(node.signedIn(view), ["nullify"]);
});

test("S6: Delta grows with each view that does not become final, up to its cap, and falls back on finality", () => {
  const node = new DrivenNode({ emptyBlockIntervalMs: 0, minBlockIntervalMs: 0 });
  const leaderTimeouts: number[] = [];
  for (let view = 1; view < 9; view++) {
    const armed = node.take("setTimer").filter((effect) => effect.id === "leader");
    leaderTimeouts.push(armed.at(-1)!.delayMs);
    node.receiveCertificate("nullification", view);
  }
  assert.deepEqual(leaderTimeouts, [200, 200, 400, 800, 1600, 2000, 2000, 2000]);
  const block = blockAt(9);
  node.propose(block);
  node.receiveCertificate("finalization", 9, digestOf(block));
  assert.equal(node.take("setTimer").filter((effect) => effect.id === "leader").at(-1)?.delayMs, 200);
});

test("S7: a certificate of any view admits to the next, from however far below", () => {
  const node = new DrivenNode();
  node.receiveCertificate("nullification", 4_096);
  assert.equal(node.view, 4_097);
  assert.ok(node.state.views.size <= 2);
});

test("S9: certificates are formed at weight q, logged and forwarded once, and not before", () => {
  const view = notLed();
  const node = nodeIn(view);
  const vote = voteFor("notarize", view, digestOf(blockAt(view)));
  for (const peer of [1, 1, 2]) node.receiveVote(peer, vote);
  assert.equal(node.view, view);
  node.effects = [];
  node.receiveVote(3, vote);
  assert.equal(node.view, view + 1);
  assert.equal(node.messages().filter((message) => message.kind === "certificate").length, 1);
  assert.equal(node.log.filter((record) => record.kind === "certificate").length, view);
  node.effects = [];
  node.receiveCertificate("notarization", view, vote.digest);
  assert.deepEqual(node.messages(), []);
});

test("S9: a wrong signature is found by bisection, its signer named and ignored in the view, and the rest counts", () => {
  const view = notLed();
  const liar = ([1, 2, 3] as const).find((peer) => peer !== leader(view))!;
  const node = nodeIn(view);
  const forged = { ...signedBy(liar, voteFor("nullify", view)), signature: new Uint8Array(16).fill(1) };
  node.receive(liar, { kind: "vote", vote: forged });
  for (const peer of [1, 2, 3]) if (peer !== liar) node.receiveVote(peer, voteFor("nullify", view));
  const faults = node.take("fault");
  assert.deepEqual(faults.map(({ peer, code }) => ({ peer, code })), [{ peer: liar, code: "consensus/bad-signature" }]);
  node.receiveVote(liar, voteFor("nullify", view));
  assert.ok(node.view === view + 1, "its own Nullify and two others are a quorum");
});

test("S9: votes count only on their signer's own link, and certificates only if they verify", () => {
  const view = notLed();
  const node = nodeIn(view);
  for (const peer of [1, 2, 3]) {
    node.receive(1, { kind: "vote", vote: signedBy(peer, voteFor("notarize", view, Hash(new Uint8Array(32).fill(1)))) });
  }
  const bad = { ...certificateOf("nullification", view), signature: new Uint8Array(16) };
  node.receive(1, { kind: "certificate", certificate: bad });
  node.receive(1, { kind: "certificate", certificate: certificateOf("nullification", view, ZERO_HASH, [1, 2]) });
  assert.equal(node.view, view);
  const codes = node.take("fault").map((effect) => effect.code);
  assert.deepEqual(codes.filter((code) => code === "consensus/wrong-sender").length, 2);
  assert.deepEqual(codes.filter((code) => code === "consensus/bad-certificate").length, 2);
});

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
    if (leader(view) === 0) node.receive(1, { kind: "block-range", blocks: [block], finalization: certificateOf("finalization", view, digestOf(block)) });
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
  assert.deepEqual(node.take("finalized").map(({ block }) => block.height), [1, 2, 3]);
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
  assert.equal(node.take("fault")[0]?.code, "consensus/bad-segment");
  node.receive(1, { kind: "block-range", blocks: [first, second], finalization });
  assert.deepEqual(node.take("finalized").map(({ block }) => block.height), [1, 2]);
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

test("S15: Nullify and Finalize of one view, or two Notarizes, are evidence only if both are truly signed", () => {
  const view = notLed();
  const digest = Hash(new Uint8Array(32).fill(1));
  const other = Hash(new Uint8Array(32).fill(2));
  const contradictions = [
    [voteFor("nullify", view), voteFor("finalize", view, digest)],
    [voteFor("finalize", view, digest), voteFor("finalize", view, other)],
    [voteFor("notarize", view, digest), voteFor("notarize", view, other)],
  ] as const;
  const culprit = ([1, 2, 3] as const).find((peer) => peer !== leader(view))!;
  for (const [first, second] of contradictions) {
    const node = nodeIn(view);
    node.receiveVote(culprit, first);
    node.receiveVote(culprit, second);
    node.receiveVote(culprit, first);
    assert.deepEqual(node.take("evidence").map(({ evidence }) => [evidence.validator, evidence.first.vote, evidence.second.vote]), [
      [culprit, first, second],
    ]);
    const framed = nodeIn(view);
    framed.receive(culprit, { kind: "vote", vote: { ...signedBy(culprit, first), signature: new Uint8Array(16) } });
    framed.receiveVote(culprit, second);
    assert.equal(framed.take("evidence").length, 0);
    assert.equal(framed.take("fault")[0]?.peer, culprit);
  }
});

test("S17: with an empty pool leaders are given the empty interval; work shortens it, once", () => {
  const view = notLed();
  const node = nodeIn(view);
  const before = new DrivenNode({}, undefined, node.log).take("setTimer");
  assert.equal(before.find((effect) => effect.id === "leader")?.delayMs, 200 + 500);
  node.effects = [];
  node.input({ kind: "work", pending: true });
  node.input({ kind: "work", pending: false });
  node.input({ kind: "work", pending: true });
  const after = node.take("setTimer").filter((effect) => effect.id === "leader");
  assert.deepEqual(after.map((effect) => effect.delayMs), [200 + 10]);
});

test("S13: a leader unheard for two rounds is not waited for while a quorum is heard", () => {
  const node = new DrivenNode({ own: leader(1) });
  const dead = 3 as number;
  let skipped = 0;
  for (let view = 1; view < 60; view++) {
    node.effects = [];
    for (const peer of [0, 1, 2, 3]) {
      if (peer === dead || peer === node.config.own) continue;
      node.receiveVote(peer, voteFor("notarize", view, Hash(new Uint8Array(32).fill(view))));
    }
    if (leader(view) === dead && node.signedIn(view).includes("nullify")) skipped++;
    assert.ok(leader(view) === dead || !node.signedIn(view).includes("nullify"));
    node.receiveCertificate("nullification", view);
  }
  assert.ok(dead === node.config.own || skipped >= 10, `skipped ${skipped} times`);
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
    node.receiveCertificate("nullification", view);
  }
});

test("a restarted validator is bound by every vote in its log", () => {
  const view = notLed();
  const node = nodeIn(view);
  const block = blockAt(view);
  node.propose(block);
  node.timeout("advance");
  const again = new DrivenNode({}, undefined, node.log);
  assert.equal(again.view, view);
  const resent = again.messages().flatMap((message) => (message.kind === "vote" ? [message.vote.vote.kind] : []));
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
  assert.deepEqual(node.log.map((record) => isRecordLive(tip, record)), [false, true]);
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
