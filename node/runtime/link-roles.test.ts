import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, Epoch, Height, View, ZERO_HASH } from "@ostrom/base";
import { encodeMessage, type Message, ValidatorIndex } from "@ostrom/consensus";
import type { LinkRole } from "./link-policy.ts";
import { guardNetwork, isReadFrom } from "./link-roles.ts";
import { type ModuleLinkRules, moduleLinkPolicy } from "./module-links.ts";

const QUESTIONS: readonly Message[] = [
  { kind: "block-range-request", fromHeight: Height(1) },
  { kind: "state-certificate-request", height: Height(1) },
  { kind: "block-request", epoch: Epoch(0), view: View(1), digest: ZERO_HASH },
];
const VOTE: Message = {
  kind: "vote",
  vote: {
    vote: { kind: "notarize", epoch: Epoch(0), view: View(1), digest: ZERO_HASH },
    signer: ValidatorIndex(0),
    signature: EMPTY_BYTES,
  },
};

test("roles: of an observer questions are read, and no votes, no transactions, no noise", () => {
  for (const question of QUESTIONS) {
    assert.equal(isReadFrom("observer", "consensus", encodeMessage(question)), true, question.kind);
    assert.equal(isReadFrom("filtered-observer", "consensus", encodeMessage(question)), false);
  }
  assert.equal(isReadFrom("observer", "consensus", encodeMessage(VOTE)), false);
  assert.equal(isReadFrom("observer", "transactions", Uint8Array.of(1)), false);
  assert.equal(isReadFrom("observer", "sync", Uint8Array.of(9, 9)), false);
  assert.equal(isReadFrom("full", "transactions", Uint8Array.of(1)), true);
});

test("roles: a filtered observer is sent nothing; strangers get what they ask for and no broadcasts", () => {
  const roles: Readonly<Record<string, LinkRole>> = {
    a: "full",
    b: "observer",
    c: "filtered-observer",
    d: "full",
  };
  const sent: string[] = [];
  const guarded = guardNetwork(
    {
      send: (peerId) => sent.push(peerId) > 0,
      broadcast: () => assert.fail("it knows no roles"),
      connected: () => Object.keys(roles),
    },
    (peerId) => peerId !== "d",
    (peerId) => roles[peerId] ?? "full",
  );
  assert.equal(guarded.broadcast("consensus", EMPTY_BYTES), 2);
  assert.deepEqual(sent.splice(0), ["a", "b"]);
  assert.equal(guarded.send("c", "sync", EMPTY_BYTES), false);
  assert.equal(guarded.send("d", "sync", EMPTY_BYTES), true);
  assert.deepEqual(sent, ["d"]);
});

test("policy: what modules say of the newest block holds, is asked once a block, and no authority is asked for while the node is far behind", () => {
  const world = { nowMs: 1_000_000, height: 1, timestampMs: 1_000_000 as number, isOpen: false, asked: 0 };
  const authority = Uint8Array.of(1, 2, 3);
  const rules: ModuleLinkRules = {
    admitsStrangers: () => world.isOpen,
    isMemberPeer: (_, peerId) => {
      world.asked += 1;
      return peerId === "member";
    },
    linkKindOf: (_, peerId) => (peerId === "reader" ? "observer" : undefined),
    certificateAuthoritiesOf: (_, peerId) =>
      peerId === "member" ? [authority] : peerId === "plain" ? [] : undefined,
  };
  const state = { storage: () => 0n, account: () => undefined };
  const head = () => ({ height: world.height, timestampMs: world.timestampMs });
  const policy = moduleLinkPolicy([{}, rules], { state, head }, () => world.nowMs)!;
  assert.equal(
    moduleLinkPolicy([], { state, head: () => world }, () => 0),
    undefined,
  );
  assert.equal(policy.admitsStrangers?.(), false);
  assert.deepEqual([policy.isMember?.("member"), policy.isMember?.("other")], [true, false]);
  assert.deepEqual([policy.roleOf?.("reader"), policy.roleOf?.("member")], ["observer", "full"]);
  assert.deepEqual(policy.certificateAuthoritiesOf?.("member"), [authority]);
  assert.equal(policy.certificateAuthoritiesOf?.("plain"), undefined, "no authority: the key alone counts");
  policy.isMember?.("member");
  assert.equal(world.asked, 2, "asked once for each peer and block");
  world.isOpen = true;
  world.nowMs += 1_000;
  assert.equal(policy.admitsStrangers?.(), false, "as of the same block");
  Object.assign(world, { height: 2, timestampMs: world.nowMs });
  world.nowMs += 1_000;
  assert.equal(policy.admitsStrangers?.(), true);
  world.nowMs += 700_000;
  assert.equal(policy.isStale?.(), true);
  assert.equal(policy.certificateAuthoritiesOf?.("member"), undefined);
});
