import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, utf8 } from "@ostrom/base";
import { CONTROL_CODES, controlFrame } from "./frame-codec.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { selfSignedCertificate } from "./self-signed-certificate.ts";
import { attack, refused } from "./testing/attacked-node.ts";
import { type TestNode, until } from "./testing/nodes.ts";
import { dialRaw, PROTOCOL_NAME, type RawClient, rawFrame, rawOptions } from "./testing/raw-client.ts";

const HELLO = controlFrame(CONTROL_CODES.hello);
const PING = controlFrame(CONTROL_CODES.ping);

async function greet(node: TestNode, insider: Identity): Promise<RawClient> {
  const client = await dialRaw(node.address, rawOptions(insider));
  client.socket.write(HELLO);
  await until("welcome came", () => client.frames.length > 0);
  assert.deepEqual(client.frames[0], ["control", Uint8Array.of(CONTROL_CODES.welcome)]);
  return client;
}

function plain(node: TestNode): Socket {
  const socket = connectPlain(node.address.port, node.address.host);
  socket.on("error", () => {});
  // Who does not read does not learn of the end.
  socket.resume();
  return socket;
}

test("links: a client of TLS 1.2 is refused", () =>
  attack(async (node, insider) => {
    const options = { ...rawOptions(insider), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
    await assert.rejects(dialRaw(node.address, options), /protocol version/);
  }));

test("links: an unknown key is refused, and nothing that it sends is looked at", () =>
  attack(async (node) => {
    const client = await dialRaw(node.address, rawOptions(createIdentity()));
    client.socket.write(concatBytes(HELLO, rawFrame("consensus", utf8("vote"))));
    await client.ended;
    assert.equal(refused(node, "network/not-allowed"), 1);
    assert.deepEqual([node.received, node.ups, client.frames], [[], [], []]);
  }));

test("links: no certificate, or one of another kind of key, is refused", () =>
  attack(async (node) => {
    const anonymous = await dialRaw(node.address, rawOptions(undefined));
    await anonymous.ended;
    assert.equal(refused(node, "network/no-identity"), 1);

    const ed25519 = generateKeyPairSync("ed25519");
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const client = await dialRaw(node.address, {
      ...rawOptions(undefined),
      key: elliptic.privateKey.export({ format: "pem", type: "pkcs8" }),
      cert: selfSignedCertificate(elliptic.publicKey, ed25519),
    });
    await client.ended;
    assert.equal(refused(node, "network/no-identity"), 2);
    assert.deepEqual(node.ups, []);
  }));

test("links: a client that names no protocol, or another, is refused", () =>
  attack(async (node, insider) => {
    const { ALPNProtocols: _, ...silent } = rawOptions(insider);
    const client = await dialRaw(node.address, silent);
    await client.ended;
    await assert.rejects(
      dialRaw(node.address, { ...rawOptions(insider), ALPNProtocols: [`${PROTOCOL_NAME}2`] }),
      /no application protocol/,
    );
    assert.deepEqual(node.ups, []);
  }));

test("links: the node's own identity is refused", () =>
  attack(async (node) => {
    const client = await dialRaw(node.address, rawOptions(node.identity));
    await client.ended;
    assert.equal(refused(node, "network/own-identity"), 1);
  }));

test("links: garbage in the place of TLS ends the connection", () =>
  attack(async (node) => {
    for (const garbage of [
      createRandom(1).bytes(1_000),
      utf8("GET / HTTP/1.1\r\n\r\n"),
      new Uint8Array(20_000),
    ]) {
      const socket = plain(node);
      socket.write(garbage);
      await once(socket, "close");
    }
    assert.ok(refused(node, "network/failed-handshake") >= 2);
    await until("nothing is pending", () => node.links.stats().pending === 0);
  }));

test("links: whoever connects and says nothing is dropped, before TLS and after it", () =>
  attack(
    async (node, insider) => {
      const silent = plain(node);
      const client = await dialRaw(node.address, rawOptions(insider));
      assert.equal(node.links.stats().pending, 2);
      await Promise.all([client.ended, once(silent, "close")]);
      await until("nothing is pending", () => node.links.stats().pending === 0);
      assert.deepEqual(node.ups, []);
    },
    { handshakeTimeoutMs: 300 },
  ));

test("links: connections that are not authenticated are bounded; peers that are linked stay linked", () =>
  attack(
    async (node, insider) => {
      const client = await greet(node, insider);
      const sockets = Array.from({ length: 30 }, () => plain(node));
      await until("the rest was refused", () => refused(node, "network/too-many-from-address") === 20);
      assert.equal(node.links.stats().pending, 10);
      assert.equal(client.isEnded(), false);
      for (const socket of sockets) socket.destroy();
      await until("nothing is pending", () => node.links.stats().pending === 0);
      client.socket.destroy();
    },
    { maxPendingPerAddress: 10 },
  ));

const MISCONDUCT: readonly [what: string, bytes: Bytes, reason: string][] = [
  ["an unknown channel", concatBytes(HELLO, Uint8Array.of(0, 0, 0, 1, 9, 1)), "network/unknown-channel"],
  ["a frame too long", concatBytes(HELLO, Uint8Array.of(255, 255, 255, 255, 1)), "network/frame-too-long"],
  ["random bytes", concatBytes(HELLO, createRandom(1).bytes(100_000)), "network/"],
  ["a second hello", concatBytes(HELLO, HELLO), "network/bad-greeting"],
  ["an unknown control code", concatBytes(HELLO, controlFrame(77)), "network/bad-greeting"],
];

for (const [what, bytes, reason] of MISCONDUCT) {
  test(`links: a peer that sends ${what} is dropped and banned for a while`, () =>
    attack(
      async (node, insider) => {
        const client = await dialRaw(node.address, rawOptions(insider));
        client.socket.write(bytes);
        await client.ended;
        await until("it is down", () => node.downs.length === 1);
        assert.equal(node.downs[0]?.peerId, insider.peerId);
        assert.ok(node.downs[0]?.reason.startsWith(reason), node.downs[0]?.reason);

        const again = await dialRaw(node.address, rawOptions(insider));
        again.socket.write(HELLO);
        await again.ended;
        assert.equal(refused(node, "network/banned"), 1);
        assert.equal(node.links.stats().peers[0]?.strikes, 1);

        let back: RawClient | undefined;
        for (let attempt = 0; back === undefined && attempt < 200; attempt++) {
          const client = await dialRaw(node.address, rawOptions(insider));
          client.socket.write(HELLO);
          await Promise.race([
            client.ended,
            until("welcome", () => client.frames.length > 0 || client.isEnded()),
          ]);
          if (client.frames.length > 0) back = client;
        }
        assert.ok(back !== undefined, "a ban ends");
        back.socket.destroy();
      },
      { minBanMs: 250, maxConnectionsPerMinute: 10_000 },
    ));
}

test("links: a frame before the greeting is misconduct", () =>
  attack(async (node, insider) => {
    const client = await dialRaw(node.address, rawOptions(insider));
    client.socket.write(concatBytes(rawFrame("consensus", utf8("vote")), HELLO));
    await client.ended;
    assert.deepEqual([node.received, node.ups], [[], []]);
    assert.equal(node.links.stats().peers[0]?.strikes, 1);
  }));

test("links: what a peer sent before it broke the protocol counts, what came after does not", () =>
  attack(async (node, insider) => {
    const client = await dialRaw(node.address, rawOptions(insider));
    const vote = (text: string): Bytes => rawFrame("consensus", utf8(text));
    client.socket.write(concatBytes(HELLO, vote("before"), Uint8Array.of(0, 0, 0, 0, 200), vote("after")));
    await client.ended;
    assert.deepEqual(
      node.received.map((frame) => new TextDecoder().decode(frame.payload)),
      ["before"],
    );
  }));

test("links: frames of an earlier session, sent again as they were on the wire, are no session", () =>
  attack(async (node, insider) => {
    const client = await greet(node, insider);
    const recorded: Bytes[] = [];
    client.socket.destroy();
    await client.ended;
    // A relay that records what a client sends, and sends the same to the node once more.
    const relay = createServer((socket) => {
      const onward = plain(node);
      socket.on("data", (chunk: Buffer) => {
        recorded.push(new Uint8Array(chunk));
        onward.write(chunk);
      });
      onward.on("data", (chunk) => socket.write(chunk));
      socket.on("error", () => {});
      socket.on("close", () => onward.destroy());
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    const { port } = relay.address() as { readonly port: number };
    const relayed = await dialRaw({ ...node.address, port }, rawOptions(insider));
    relayed.socket.write(concatBytes(HELLO, rawFrame("consensus", utf8("once"))));
    await until("the frame came", () => node.received.length === 1);
    relayed.socket.destroy();
    await relayed.ended;
    relay.close();

    const replay = plain(node);
    for (const chunk of recorded) replay.write(chunk);
    await once(replay, "close");
    assert.equal(node.received.length, 1);
  }));

test("links: a peer that went silent is dropped, one that answers pings is not", () =>
  attack(
    async (node, insider, network) => {
      const lively = createIdentity();
      network.allowed.add(lively.peerId);
      const answering = await greet(node, lively);
      answering.socket.on("data", () => answering.socket.write(controlFrame(CONTROL_CODES.pong)));
      const silent = await greet(node, insider);
      await silent.ended;
      assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/idle" }]);
      const pings = answering.frames.length;
      await until("more pings came", () => answering.frames.length >= pings + 3);
      assert.equal(answering.isEnded(), false);
      answering.socket.destroy();
    },
    { idleTimeoutMs: 750 },
  ));

test("links: a peer that sends but never reads is dropped, and costs a bounded queue until then", () =>
  attack(
    async (node, insider) => {
      const client = await greet(node, insider);
      client.socket.pause();
      const pinging = setInterval(() => client.socket.write(PING), 20);
      client.socket.on("close", () => clearInterval(pinging));
      const batch = new Uint8Array(50_000);
      while (node.downs.length === 0) {
        for (let count = 0; count < 20; count++) node.links.send(insider.peerId, "sync", batch);
        assert.ok((node.links.stats().peers[0]?.queuedBytes ?? 0) <= 2_000_000);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      clearInterval(pinging);
      assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/stalled" }]);
      client.socket.destroy();
    },
    { stallTimeoutMs: 500, maxQueuedBytes: 2_000_000 },
  ));

test("links: a flood of pings or of empty frames is slowed down, not answered without end", () =>
  attack(
    async (node, insider) => {
      const client = await greet(node, insider);
      const flood = concatBytes(
        ...Array.from({ length: 10_000 }, () => rawFrame("transactions", new Uint8Array(0))),
      );
      client.socket.write(flood);
      await until("the first second's share came", () => node.received.length > 3_000);
      assert.ok(node.received.length < 10_000, "the rest has to wait");
      await until("all came", () => node.received.length === 10_000);
      client.socket.write(concatBytes(...Array.from({ length: 10_000 }, () => PING)));
      client.socket.write(rawFrame("consensus", utf8("vote")));
      await until("the vote came", () => node.received.length === 10_001);
      client.socket.destroy();
    },
    { inboundBytesPerSecond: 1_000_000 },
  ));

test("links: a node punishes a peer for what its frames said", () =>
  attack(async (node, insider) => {
    const client = await greet(node, insider);
    node.links.punish(insider.peerId, "gossip/malformed");
    await client.ended;
    assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "gossip/malformed" }]);
    const again = await dialRaw(node.address, rawOptions(insider));
    await again.ended;
    assert.equal(refused(node, "network/banned"), 1);
  }));
