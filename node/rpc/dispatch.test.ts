import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createDeadline, TIMED_OUT } from "./dispatch-deadline.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { call, post, type RpcAnswer } from "./testing/http-client.ts";

describe("JSON-RPC 2.0", () => {
  const logged: string[] = [];
  const slow = Promise.withResolvers<never>();
  const backend = createFakeBackend();
  let server: RpcServer;
  let url = "";

  before(async () => {
    server = createRpcServer({
      backend: {
        ...backend,
        peerCount: () => {
          throw new Error("a secret of the node");
        },
        pool: { ...backend.pool, status: () => slow.promise },
      },
      port: 0,
      limits: { batchRequests: 20, batchResponseBytes: 2_000, requestTimeoutMs: 200 },
      log: (_level, message) => logged.push(message),
    });
    url = `http://127.0.0.1:${(await server.start()).port}`;
  });
  after(() => server.stop());

  const error = async (body: string): Promise<readonly [number | undefined, unknown]> => {
    const answer = JSON.parse((await post(url, body)).text) as RpcAnswer;
    assert.equal(answer.jsonrpc, "2.0");
    return [answer.error?.code, answer.id];
  };

  test("answers with the request's id, whatever its type", async () => {
    for (const id of [1, "a", null, 0, -1.5, "", "__proto__"]) {
      const { text } = await post(url, JSON.stringify({ jsonrpc: "2.0", id, method: "eth_chainId" }));
      assert.deepEqual(JSON.parse(text), { jsonrpc: "2.0", id, result: "0x539" });
    }
  });

  test("refuses what is not JSON with -32700 and what is no request with -32600", async () => {
    for (const body of ["", "{", "nope", '{"jsonrpc":"2.0",}', "[1,", "\u0000"]) {
      assert.deepEqual(await error(body), [-32700, null], body);
    }
    for (const body of ["1", "null", "true", '"x"', "[]"])
      assert.deepEqual(await error(body), [-32600, null], body);
    assert.deepEqual(await error('{"id":1}'), [-32600, 1]);
    assert.deepEqual(await error('{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}'), [-32600, 1]);
    assert.deepEqual(await error('{"jsonrpc":"2.0","id":1,"method":7}'), [-32600, 1]);
    assert.deepEqual(await error('{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}'), [-32600, null]);
  });

  test("refuses unknown methods with -32601, inherited names of objects among them", async () => {
    for (const method of ["eth_nope", "constructor", "__proto__", "toString", ""]) {
      const answer = await call(url, method);
      assert.equal(answer.error?.code, -32601);
      assert.match(answer.error.message, /the method .* does not exist/);
    }
  });

  test("refuses params by name with -32602, and takes none or null for an empty list", async () => {
    assert.deepEqual(
      await error('{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{"a":1}}'),
      [-32602, 1],
    );
    assert.deepEqual(
      await error('{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":"x"}'),
      [-32602, 1],
    );
    assert.equal((await call(url, "eth_chainId", [1])).error?.code, -32602);
    const { text } = await post(url, '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":null}');
    assert.equal((JSON.parse(text) as RpcAnswer).result, "0x539");
  });

  test("does not answer notifications", async () => {
    const one = await post(url, '{"jsonrpc":"2.0","method":"eth_chainId"}');
    assert.deepEqual([one.status, one.text], [204, ""]);
    const many = await post(
      url,
      '[{"jsonrpc":"2.0","method":"eth_chainId"},{"jsonrpc":"2.0","method":"nope"}]',
    );
    assert.deepEqual([many.status, many.text], [204, ""]);
  });

  test("answers a batch in its order, and each bad entry by itself", async () => {
    const batch = [
      {
        jsonrpc: "2.0",
        id: 1,
        method: "eth_getTransactionCount",
        params: [`0x${"00".repeat(20)}`, "pending"],
      },
      { jsonrpc: "2.0", id: 2, method: "eth_chainId" },
      7,
      { jsonrpc: "2.0", method: "eth_chainId" },
      { jsonrpc: "2.0", id: 3, method: "nope" },
    ];
    const answers = JSON.parse((await post(url, JSON.stringify(batch))).text) as RpcAnswer[];
    assert.deepEqual(
      answers.map((answer) => [answer.id, answer.error?.code ?? answer.result]),
      [
        [1, "0x0"],
        [2, "0x539"],
        [null, -32600],
        [3, -32601],
      ],
    );
  });

  test("refuses a batch with too many requests as a whole", async () => {
    const batch = new Array(21).fill({ jsonrpc: "2.0", id: 1, method: "eth_chainId" });
    assert.deepEqual(await error(JSON.stringify(batch)), [-32005, null]);
  });

  test("stops filling a batch's answer at its limit of bytes", async () => {
    const batch = Array.from({ length: 10 }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_getBlockByNumber",
      params: ["latest"],
    }));
    const { text } = await post(url, JSON.stringify(batch));
    const answers = JSON.parse(text) as RpcAnswer[];
    assert.equal(answers.length, 10);
    assert.notEqual(answers[0]!.result, undefined);
    assert.equal(answers[9]!.error?.code, -32005);
    assert.deepEqual(
      answers.map(({ id }) => id),
      batch.map(({ id }) => id),
    );
  });

  test("tells nothing of an unexpected error but -32603, and logs it", async () => {
    const answer = await call(url, "net_peerCount");
    assert.equal(answer.error?.code, -32603);
    assert.doesNotMatch(JSON.stringify(answer), /secret/);
    assert.deepEqual(logged, ["a JSON-RPC method failed"]);
  });

  test("gives up on a method that takes longer than the request timeout", async () => {
    const answer = await call(url, "txpool_status");
    assert.deepEqual([answer.error?.code, answer.error?.message], [-32002, "request timed out"]);
  });

  test("survives deep nesting, and keys that would reach a prototype", async () => {
    const depth = 1_000_000;
    const { text } = await post(url, `${"[".repeat(depth)}${"]".repeat(depth)}`);
    assert.deepEqual(
      (JSON.parse(text) as RpcAnswer[]).map(({ error }) => error?.code),
      [-32600],
    );
    const nested = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[${nested}]}`;
    assert.equal((JSON.parse((await post(url, body)).text) as RpcAnswer).result, "0x");
    await post(
      url,
      '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"__proto__":{"polluted":1}}],"__proto__":{"polluted":1}}',
    );
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

test("a deadline is the message's own, however late somebody asks for it", async () => {
  const deadline = createDeadline(40);
  while (performance.now() < deadline.atMs);
  const later = new Promise((resolve) => setTimeout(() => resolve("later"), 20));
  assert.equal(await Promise.race([deadline.passed(), later]), TIMED_OUT);
  deadline.clear();
});
