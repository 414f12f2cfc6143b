import assert from "node:assert/strict";
import { test } from "node:test";
import { Hash, type View, ZERO_HASH } from "@ostrom/base";
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
  voteFor,
} from "../testing/driven-node.ts";

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
  assert.ok(
    !node.messages().some((message) => message.kind === "block-request"),
    "it may still come by itself",
  );
  node.effects = [];
  node.timeout("fetch");
  const [request] = node.take("send");
  assert.equal(request?.message.kind, "block-request");
  node.receive(2, { kind: "block", block });
  assert.deepEqual(node.signedIn(view), ["finalize"]);
  assert.deepEqual(
    node.log.slice(-2).map((record) => record.kind),
    ["block", "vote"],
  );
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
  assert.equal(
    node
      .take("setTimer")
      .filter((effect) => effect.id === "leader")
      .at(-1)?.delayMs,
    200,
  );
});

test("S7: a certificate of any view admits to the next, from however far below", () => {
  const node = new DrivenNode();
  node.receiveCertificate("nullification", 4_096);
  assert.equal(node.view, 4_097);
  assert.ok(node.state.views.size <= 3);
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
  assert.deepEqual(
    faults.map(({ peer, code }) => ({ peer, code })),
    [{ peer: liar, code: "consensus/bad-signature" }],
  );
  node.receiveVote(liar, voteFor("nullify", view));
  assert.ok(node.view === view + 1, "its own Nullify and two others are a quorum");
});

test("S9: votes count only on their signer's own link, and certificates only if they verify", () => {
  const view = notLed();
  const node = nodeIn(view);
  for (const peer of [1, 2, 3]) {
    node.receive(1, {
      kind: "vote",
      vote: signedBy(peer, voteFor("notarize", view, Hash(new Uint8Array(32).fill(1)))),
    });
  }
  const bad = { ...certificateOf("nullification", view), signature: new Uint8Array(16) };
  node.receive(1, { kind: "certificate", certificate: bad });
  node.receive(1, {
    kind: "certificate",
    certificate: certificateOf("nullification", view, ZERO_HASH, [1, 2]),
  });
  assert.equal(node.view, view);
  const codes = node.take("fault").map((effect) => effect.code);
  assert.deepEqual(codes.filter((code) => code === "consensus/wrong-sender").length, 2);
  assert.deepEqual(codes.filter((code) => code === "consensus/bad-certificate").length, 2);
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
    assert.deepEqual(
      node
        .take("evidence")
        .map(({ evidence }) => [
          evidence.validator,
          evidence.kind === "votes" && evidence.first.vote,
          evidence.kind === "votes" && evidence.second.vote,
        ]),
      [[culprit, first, second]],
    );
    const framed = nodeIn(view);
    framed.receive(culprit, {
      kind: "vote",
      vote: { ...signedBy(culprit, first), signature: new Uint8Array(16) },
    });
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
  assert.deepEqual(
    after.map((effect) => effect.delayMs),
    [200 + 10],
  );
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

test("S10: of views long past without a final block only certificates and the own word are kept", () => {
  const node = new DrivenNode();
  for (let view = 1; view <= 100; view++) {
    for (const peer of [1, 2, 3]) node.receiveVote(peer, voteFor("nullify", view));
    assert.equal(node.view, view + 1);
  }
  const counted = [...node.state.views].filter(([, { tallies }]) => tallies.nullify.size > 0);
  assert.ok(counted.length <= 33, `${counted.length} tallies`);
  assert.equal(node.state.views.get(notLed() as View)?.certificates.nullification?.view, notLed());
  node.receiveVote(1, voteFor("finalize", 10, Hash(new Uint8Array(32).fill(1))));
  assert.equal(node.state.views.get(10 as View)?.tallies.finalize.size, 0);
});
