import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { type Bytes, concatBytes, createRandom, utf8 } from "@ostrom/base";
import { CONTROL_CODES, controlFrame } from "./frame-codec.ts";
import { createIdentity, type Identity } from "./identity.ts";
import type { LinkLimits } from "./limits.ts";
import type { HostPort } from "./network-group.ts";
import { SM_RECORD_TYPES } from "./sm-records.ts";
import { attack as attackAny, refused } from "./testing/attacked-node.ts";
import { type TestNode, until } from "./testing/nodes.ts";
import { rawFrame } from "./testing/raw-client.ts";
import { dialStream, type StreamClient } from "./testing/stream-client.ts";

const HELLO = controlFrame(CONTROL_CODES.hello);
const HOST = "127.0.0.1";
const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

function attack(work: Parameters<typeof attackAny>[0], limits: Partial<LinkLimits> = {}): Promise<void> {
  return attackAny(work, limits, "sm2");
}

const idle = (node: TestNode): Promise<void> =>
  until("nothing is pending", () => node.links.stats().pending === 0);
const textsOf = (node: TestNode): readonly string[] =>
  node.received.map(({ payload }) => new TextDecoder().decode(payload));

async function greet(node: TestNode, insider: Identity, at: HostPort = node.address): Promise<StreamClient> {
  const client = await dialStream(insider, at);
  client.stream.write(HELLO);
  await until("welcome came", () => client.frames.length > 0);
  return client;
}

function plain({ address }: TestNode): Socket {
  const socket = connectPlain(address.port, address.host);
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

type Forward = (record: Bytes, number: number) => readonly Bytes[];

/** A stretch of the way to a node, whose owner may do with the records of whoever dials as he likes; hello is number 0, proof 1. What was sent, in
 * order, is in `seen`. */
async function relayTo(
  node: TestNode,
  forward: Forward = (record) => [record],
): Promise<{ readonly at: HostPort; readonly seen: Bytes[] }> {
  const seen: Bytes[] = [];
  const server = createServer((socket) => {
    const onward = plain(node);
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 3 && rest.length >= 3 + rest.readUInt16BE(1)) {
        const record = rest.subarray(0, 3 + rest.readUInt16BE(1));
        rest = rest.subarray(record.length);
        for (const out of forward(record, seen.length)) onward.write(out);
        seen.push(record);
      }
    });
    onward.on("data", (chunk) => socket.write(chunk));
    socket.on("error", () => {});
    socket.on("close", () => onward.destroy());
    onward.on("close", () => socket.destroy());
  });
  servers.push(server);
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  return { at: { host: HOST, port }, seen };
}

test("SM links: garbage, TLS or HTTP in the place of a handshake end the connection", () =>
  attack(async (node) => {
    const garbage = [createRandom(1).bytes(1_000), utf8("GET / HTTP/1.1\r\n\r\n"), new Uint8Array(20_000)];
    for (const bytes of [...garbage, Uint8Array.of(0x16, 3, 1, 2, 0, 1), Uint8Array.of(1, 0, 0)]) {
      const socket = plain(node);
      socket.write(bytes);
      await once(socket, "close");
    }
    await until("all were counted", () => refused(node, "network/failed-handshake") === 5);
    await idle(node);
  }));

test("SM links: nodes with other kinds of identities are never linked, whoever dials: there is nothing to fall back to", () =>
  attack(async (node, _insider, network) => {
    for (const kind of ["ed25519", "ml-dsa-44"] as const) {
      const identity = createIdentity(kind);
      network.allowed.add(identity.peerId);
      await assert.rejects(dialStream(identity, node.address), /handshake failed/);
      const other = await network.start({ identity, peers: () => [node.address] });
      await assert.rejects(dialStream(createIdentity("sm2"), other.address), /handshake failed/);
      await until("it has dialed", () => (other.links.stats().peers[0]?.dials ?? 0) >= 2);
      assert.deepEqual(other.ups, []);
      await other.links.stop();
    }
    assert.deepEqual(node.ups, []);
  }));

