import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, Hash, Height } from "@ostrom/base";
import { genesisPoint } from "./chain-point.ts";
import { HostilePeer } from "./testing/hostile-peer.ts";
import { type MinerHabit, MinerNode } from "./testing/miner-node.ts";
import { PowNetwork } from "./testing/scenario.ts";
import type { PowHeader } from "./types.ts";

const INTERVAL_MS = 1000;

function startedNetwork(seed: number, change: { readonly maxSideHeaders?: number } = {}): PowNetwork {
  const network = new PowNetwork({ seed, count: 3, rate: () => 2, config: change });
  network.world.runFor(15 * INTERVAL_MS);
  return network;
}

test("headers without work cost their sender the link, and no memory (W5, W10)", () => {
  const network = startedNetwork(41);
  const node = network.node(0);
  const peer = new HostilePeer(network.world, "spammer", network.config);
  for (const start of [node.head, genesisPoint(network.config)]) {
    network.world.link("spammer", node.name);
    const held = node.state.records.size;
    const forged = peer.forge(start, 100, { lacksWork: true });
    peer.say(node.name, { kind: "announce", headers: forged.map(({ header }) => header) });
    network.world.runFor(200);
    assert.equal(node.faults.at(-1)?.code, "pow/bad-header");
    assert.equal(node.faults.at(-1)?.peer, "spammer");
    assert.ok(node.state.records.size <= held + 2);
    assert.ok(!network.world.isLinked("spammer", node.name));
  }
});

test("each rule of a header is checked, and its breach proves the sender's fault (W2, W3, W4)", () => {
  const changes: readonly (readonly [string, string, Partial<PowHeader>])[] = [
    ["height", "pow/bad-sequence", { height: 1 as PowHeader["height"] }],
    ["an easier target", "pow/bad-header", { target: 2n ** 250n }],
    ["a harder target", "pow/bad-header", { target: 1n }],
    ["a time at the median", "pow/bad-header", { timestampMs: 0 }],
    ["work", "pow/bad-header", { nonce: 0n }],
  ];
  for (const [index, [what, code, change]] of changes.entries()) {
    const network = startedNetwork(50 + index);
    const node = network.node(0);
    const peer = new HostilePeer(network.world, "liar", network.config);
    network.world.link("liar", node.name);
    const [forged] = peer.forge(node.head, 1, { change });
    peer.say(node.name, { kind: "announce", headers: [forged!.header] });
    network.world.runFor(200);
    assert.equal(node.faults.at(-1)?.code, code, what);
  }
});

test("a header ahead of the clock is nobody's fault, and counts when its time has come (W4)", () => {
  const network = startedNetwork(42);
  const node = network.node(0);
  const peer = new HostilePeer(network.world, "hasty", network.config);
  network.world.link("hasty", node.name);
  const aheadMs = network.config.clockToleranceMs + 1500;
  const [forged] = peer.forge(node.head, 1, { timestampMs: () => node.nowMs + aheadMs });
  peer.serve([forged!]);
  const held = node.state.records.size;
  peer.say(node.name, { kind: "announce", headers: [forged!.header] });
  network.world.runFor(100);
  assert.ok(node.state.records.size <= held + 1);
  assert.ok(!node.state.leaves.has(Buffer.from(forged!.point.id).toString("hex")));
  assert.deepEqual(node.faults, []);
  assert.ok(network.world.isLinked("hasty", node.name));
});

test("side branches with work are bounded: those with least work go first (W5)", () => {
  const network = startedNetwork(43, { maxSideHeaders: 512 });
  const node = network.node(0);
  const peer = new HostilePeer(network.world, "rich", network.config);
  network.world.link("rich", node.name);
  const start = node.head;
  for (let branch = 0; branch < 60; branch++) {
    const forged = peer.forge(start, 20, { timestampMs: (_, earliestMs) => earliestMs + branch });
    peer.say(node.name, { kind: "announce", headers: forged.map(({ header }) => header) });
  }
  network.world.runFor(3 * INTERVAL_MS);
  const bound = network.config.maxSideHeaders + 2 * network.config.maxReorgDepth + 100;
  assert.ok(node.state.records.size > 300, "work that is real is kept for a while");
  assert.ok(node.state.records.size <= bound, `${node.state.records.size} headers are held`);
  assert.deepEqual(node.faults, []);
});

