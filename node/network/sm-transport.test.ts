import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { type Bytes, concatBytes, createRandom, equalBytes } from "@ostrom/base";
import { createIdentity } from "./identity.ts";
import { linkLimitsOf } from "./limits.ts";
import type { SecureStream } from "./secure-stream.ts";
import type { SmSealLimits } from "./sm-records.ts";
import { createSmTransport } from "./sm-transport.ts";
import { realClock, until } from "./testing/nodes.ts";
import type { TransportOptions } from "./transports.ts";

const open: (() => void)[] = [];
after(() => {
  for (const close of open) close();
});
const random = createRandom(9);

function optionsOf(sealLimits?: SmSealLimits): TransportOptions & { readonly sealLimits?: SmSealLimits } {
  return {
    identity: createIdentity("sm2"),
    protocolName: "ostrom/1/test",
    limits: linkLimitsOf("sm2"),
    clock: realClock,
    entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    ...(sealLimits === undefined ? {} : { sealLimits }),
  };
}

type End = { readonly stream: SecureStream; readonly received: Bytes[]; readonly events: string[] };

function watch(stream: SecureStream): End {
  const end: End = { stream, received: [], events: [] };
  stream.listen({
    onData: (chunk) => end.received.push(chunk),
    onDrain: () => end.events.push("drain"),
    onBroken: () => end.events.push("broken"),
    onClosed: () => end.events.push("closed"),
  });
  return end;
}

/** Two ends of a channel. */
async function connect(sealLimits?: SmSealLimits): Promise<readonly [dialing: End, answering: End]> {
  const ends: End[] = [];
  const answering = createSmTransport(optionsOf(sealLimits), {
    onStream: (stream) => ends.push(watch(stream)),
    onFailed: () => {},
  });
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    answering.answer(socket);
  });
  server.listen(0, "127.0.0.1");
  open.push(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const dialing = await new Promise<End>((resolve, reject) => {
    const events = { onStream: (stream: SecureStream) => resolve(watch(stream)), onFailed: reject };
    createSmTransport(optionsOf(sealLimits), { onStream: () => {}, onFailed: () => {} }).dial(
      { host: "127.0.0.1", port },
      events,
    );
  });
  await until("both are there", () => ends.length === 1);
  open.push(() => dialing.stream.destroy());
  return [dialing, ends[0]!];
}

const lengthOf = (chunks: readonly Bytes[]): number => chunks.reduce((sum, { length }) => sum + length, 0);

test("SM streams: whatever is written, in whatever pieces, comes as it was", async () => {
  const [dialing, answering] = await connect({ recordsPerKey: 5, maxKeys: 1_000 });
  for (const [from, to] of [
    [dialing, answering],
    [answering, dialing],
  ] as const) {
    const written: Bytes[] = [];
    for (let count = 0; count < 60; count++) {
      const piece = random.bytes(random.below(count % 7 === 0 ? 90_000 : 40));
      written.push(piece);
      const isCorked = count % 3 === 0;
      if (isCorked) from.stream.cork();
      from.stream.write(piece);
      from.stream.write(new Uint8Array(0));
      if (isCorked) from.stream.uncork();
    }
    const whole = concatBytes(...written);
    await until("all came", () => lengthOf(to.received) === whole.length);
    assert.ok(equalBytes(concatBytes(...to.received), whole));
    to.received.length = 0;
  }
});

test("SM streams: who writes more than there is room for is told, and told again when there is room", async () => {
  const [dialing, answering] = await connect();
  answering.stream.pause();
  let written = 0;
  const piece = new Uint8Array(100_000);
  const fill = (): void => {
    for (let hasRoom = true; hasRoom; written += piece.length) {
      dialing.stream.cork();
      hasRoom = dialing.stream.write(piece);
      dialing.stream.uncork();
    }
  };
  for (let rounds = 0; rounds < 200; rounds++) {
    fill();
    // Until the other side's buffers are full, too.
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!dialing.events.includes("drain")) break;
    dialing.events.length = 0;
  }
  assert.deepEqual(dialing.events, []);
  assert.deepEqual(answering.received, []);
  answering.stream.resume();
  await until("all came", () => lengthOf(answering.received) === written);
  await until("there is room", () => dialing.events.includes("drain"));
});

test("SM streams: they end when the last key has sealed its last record, on both sides", async () => {
  const [dialing, answering] = await connect({ recordsPerKey: 3, maxKeys: 2 });
  for (let count = 0; count < 8; count++) dialing.stream.write(Uint8Array.of(count));
  await until("both have ended", () => [dialing, answering].every(({ events }) => events.includes("closed")));
  assert.ok(dialing.events.includes("broken"));
  assert.ok(lengthOf(answering.received) <= 6);
});

test("SM streams: a side whose keys last longer is not followed beyond the other's last", async () => {
  const received: Bytes[] = [];
  const events: string[] = [];
  const answering = createSmTransport(optionsOf({ recordsPerKey: 3, maxKeys: 1 }), {
    onStream: (stream) =>
      stream.listen({
        onData: (chunk) => received.push(chunk),
        onDrain: () => {},
        onBroken: () => {
          events.push("broken");
          stream.destroy();
        },
        onClosed: () => events.push("closed"),
      }),
    onFailed: () => {},
  });
  const server = createServer((socket: Socket) => answering.answer(socket));
  server.listen(0, "127.0.0.1");
  open.push(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  createSmTransport(optionsOf({ recordsPerKey: 3, maxKeys: 9 }), {
    onStream: () => {},
    onFailed: () => {},
  }).dial(
    { host: "127.0.0.1", port },
    {
      onStream: (stream) => {
        for (let count = 0; count < 6; count++) stream.write(Uint8Array.of(count));
      },
      onFailed: () => {},
    },
  );
  await until("it has ended", () => events.includes("closed"));
  assert.deepEqual(events, ["broken", "closed"]);
  assert.deepEqual(received, [Buffer.of(0), Buffer.of(1), Buffer.of(2)]);
});
