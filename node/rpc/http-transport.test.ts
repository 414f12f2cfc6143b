import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { createRpcServer, type RpcServer, RpcStartError } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { call, post, type RpcAnswer } from "./testing/http-client.ts";

const CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';

describe("HTTP", () => {
  const blocked = Promise.withResolvers<{ pending: number; queued: number }>();
  const backend = createFakeBackend();
  let server: RpcServer;
  let port = 0;
  let url = "";

  before(async () => {
    server = createRpcServer({
      backend: { ...backend, pool: { ...backend.pool, status: () => blocked.promise } },
      port: 0,
      allowedOrigins: ["https://app.example.org"],
      limits: { bodyBytes: 1_000, concurrentRequests: 3, receiveTimeoutMs: 300 },
    });
    port = (await server.start()).port;
    url = `http://127.0.0.1:${port}`;
  });
  after(() => server.stop());

  /** fetch would not let a test set Host or Origin. */
  const raw = (
    method: string,
    headers: Readonly<Record<string, string>>,
    body = "",
    path = "/",
  ): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });

  test("refuses a rebound host name with 403 and says what to do", async () => {
    const answer = await raw(
      "POST",
      { host: "evil.example:8545", "content-type": "application/json" },
      CHAIN_ID,
    );
    assert.equal(answer.status, 403);
    assert.match((JSON.parse(answer.text) as RpcAnswer).error?.message ?? "", /rpc\.allowedHosts/);
    assert.equal((await raw("GET", { host: "evil.example" })).status, 403);
  });

  test("refuses a foreign page with 403, for the preflight too, and serves wallets", async () => {
    const json = { "content-type": "application/json" };
    const evil = await raw("POST", { ...json, origin: "https://evil.example" }, CHAIN_ID);
    assert.equal(evil.status, 403);
    assert.equal(evil.headers["access-control-allow-origin"], undefined);
    assert.equal((await raw("OPTIONS", { origin: "https://evil.example" })).status, 403);
    for (const origin of ["chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn", "https://app.example.org"]) {
      const good = await raw("POST", { ...json, origin }, CHAIN_ID);
      assert.deepEqual([good.status, good.headers["access-control-allow-origin"]], [200, origin]);
    }
  });

  test("answers a CORS preflight of an allowed page", async () => {
    const answer = await raw("OPTIONS", {
      origin: "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
      "access-control-request-private-network": "true",
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers["access-control-allow-origin"], "http://localhost:3000");
    assert.match(String(answer.headers["access-control-allow-methods"]), /POST/);
    assert.match(String(answer.headers["access-control-allow-headers"]), /content-type/);
    assert.equal(answer.headers["access-control-allow-private-network"], "true");
    assert.equal(answer.headers.vary, "Origin");
  });

  test("takes JSON only, so that a foreign form cannot post", async () => {
    assert.equal((await raw("POST", { "content-type": "text/plain" }, CHAIN_ID)).status, 415);
    assert.equal(
      (await raw("POST", { "content-type": "application/json; charset=utf-8" }, CHAIN_ID)).status,
      200,
    );
    assert.equal((await raw("POST", {}, CHAIN_ID)).status, 200);
  });

  test("tells the state of the node to GET, and refuses other methods and paths", async () => {
    const health = await raw("GET", {});
    assert.equal(health.status, 200);
    const { chainId, latest } = JSON.parse(health.text) as { chainId: number; latest: number };
    assert.deepEqual([chainId, latest], [1337, 0]);
    assert.equal((await raw("PUT", {}, CHAIN_ID)).status, 405);
    assert.equal((await raw("POST", {}, CHAIN_ID, "/elsewhere")).status, 404);
    assert.equal((await raw("POST", {}, CHAIN_ID, "/?key=1")).status, 200);
  });

  test("refuses a body above the limit with 413, announced or not", async () => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"web3_sha3","params":["0x${"00".repeat(600)}"]}`;
    const announced = await post(url, body);
    assert.equal(announced.status, 413);
    assert.equal((JSON.parse(announced.text) as RpcAnswer).error?.code, -32005);
    const chunked = await raw("POST", { "transfer-encoding": "chunked" }, body);
    assert.equal(chunked.status, 413);
    assert.equal((await call(url, "eth_chainId")).result, "0x539");
  });

  test("answers 503 while too many requests are being worked on, and recovers", async () => {
    const waiting = [1, 2, 3].map(() => call(url, "txpool_status"));
    while (server.connections().requestsInFlight < 3) await new Promise((resolve) => setImmediate(resolve));
    const refused = await post(url, CHAIN_ID);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    blocked.resolve({ pending: 1, queued: 0 });
    for (const answer of await Promise.all(waiting)) {
      assert.deepEqual(answer.result, { pending: "0x1", queued: "0x0" });
    }
    while (server.connections().requestsInFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await post(url, CHAIN_ID)).status, 200);
  });

  test("survives garbage instead of HTTP, and drops a client that never ends its request", async () => {
    const talk = (bytes: string): Promise<string> =>
      new Promise((resolve) => {
        let text = "";
        const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
        socket.on("data", (chunk) => (text += chunk.toString("latin1")));
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(text));
      });
    assert.match(await talk("\u0000\u0001garbage\r\n\r\n"), /^HTTP\/1\.1 400/);
    assert.match(
      await talk(`GET / HTTP/1.1\r\nhost: localhost\r\n${"x: y\r\n".repeat(10_000)}`),
      /^HTTP\/1\.1 4/,
    );
    const head =
      "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    assert.match(await talk(head), /^(HTTP\/1\.1 4|$)/);
    assert.equal((await call(url, "eth_chainId")).result, "0x539");
  });

  test("refuses others while untaken answers fill the memory, and drops who does not take them", async () => {
    const impatient = createRpcServer({
      backend,
      port: 0,
      limits: { requestTimeoutMs: 500, idleTimeoutMs: 100, unreadResponseBytes: 1_000_000 },
    });
    const { port: itsPort } = await impatient.start();
    const body = JSON.stringify(
      Array.from({ length: 1_000 }, (_, id) => ({ jsonrpc: "2.0", id, method: "rpc.discover" })),
    );
    const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    const socket = connect(itsPort, "127.0.0.1", () => socket.write(`${head}\r\n\r\n${body}`));
    socket.on("error", () => undefined);
    socket.pause();
    const statusIs = async (status: number): Promise<void> => {
      while ((await post(`http://127.0.0.1:${itsPort}`, CHAIN_ID)).status !== status);
    };
    await statusIs(503);
    await statusIs(200);
    socket.destroy();
    await impatient.stop();
  });

  test("says in one line that its port is taken", async () => {
    const second = createRpcServer({ backend, port });
    await assert.rejects(second.start(), (error: unknown) => {
      assert.ok(error instanceof RpcStartError);
      assert.equal(error.code, "rpc/port-taken");
      assert.match(error.message, new RegExp(`port ${port} is taken`));
      return true;
    });
  });
});
