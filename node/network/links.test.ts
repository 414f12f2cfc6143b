import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "@ostrom/base";
import { createIdentity } from "./identity.ts";
import { IDENTITY_KINDS, type IdentityKind, lengthsOf } from "./identity-kinds.ts";
import { TestNetwork, type TestNode, until } from "./testing/nodes.ts";

const linked = (a: TestNode, b: TestNode): boolean =>
  a.links.connected().includes(b.identity.peerId) && b.links.connected().includes(a.identity.peerId);
const bothWays = (node: TestNode): boolean =>
  node.links.stats().peers.every((peer) => peer.isDialed && peer.isAccepted);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The same rules hold whatever carries the links: TLS with classical or post-quantum keys, or the SM channel. */
function testLinks(kind: IdentityKind): void {
  async function withNetwork(
    work: (network: TestNetwork) => Promise<void>,
    limits: ConstructorParameters<typeof TestNetwork>[0] = {},
  ): Promise<void> {
    const network = new TestNetwork(limits, kind);
    try {
      await work(network);
    } finally {
      await network.stop();
    }
  }

  test(`links of ${kind}: nodes of one set find each other and exchange frames of every channel and size`, () =>
    withNetwork(async (network) => {
      const nodes = [await network.start(), await network.start(), await network.start()];
      await until("all are linked", () => nodes.every((node) => node.links.connected().length === 2));
      const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
      assert.equal(a.links.broadcast("consensus", utf8("vote")), 2);
      assert.equal(a.links.send(b.identity.peerId, "sync", new Uint8Array(3_000_000).fill(5)), true);
      assert.equal(b.links.send(a.identity.peerId, "transactions", new Uint8Array(0)), true);
      await until(
        "all frames came",
        () => b.received.length === 2 && c.received.length === 1 && a.received.length === 1,
      );
      assert.deepEqual(c.received, [
        { peerId: a.identity.peerId, channel: "consensus", payload: utf8("vote") },
      ]);
      const large = b.received.find((frame) => frame.channel === "sync");
      assert.deepEqual(large?.payload, new Uint8Array(3_000_000).fill(5));
      assert.deepEqual(a.received, [
        { peerId: b.identity.peerId, channel: "transactions", payload: new Uint8Array(0) },
      ]);
      assert.deepEqual(a.ups.toSorted(), [b.identity.peerId, c.identity.peerId].toSorted());
      assert.deepEqual(a.downs, []);
    }));

  test(`links of ${kind}: frames of one channel keep their order`, () =>
    withNetwork(async (network) => {
      const [a, b] = [await network.start(), await network.start()];
      await until("both connections stand", () => linked(a, b) && bothWays(a));
      for (let index = 0; index < 5_000; index++) {
        a.links.send(b.identity.peerId, "consensus", utf8(String(index)));
        if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await until("all came", () => b.received.length === 5_000);
      assert.ok(b.received.every((frame, index) => textOf(frame.payload) === String(index)));
    }));

  test(`links of ${kind}: both sides dial, and each keeps the connection it opened`, () =>
    withNetwork(async (network) => {
      const [a, b] = [await network.start(), await network.start()];
      await until("both connections stand", () => bothWays(a) && bothWays(b) && linked(a, b));
      assert.deepEqual(a.ups, [b.identity.peerId]);
      assert.deepEqual(b.ups, [a.identity.peerId]);
      assert.equal(a.links.stats().pending, 0);
    }));

  test(`links of ${kind}: a node that cannot be dialed is linked by its own connection alone`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      const hidden = await network.start({ isHidden: true });
      await until("they are linked", () => linked(a, hidden));
      assert.equal(a.links.send(hidden.identity.peerId, "sync", utf8("down")), true);
      assert.equal(hidden.links.send(a.identity.peerId, "sync", utf8("up")), true);
      await until("both came", () => a.received.length === 1 && hidden.received.length === 1);
    }));

  test(`links of ${kind}: a peer that restarts, elsewhere or in the same place, is linked again`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      let b = await network.start();
      await until("linked", () => linked(a, b));
      await b.links.stop();
      await until("the loss is noticed", () => a.links.connected().length === 0);
      assert.equal(a.downs.at(-1)?.peerId, b.identity.peerId);
      assert.equal(a.links.send(b.identity.peerId, "sync", utf8("nobody")), false);

      b = await network.start({ identity: b.identity, port: b.address.port });
      await until("linked again", () => linked(a, b));
      await b.links.stop();
      b = await network.start({ identity: b.identity });
      await until("linked elsewhere", () => linked(a, b) && bothWays(a) && bothWays(b));
      assert.equal(a.links.send(b.identity.peerId, "sync", utf8("hello")), true);
      await until("it came", () => b.received.length === 1);
    }));

  test(`links of ${kind}: a peer that comes is dialed at once, whatever the waiting time`, () =>
    withNetwork(
      async (network) => {
        const identity = createIdentity(kind);
        const a = await network.start();
        // Nobody listens there yet: after one failure, the next attempt would come in a minute.
        const absent = await network.start({ identity });
        await until("linked", () => bothWays(a) && linked(a, absent));
        await absent.links.stop();
        await until("an attempt has failed", () => (a.links.stats().peers[0]?.dials ?? 0) >= 2);
        const b = await network.start({ identity, port: absent.address.port });
        await until("both connections stand", () => bothWays(a) && bothWays(b));
      },
      { minRedialMs: 10, maxRedialMs: 60_000 },
    ));

  test(`links of ${kind}: a peer that leaves the allowed set loses its links, and gets none`, () =>
    withNetwork(async (network) => {
      const nodes = [await network.start(), await network.start(), await network.start()];
      const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
      await until("all are linked", () => nodes.every((node) => node.links.connected().length === 2));
      network.allowed.delete(c.identity.peerId);
      a.links.refresh();
      b.links.refresh();
      await until("c is out", () => c.links.connected().length === 0);
      assert.deepEqual(a.links.connected(), [b.identity.peerId]);
      assert.deepEqual(a.downs, [{ peerId: c.identity.peerId, reason: "network/not-allowed" }]);
      const refusals = (): number => a.links.stats().refused["network/not-allowed"] ?? 0;
      await until("c has tried again", () => refusals() >= 1);
      const ups = c.ups.length;
      await until("c has tried more than once", () => refusals() >= 4);
      assert.deepEqual(a.links.connected(), [b.identity.peerId]);
      assert.equal(c.ups.length, ups, "a refused node never believes to be linked");

      network.allowed.add(c.identity.peerId);
      for (const node of nodes) node.links.refresh();
      await until("c is back", () => linked(a, c) && linked(b, c));
    }));

  test(`links of ${kind}: the set is asked again without being told to`, () =>
    withNetwork(async (network) => {
      const [a, b] = [await network.start(), await network.start()];
      await until("linked", () => linked(a, b));
      network.allowed.delete(b.identity.peerId);
      await until("b is out", () => a.links.connected().length === 0);
    }));

  test(`links of ${kind}: a node of another chain is turned away in the handshake`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      const other = await network.start({ networkId: "another" });
      await until("both have tried", () => {
        const dials = (node: TestNode): number => node.links.stats().peers[0]?.dials ?? 0;
        return dials(a) >= 2 && dials(other) >= 2;
      });
      assert.deepEqual([...a.ups, ...other.ups], []);
    }));

  test(`links of ${kind}: an address where another node answers is no link`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      const b = await network.start({ isHidden: true, peers: () => [] });
      const absent = createIdentity(kind);
      network.allowed.add(absent.peerId);
      network.addresses.set(absent.peerId, { ...b.address, peerId: absent.peerId });
      a.links.refresh();
      await until("a has tried", () => (a.links.stats().peers[0]?.dials ?? 0) >= 2);
      assert.deepEqual(a.ups, []);
      assert.deepEqual(b.ups, []);
    }));

  test(`links of ${kind}: a newer connection of the same peer replaces the older`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      const first = await network.start({ isHidden: true });
      await until("linked", () => linked(a, first));
      const double = await network.start({ isHidden: true, identity: first.identity });
      await until("the double is linked", () => double.ups.length > 0);
      await until("the first lost its link", () => first.downs.length > 0);
      assert.equal(a.links.connected().length, 1);
      assert.equal(a.links.stats().peers.length, 1);
    }));

  test(`links of ${kind}: sending to nobody, too much, or after the end is false`, () =>
    withNetwork(
      async (network) => {
        const [a, b] = [await network.start(), await network.start()];
        await until("linked", () => linked(a, b));
        const to = b.identity.peerId;
        assert.equal(a.links.send("00".repeat(lengthsOf(kind).publicKey), "sync", utf8("x")), false);
        assert.equal(a.links.send(to, "transactions", new Uint8Array(1_001)), false);
        assert.equal(a.links.send(to, "transactions", new Uint8Array(1_000)), true);
        await a.links.stop();
        assert.equal(a.links.send(to, "sync", utf8("x")), false);
        assert.deepEqual(a.links.connected(), []);
        assert.deepEqual(a.downs, [], "a node that stops is not told that it stops");
      },
      {
        maxFrameBytes: { consensus: 1_000, batches: 1_000, sync: 1_000, transactions: 1_000, discovery: 100 },
      },
    ));

  test(`links of ${kind}: what waits for a slow peer is bounded; transactions give way, votes arrive`, () =>
    withNetwork(
      async (network) => {
        const a = await network.start();
        // It accepts little in a second, so that the queue before it fills up.
        const slow = await network.start({ limits: { inboundBytesPerSecond: 2_000_000 } });
        await until("linked", () => linked(a, slow) && bothWays(a));
        const to = slow.identity.peerId;
        const batch = new Uint8Array(100_000);
        let [accepted, sent] = [0, 0];
        while (accepted === sent && sent < 1_000) {
          sent += 1;
          if (a.links.send(to, "transactions", batch)) accepted += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.ok(accepted < sent, "the queue must fill");
        assert.ok((a.links.stats().peers[0]?.queuedBytes ?? 0) <= 1_000_000);
        for (let vote = 0; vote < 100; vote++)
          assert.equal(a.links.send(to, "consensus", utf8(`vote ${vote}`)), true);
        const votes = (): number => slow.received.filter((frame) => frame.channel === "consensus").length;
        await until("all votes came", () => votes() === 100);
        const { dropped } = a.links.stats().peers[0]!;
        assert.equal(dropped.consensus, 0);
        assert.ok(dropped.transactions >= 1);
        assert.deepEqual(a.downs, []);
      },
      { maxQueuedBytes: 1_000_000 },
    ));

  test(`links of ${kind}: a taken port is network/port-taken`, () =>
    withNetwork(async (network) => {
      const a = await network.start();
      await assert.rejects(network.start({ port: a.address.port }), { code: "network/port-taken" });
      // An address kept for documentation (RFC 5737): no machine has it.
      await assert.rejects(network.start({ host: "203.0.113.1" }), { code: "network/cannot-listen" });
    }));
}

for (const kind of IDENTITY_KINDS) testLinks(kind);