test("SM links: an unknown key and the node's own are refused, and nothing that they send is looked at", () =>
  attack(async (node) => {
    const unknown = await dialStream(createIdentity("sm2"), node.address);
    unknown.stream.write(concatBytes(HELLO, rawFrame("consensus", utf8("vote"))));
    await unknown.ended;
    const itself = await dialStream(node.identity, node.address);
    await itself.ended;
    assert.equal(refused(node, "network/not-allowed"), 1);
    assert.equal(refused(node, "network/own-identity"), 1);
    assert.deepEqual([node.received, node.ups, unknown.frames], [[], [], []]);
  }));

test("SM links: a peer that breaks the protocol of frames is dropped and banned", () =>
  attack(async (node, insider) => {
    const client = await greet(node, insider);
    client.stream.write(Uint8Array.of(0, 0, 0, 1, 9, 1));
    await client.ended;
    assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/unknown-channel" }]);
    const again = await dialStream(insider, node.address);
    await again.ended;
    assert.equal(refused(node, "network/banned"), 1);
  }));

test("SM links: whoever begins slowly, byte by byte, or stops in the middle, is dropped in time", () =>
  attack(
    async (node, insider) => {
      const { at, seen } = await relayTo(node);
      const client = await greet(node, insider, at);
      client.stream.destroy();
      await idle(node);
      const [hello] = seen as [Bytes, Bytes];
      const silent = plain(node);
      const halfway = plain(node);
      halfway.write(hello);
      const trickling = plain(node);
      let offset = 0;
      const pouring = setInterval(() => {
        if (offset < hello.length - 1) trickling.write(hello.subarray(offset, ++offset));
      }, 5);
      const afterwards = await dialStream(insider, node.address);
      assert.ok(node.links.stats().pending >= 3);
      await Promise.all([
        // Not `once` of node:events: who still writes may be reset, and that is an end too.
        ...[silent, halfway, trickling].map(
          (socket) => new Promise<void>((closed) => socket.once("close", () => closed())),
        ),
        afterwards.ended,
      ]);
      clearInterval(pouring);
      await idle(node);
      assert.ok(refused(node, "network/failed-handshake") >= 3);
    },
    { handshakeTimeoutMs: 400 },
  ));

test("SM links: a peer that trickles a record without ever ending it is idle", () =>
  attack(
    async (node, insider) => {
      const { at } = await relayTo(node, (record, number) =>
        // Of its last record, all but the last byte arrives.
        number < 3 ? [record] : [record.subarray(0, record.length - 1)],
      );
      const client = await greet(node, insider, at);
      client.stream.write(rawFrame("consensus", utf8("vote")));
      await client.ended;
      assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/idle" }]);
      assert.deepEqual(node.received, []);
    },
    { idleTimeoutMs: 750 },
  ));

test("SM links: half-open connections are bounded, and so is what they make a node compute; links that stand go on", () =>
  attack(
    async (node, insider) => {
      const { at, seen } = await relayTo(node);
      const client = await greet(node, insider, at);
      const hello = seen[0]!;
      let answers = 0;
      const sockets = Array.from({ length: 40 }, () => {
        const socket = plain(node);
        socket.once("data", () => {
          answers += 1;
        });
        socket.write(hello);
        return socket;
      });
      await until("the rest was refused", () => refused(node, "network/too-many-from-address") === 10);
      assert.equal(node.links.stats().pending, 30);
      client.stream.write(rawFrame("consensus", utf8("vote")));
      await until("a vote comes in between", () => node.received.length === 1);
      // Of the 20 steps that may come at once the link has taken two; five come later in each second.
      assert.ok(answers <= 25, `${answers} answers`);
      assert.equal(client.isEnded(), false);
      for (const socket of sockets) socket.destroy();
      await idle(node);
      client.stream.destroy();
    },
    { maxPendingPerAddress: 30, maxHandshakeStepsPerSecond: 10 },
  ));

const vote = (text: string): Bytes => rawFrame("consensus", utf8(text));
/** The first record after the greeting. */
const FIRST_VOTE = 3;

