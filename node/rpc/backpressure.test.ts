import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { type Failure, fail, type Hash, hashFromWord, ok, type Result } from "@ostrom/base";
import { WebSocket } from "ws";
import type { RpcLimits } from "./limits.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { call, post, type RpcAnswer, result } from "./testing/http-client.ts";
import { transfer } from "./testing/raw-transactions.ts";

type Submit = (raws: readonly Uint8Array[]) => Promise<readonly Result<Hash, Failure>[]>;

/** A server whose pool answers as the test says. */
async function serve(
  submit: Submit,
  limits: Partial<RpcLimits>,
  use: (url: string, server: RpcServer, port: number) => Promise<void>,
): Promise<void> {
  const fake = createFakeBackend();
  const server = createRpcServer({
    backend: { ...fake, pool: { ...fake.pool, submit } },
    port: 0,
    limits,
    log: (level, message, fields) => console.error(level, message, fields),
  });
  const { port } = await server.start();
  try {
    await use(`http://127.0.0.1:${port}`, server, port);
  } finally {
    await server.stop();
  }
}

const { raw } = transfer(0);
const batchOf = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_sendRawTransaction",
      params: [raw],
    })),
  );
const sendBatch = async (url: string, count: number): Promise<readonly RpcAnswer[]> => {
  const { status, text } = await post(url, batchOf(count));
  assert.equal(status, 200);
  return JSON.parse(text) as RpcAnswer[];
};

test("while the pool is slow, more writes hear -32005 with a hint, and reads are answered", async () => {
  const slow = Promise.withResolvers<void>();
  let asked = 0;
  const submit: Submit = async (raws) => {
    asked += raws.length;
    await slow.promise;
    return raws.map(() => ok(hashFromWord(1n)));
  };
  await serve(submit, { submittedTransactions: 100 }, async (url) => {
    const first = sendBatch(url, 100);
    while (asked < 100) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of await sendBatch(url, 10)) {
      assert.equal(answer.error?.code, -32005);
      assert.deepEqual(answer.error.data, { reason: "rpc/busy", retryAfterMs: 100 });
    }
    const alone = await call(url, "eth_sendRawTransaction", [raw]);
    assert.equal(alone.error?.code, -32005);
    assert.equal(await result(url, "eth_getBalance", [`0x${"00".repeat(20)}`, "latest"]), "0x0");
    assert.equal(asked, 100);
    slow.resolve();
    assert.ok((await first).every(({ error }) => error === undefined));
    assert.equal((await call(url, "eth_sendRawTransaction", [raw])).error, undefined);
  });
});

test("a pool without room is told as busy, in geth's words", async () => {
  const submit: Submit = async (raws) => raws.map(() => fail("txpool/full", "no room"));
  await serve(submit, {}, async (url) => {
    const [answer] = await sendBatch(url, 1);
    assert.equal(answer?.error?.code, -32005);
    assert.match(answer.error.message, /^txpool is full/);
    assert.deepEqual(answer.error.data, { reason: "txpool/full", retryAfterMs: 1_000 });
  });
});

test("each call of a batch has its own answer, in order, whatever is wrong with its neighbours", async () => {
  const submit: Submit = async (raws) => raws.map((bytes) => ok(hashFromWord(BigInt(bytes.length))));
  await serve(submit, {}, async (url) => {
    const send = (id: unknown, ...params: unknown[]) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_sendRawTransaction",
      params,
    });
    const { text } = await post(
      url,
      JSON.stringify([
        send(1, "0x0201"),
        send("two", "0x02zz"),
        send(3),
        send(4, "0x02", "0x02"),
        { jsonrpc: "2.0", method: "eth_sendRawTransaction", params: ["0x02"] },
        send(6, 7),
        { jsonrpc: "2.0", id: 7, method: "eth_chainId" },
        send(8, "0x030303"),
        send({}, "0x02"),
        send(null, "0x020202"),
      ]),
    );
    const answers = JSON.parse(text) as RpcAnswer[];
    assert.deepEqual(
      answers.map(({ id, result: hash, error }) => [id, error?.code ?? hash]),
      [
        [1, `0x${"2".padStart(64, "0")}`],
        ["two", -32602],
        [3, -32602],
        [4, -32602],
        [6, -32602],
        [7, "0x539"],
        [8, -32000],
        [null, -32600],
        [null, `0x${"3".padStart(64, "0")}`],
      ],
    );
    assert.match(answers[1]!.error!.message, /^invalid argument 0: invalid hex string/);
    assert.match(answers[2]!.error!.message, /^missing value for required argument 0/);
    assert.match(answers[3]!.error!.message, /^too many arguments, want at most 1/);
  });
});

test("who sends requests ahead without reading is answered 503 beyond the limit of its connection", async () => {
  const slow = Promise.withResolvers<void>();
  const submit: Submit = async (raws) => {
    await slow.promise;
    return raws.map(() => ok(hashFromWord(1n)));
  };
  await serve(submit, { connectionRequests: 4 }, async (url, server, port) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: [raw] });
    const one = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(one.repeat(10)));
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    while (server.connections().requestsInFlight < 4) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await result(url, "eth_chainId"), "0x539");
    slow.resolve();
    while (text.split("HTTP/1.1 ").length - 1 < 10) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(text.split("HTTP/1.1 200").length - 1, 4);
    assert.equal(text.split("HTTP/1.1 503").length - 1, 6);
    assert.match(text, /retry-after: 1\r\n/);
    socket.destroy();
  });
});

test("bodies that are being received or worked on never exceed their limit together", async () => {
  const slow = Promise.withResolvers<void>();
  const submit: Submit = async (raws) => {
    await slow.promise;
    return raws.map(() => ok(hashFromWord(1n)));
  };
  await serve(submit, { receivedBytes: 10_000 }, async (url, server) => {
    const first = sendBatch(url, 30);
    while (server.connections().requestsInFlight < 1) await new Promise((resolve) => setImmediate(resolve));
    const refused = await post(url, batchOf(30));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    const { error } = JSON.parse(refused.text) as RpcAnswer;
    assert.deepEqual([error?.code, error?.data], [-32005, { reason: "rpc/busy", retryAfterMs: 1_000 }]);
    assert.equal(await result(url, "eth_chainId"), "0x539");
    slow.resolve();
    await first;
    assert.equal((await sendBatch(url, 30)).length, 30);
  });
});

test("over WebSocket a refusal carries the id of each request", async () => {
  const slow = Promise.withResolvers<void>();
  const submit: Submit = async (raws) => {
    await slow.promise;
    return raws.map(() => ok(hashFromWord(1n)));
  };
  await serve(submit, { concurrentRequests: 1, batchRequests: 2 }, async (url) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    await new Promise((resolve) => socket.once("open", resolve));
    const next = (): Promise<unknown> =>
      new Promise((resolve) => socket.once("message", (text) => resolve(JSON.parse(String(text)))));
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: [raw] }));
    const refused = next();
    socket.send(JSON.stringify([{ jsonrpc: "2.0", id: "a", method: "eth_chainId" }]));
    const [answer] = (await refused) as RpcAnswer[];
    assert.deepEqual([answer?.id, answer?.error?.code], ["a", -32005]);
    const tooLong = next();
    socket.send("[1,2,3]");
    const whole = (await tooLong) as RpcAnswer;
    assert.deepEqual([whole.id, whole.error?.code], [null, -32005], "a batch beyond the limit, once");
    const first = next();
    slow.resolve();
    assert.equal(((await first) as RpcAnswer).id, 1);
    socket.terminate();
  });
});