test("bodies that are withheld hold nobody up: others' blocks are followed meanwhile (W9)", () => {
  const network = startedNetwork(44);
  const node = network.node(0);
  const peer = new HostilePeer(network.world, "withholder", network.config);
  for (const other of network.nodes) network.world.link("withholder", other.name);
  const before = node.head.height;
  const forged = peer.forge(node.head, 5);
  for (const other of network.nodes) {
    peer.say(other.name, { kind: "announce", headers: forged.map(({ header }) => header) });
  }
  network.world.runFor(20 * INTERVAL_MS);
  assert.ok(peer.heard.some(({ message }) => message.kind === "get-block"));
  assert.ok(node.head.height > before + 10, `${node.head.height - before} blocks came`);
  network.checkAgreement(4);
  for (const { header } of forged) {
    assert.ok(!node.chain.some(({ block }) => equalBytes(block.header.parent, header.payloadHash)));
  }
});

test("a withheld body comes from another peer when the first does not answer (W7)", () => {
  const network = new PowNetwork({ seed: 45, count: 2, shares: [0.1, 0.9], rate: () => 2 });
  network.world.runFor(15 * INTERVAL_MS);
  const [node, source] = [network.node(0), network.node(1)];
  network.split((index) => index);
  assert.ok(network.world.runUntil(() => source.head.height > node.head.height + 5, 60 * INTERVAL_MS));
  const peer = new HostilePeer(network.world, "silent", network.config);
  network.world.link("silent", node.name);
  const headers = source.chain.map(({ block }) => block.header);
  peer.answer = (from, message) => {
    if (message.kind === "get-headers") peer.say(from, { kind: "headers", headers });
  };
  peer.claim(node.name, { height: source.head.height, id: source.head.id }, source.head.totalWork);
  network.world.runFor(200);
  assert.ok(
    peer.heard.some(({ message }) => message.kind === "get-block"),
    "the silent peer was asked",
  );
  network.world.link(node.name, source.name);
  const reached = source.head.height;
  assert.ok(network.world.runUntil(() => node.head.height >= reached, 10 * INTERVAL_MS));
});

test("a body that is not its header's proves its sender's fault (W10)", () => {
  const network = startedNetwork(46);
  const node = network.node(0);
  const peer = new HostilePeer(network.world, "forger", network.config);
  network.world.link("forger", node.name);
  const [forged] = peer.forge(node.head, 2);
  peer.answer = (from, message) => {
    if (message.kind !== "get-block") return;
    peer.say(from, { kind: "block", block: { header: forged!.header, payload: new Uint8Array([1]) } });
  };
  peer.say(node.name, { kind: "announce", headers: [forged!.header] });
  network.world.runFor(300);
  assert.equal(node.faults.at(-1)?.code, "pow/bad-body");
});

for (const habit of ["false-executed-hash", "invalid-payload"] as const satisfies readonly MinerHabit[]) {
  test(`blocks with ${habit} earn nothing, and nobody is blamed for passing them on (W9)`, () => {
    const network = new PowNetwork({
      seed: 47,
      count: 5,
      shares: [0.2, 0.2, 0.2, 0.2, 0.2],
      habits: new Map([[4, habit]]),
      rate: () => 2,
    });
    network.world.runFor(60 * INTERVAL_MS);
    const { address } = network.node(4);
    for (const node of network.nodes.slice(0, 4)) {
      assert.ok(node.head.height > 20);
      assert.ok(node.invalid.length > 3, "such blocks were seen");
      assert.ok(!node.chain.some(({ block }) => equalBytes(block.header.miner, address)));
      assert.deepEqual(node.faults, []);
    }
    network.checkAgreement(4);
  });
}