const TAMPERING: readonly [what: string, forward: Forward, arrived: readonly string[]][] = [
  [
    "turns a bit",
    (record, number) => {
      const bent = Uint8Array.from(record);
      if (number === FIRST_VOTE + 1) bent[record.length - 20]! ^= 4;
      return [bent];
    },
    ["one"],
  ],
  ["doubles a record", (record, number) => (number === FIRST_VOTE ? [record, record] : [record]), ["one"]],
  ["leaves a record out", (record, number) => (number === FIRST_VOTE ? [] : [record]), []],
  [
    "cuts a record",
    (record, number) => (number === FIRST_VOTE + 1 ? [record.subarray(0, record.length - 1)] : [record]),
    ["one"],
  ],
  [
    "puts in a record of its own",
    (record, number) =>
      number === FIRST_VOTE + 1
        ? [concatBytes(Uint8Array.of(SM_RECORD_TYPES.data, 0, 40), new Uint8Array(40)), record]
        : [record],
    ["one"],
  ],
  [
    "makes a record longer than any",
    (record, number) =>
      number === FIRST_VOTE + 1 ? [Uint8Array.of(SM_RECORD_TYPES.data, 0xff, 0xff), record] : [record],
    ["one"],
  ],
  [
    "begins another handshake",
    (record, number) =>
      number === FIRST_VOTE + 1 ? [Uint8Array.of(SM_RECORD_TYPES.hello, 0, 9), record] : [record],
    ["one"],
  ],
];

for (const [what, forward, arrived] of TAMPERING) {
  test(`SM links: who stands in between and ${what} ends the connection, and gets nobody banned`, () =>
    attack(async (node, insider) => {
      const { at } = await relayTo(node, forward);
      const client = await greet(node, insider, at);
      for (const text of ["one", "two", "three"]) client.stream.write(vote(text));
      await client.ended;
      await until("it is down", () => node.downs.length === 1);
      assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/broken" }]);
      assert.deepEqual(textsOf(node), arrived);
      assert.equal(node.links.stats().peers[0]?.strikes, 0);
      const again = await greet(node, insider);
      again.stream.destroy();
    }));
}

test("SM links: records in another order end the connection", () =>
  attack(async (node, insider) => {
    let held: Bytes = new Uint8Array(0);
    const { at } = await relayTo(node, (record, number) => {
      if (number === FIRST_VOTE) held = record;
      return number < FIRST_VOTE ? [record] : number === FIRST_VOTE ? [] : [record, held];
    });
    const client = await greet(node, insider, at);
    for (const text of ["one", "two"]) client.stream.write(vote(text));
    await client.ended;
    assert.deepEqual(node.received, []);
  }));

test("SM links: a session, sent again as it was on the wire, is no session", () =>
  attack(async (node, insider) => {
    const { at, seen } = await relayTo(node);
    const client = await greet(node, insider, at);
    client.stream.write(vote("once"));
    await until("the frame came", () => node.received.length === 1);
    client.stream.destroy();
    await idle(node);
    const replay = plain(node);
    for (const record of seen) replay.write(record);
    await once(replay, "close");
    assert.deepEqual(textsOf(node), ["once"]);
    assert.equal(node.ups.length, 1);
  }));

test("SM links: a peer that sends but never reads is dropped, and costs a bounded queue until then", () =>
  attack(
    async (node, insider) => {
      const client = await greet(node, insider);
      client.stream.pause();
      const pinging = setInterval(() => client.stream.write(controlFrame(CONTROL_CODES.ping)), 20);
      const batch = new Uint8Array(50_000);
      while (node.downs.length === 0) {
        for (let count = 0; count < 20; count++) node.links.send(insider.peerId, "sync", batch);
        assert.ok((node.links.stats().peers[0]?.queuedBytes ?? 0) <= 2_000_000);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      clearInterval(pinging);
      assert.deepEqual(node.downs, [{ peerId: insider.peerId, reason: "network/stalled" }]);
      client.stream.destroy();
    },
    { stallTimeoutMs: 500, maxQueuedBytes: 2_000_000 },
  ));

test("SM links: a frame of 8 MB is sealed bit by bit: the event loop turns in between, and pings go on", () =>
  attack(async (node, insider) => {
    const client = await greet(node, insider);
    const before = client.frames.length;
    let turns = 0;
    let isTurning = true;
    const turn = (): void => {
      turns += 1;
      if (isTurning) setImmediate(turn);
    };
    assert.equal(node.links.send(insider.peerId, "sync", new Uint8Array(8_000_000).fill(3)), true);
    setImmediate(turn);
    await until("it came", () => client.frames.length > before);
    isTurning = false;
    assert.equal(client.frames.at(-1)?.[1].length, 8_000_000);
    assert.ok(turns > 8_000_000 / (256 * 1024) / 2, `${turns} turns`);
    client.stream.destroy();
  }));
