import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { toHex } from "@ostrom/base";
import { WebSocket } from "ws";
import { createRpcServer, type RpcServer } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import type { RpcAnswer } from "./testing/http-client.ts";

type Message = RpcAnswer & {
  readonly method?: string;
  readonly params?: { subscription: string; result: unknown };
};

/** A WebSocket client that hands out its messages one after the other. */
type Client = {
  readonly socket: WebSocket;
  readonly send: (value: unknown) => void;
  readonly next: () => Promise<Message>;
  readonly closed: Promise<number>;
};

async function open(url: string, origin?: string): Promise<Client> {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  const received: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString()) as Message;
    const first = waiting.shift();
    if (first === undefined) received.push(message);
    else first(message);
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("error", () => undefined);
  return {
    socket,
    send: (value) => socket.send(typeof value === "string" ? value : JSON.stringify(value)),
    next: () => {
      const first = received.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
    closed,
  };
}

const request = (id: number, method: string, params: readonly unknown[] = []): unknown => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

describe("WebSocket", () => {
  const backend = createFakeBackend();
  let server: RpcServer;
  let url = "";

  before(async () => {
    server = createRpcServer({
      backend,
      port: 0,
      limits: {
        webSocketMessageBytes: 100_000,
        webSocketSubscriptions: 2,
        webSocketSendBufferBytes: 1_000_000,
        webSocketPingMs: 50,
      },
    });
    url = `ws://127.0.0.1:${(await server.start()).port}`;
  });
  after(() => server.stop());

  test("answers requests and batches as HTTP does", async () => {
    const client = await open(url);
    client.send(request(1, "eth_chainId"));
    assert.deepEqual(await client.next(), { jsonrpc: "2.0", id: 1, result: "0x539" });
    client.send([request(2, "eth_chainId"), request(3, "nope")]);
    const answers = (await client.next()) as unknown as RpcAnswer[];
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]),
      [
        [2, undefined],
        [3, -32601],
      ],
    );
    client.send("{");
    assert.equal((await client.next()).error?.code, -32700);
    client.socket.close();
  });

  test("refuses a foreign page and lets wallets in", async () => {
    await assert.rejects(open(url, "https://evil.example"), /403/);
    const wallet = await open(url, "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn");
    wallet.socket.close();
    await wallet.closed;
  });

  test("tells new heads after the subscription's id, until it is ended", async () => {
    const client = await open(url);
    client.send(request(1, "eth_subscribe", ["newHeads"]));
    const id = (await client.next()).result;
    const block = backend.grow();
    const news = await client.next();
    assert.deepEqual([news.method, news.params?.subscription], ["eth_subscription", id]);
    const head = news.params?.result as { hash: string; number: string };
    assert.deepEqual([head.hash, head.number], [toHex(block.hash), `0x${block.header.number.toString(16)}`]);
    client.send(request(2, "eth_unsubscribe", [id]));
    assert.equal((await client.next()).result, true);
    backend.grow();
    client.send(request(3, "eth_unsubscribe", [id]));
    assert.equal((await client.next()).error?.code, -32000);
    client.socket.close();
  });

  test("tells the hashes of pending transactions", async () => {
    const client = await open(url);
    client.send(request(1, "eth_subscribe", ["newPendingTransactions"]));
    await client.next();
    const { hash } = backend.grow();
    for (const listener of backend.listeners) listener.onPendingTransactions?.([hash]);
    assert.equal((await client.next()).params?.result, toHex(hash));
    client.socket.close();
  });

  test("subscriptions need a WebSocket, a known subject and room below the limit", async () => {
    const client = await open(url);
    client.send(request(1, "eth_subscribe", ["nope"]));
    assert.equal((await client.next()).error?.code, -32602);
    client.send(request(1, "eth_subscribe", ["logs", { topics: ["0x1"] }]));
    assert.equal((await client.next()).error?.code, -32602);
    for (let i = 0; i < 2; i++) {
      client.send(request(i, "eth_subscribe", ["logs"]));
      assert.equal(typeof (await client.next()).result, "string");
    }
    client.send(request(4, "eth_subscribe", ["newHeads"]));
    assert.equal((await client.next()).error?.code, -32005);
    client.socket.close();
    const http = await fetch(url.replace("ws", "http"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request(1, "eth_subscribe", ["newHeads"])),
    });
    assert.equal(((await http.json()) as RpcAnswer).error?.code, -32601);
  });

  test("drops a client that sends too large a message", async () => {
    const client = await open(url);
    client.send(`"${"x".repeat(200_000)}"`);
    assert.equal(await client.closed, 1009);
  });

  test("drops a client that does not read what it asked for", async () => {
    const client = await open(url);
    client.socket.pause();
    const batch = JSON.stringify(
      Array.from({ length: 500 }, (_, id) => request(id, "eth_getBlockByNumber", ["latest"])),
    );
    const sending = setInterval(() => {
      for (let i = 0; i < 10; i++) client.socket.send(batch);
    }, 1);
    while (server.connections().webSockets > 0) await new Promise((resolve) => setImmediate(resolve));
    clearInterval(sending);
    client.socket.terminate();
  });

  test("drops a client that answers no pings", async () => {
    const { port } = new URL(url);
    const key = Buffer.alloc(16).toString("base64");
    const silent = connect(Number(port), "127.0.0.1", () =>
      silent.write(
        `GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
      ),
    );
    silent.on("error", () => undefined);
    silent.resume();
    await new Promise((resolve) => silent.on("close", resolve));
  });

  test("says goodbye to its clients when it stops", async () => {
    const other = createRpcServer({ backend: createFakeBackend(), port: 0 });
    const client = await open(`ws://127.0.0.1:${(await other.start()).port}`);
    await other.stop();
    assert.ok([1001, 1006].includes(await client.closed));
  });
});