test("an eclipsed node returns to the heavier chain when it meets one honest peer, unless it was away too long (W6, W11)", () => {
  const network = new PowNetwork({
    seed: 48,
    count: 4,
    shares: [0.3, 0.3, 0.3, 0.1],
    rate: () => 1.5,
    config: { finalityDepth: 10, maxReorgDepth: 20 },
  });
  network.world.runFor(10 * INTERVAL_MS);
  // The attacker owns all links of node 3 and shows it nothing: it mines on alone.
  network.split((index) => (index === 3 ? 1 : 0));
  network.world.runFor(30 * INTERVAL_MS);
  const alone = network.node(3).head.height;
  network.world.link("node3", "node0");
  const isBack = (): boolean => network.node(3).idAt(alone + 1) === network.node(0).idAt(alone + 1);
  assert.ok(network.world.runUntil(isBack, 30 * INTERVAL_MS));
  network.world.runFor(5 * INTERVAL_MS);
  assert.ok(network.node(3).deepestReorganisation > 0, `it had ${alone} blocks`);
  assert.equal(network.node(3).halted, undefined);
  network.split((index) => (index === 3 ? 1 : 0));
  const fork = network.node(3).head.height;
  assert.ok(network.world.runUntil(() => network.node(3).head.height > fork + 30, 900 * INTERVAL_MS));
  network.world.link("node3", "node0");
  network.world.runFor(5 * INTERVAL_MS);
  assert.match(network.node(3).halted ?? "", /more work/);
});

test("a peer that claims work ever anew, on ever new links, keeps a node that starts from nothing (W7)", () => {
  for (const relinks of [false, true]) {
    const network = new PowNetwork({
      seed: 50,
      count: 2,
      rate: () => 1.5,
      config: { finalityDepth: 5, maxReorgDepth: 10 },
    });
    assert.ok(network.world.runUntil(() => network.node(0).head.height >= 100, 300 * INTERVAL_MS));
    const fresh = new MinerNode(network.world, { name: "fresh", config: network.config });
    const peer = new HostilePeer(network.world, "liar", network.config);
    network.world.link("node0", "fresh");
    for (let round = 0; round < 20; round++) {
      if (relinks) network.world.unlink("liar", "fresh");
      network.world.link("liar", "fresh");
      const id = Hash(new Uint8Array(32).fill(round + 1));
      peer.claim("fresh", { height: Height(9999), id }, 2n ** 200n);
      network.world.runFor(INTERVAL_MS);
    }
    assert.ok(fresh.head.height >= 100, `${fresh.head.height}`);
    assert.equal(fresh.halted, undefined);
  }
});

for (const servesBodies of [true, false]) {
  const bodies = servesBodies ? "with bodies" : "without bodies";
  test(`a node that starts is not led into a long cheap branch ${bodies}, nor halted by it (W7, W11)`, () => {
    const network = new PowNetwork({
      seed: 49,
      count: 2,
      rate: () => 1.5,
      config: { finalityDepth: 5, maxReorgDepth: 10 },
    });
    assert.ok(network.world.runUntil(() => network.node(0).head.height >= 300, 600 * INTERVAL_MS));
    const fresh = new MinerNode(network.world, { name: "fresh", config: network.config });
    const peer = new HostilePeer(network.world, "cheap", network.config);
    const chain = peer.forge(genesisPoint(network.config), 100, {
      timestampMs: (index) => 1_000_100 + index * 3000,
    });
    peer.serve(chain, servesBodies);
    const tip = chain.at(-1)!.point;
    network.world.link("cheap", "fresh");
    peer.claim("fresh", { height: tip.height, id: tip.id }, 2n ** 200n);
    network.world.link("node0", "fresh");
    assert.ok(network.world.runUntil(() => fresh.head.height >= 300, 30 * INTERVAL_MS));
    assert.equal(fresh.halted, undefined);
    assert.ok(fresh.deepestReorganisation <= 2);
  });
}
