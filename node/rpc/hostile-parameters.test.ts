import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRandom } from "@ostrom/base";
import { createMethods } from "./methods.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { post, type RpcAnswer, result } from "./testing/http-client.ts";
import { junk } from "./testing/junk.ts";

const SEEDS = [1, 2, 3, 4, 5];
const CALLS_PER_METHOD = 10;
const BATCH_CALLS = 500;
const MAX_PARAMETERS = 5;

describe("junk parameters", () => {
  const failures: unknown[] = [];
  let server: RpcServer;
  let url = "";

  before(async () => {
    server = createRpcServer({
      backend: createFakeBackend(),
      port: 0,
      limits: { syncDefaultTimeoutMs: 20, syncMaxTimeoutMs: 20 },
      log: (_level, message, fields) => failures.push([message, fields]),
    });
    url = `http://127.0.0.1:${(await server.start()).port}`;
  });
  after(() => server.stop());

  test("every method answers every parameter list with a result or a proper error", async (t) => {
    const methods = [...createMethods().keys()];
    let calls = 0;
    for (const seed of SEEDS) {
      const random = createRandom(seed);
      const batch = methods.flatMap((method) =>
        Array.from({ length: CALLS_PER_METHOD }, () => {
          const params = Array.from({ length: random.below(MAX_PARAMETERS + 1) }, () => junk(random));
          return { jsonrpc: "2.0", id: calls++, method, params };
        }),
      );
      const answers: RpcAnswer[] = [];
      // All methods together are more calls than one batch may hold.
      for (let from = 0; from < batch.length; from += BATCH_CALLS) {
        const part = JSON.stringify(batch.slice(from, from + BATCH_CALLS));
        answers.push(...(JSON.parse((await post(url, part)).text) as RpcAnswer[]));
      }
      assert.equal(answers.length, batch.length);
      answers.forEach((answer, i) => {
        const said = JSON.stringify([batch[i], answer]).slice(0, 2_000);
        assert.equal(answer.id, batch[i]!.id, said);
        assert.equal("result" in answer, !("error" in answer), said);
        if (answer.error === undefined) return;
        assert.ok(Number.isInteger(answer.error.code), said);
        assert.notEqual(answer.error.code, -32603, said);
        assert.ok(answer.error.message.length > 0 && answer.error.message.length < 500, said);
      });
    }
    assert.deepEqual(failures, []);
    t.diagnostic(`${calls} calls of ${methods.length} methods`);
  });

  test("messages name the argument that is wrong", async () => {
    const message = async (method: string, params: unknown[]): Promise<string | undefined> => {
      const { text } = await post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
      const { error } = JSON.parse(text) as RpcAnswer;
      assert.equal(error?.code, -32602, text);
      return error.message;
    };
    assert.equal(await message("eth_getBalance", []), "missing value for required argument 0");
    assert.equal(
      await message("eth_getBalance", [`0x${"00".repeat(20)}`, "0x01"]),
      'invalid argument 1: hex number with leading zero digits: "0x01"',
    );
    assert.equal(
      await message("debug_getRawBlock", ["2"]),
      "invalid argument 0: hex string without 0x prefix",
    );
    assert.equal(
      await message("eth_call", [{ to: "0x12" }]),
      "invalid argument 0: to: hex string has length 2, want 40 for an address",
    );
    assert.equal(await message("eth_chainId", [1]), "too many arguments, want at most 0");
  });

  test("the method list describes every method and parameter", async () => {
    const document = (await result(url, "rpc.discover")) as {
      methods: {
        name: string;
        summary: string;
        params: { name: string }[];
        result: { schema: { description: string } };
      }[];
    };
    assert.equal(document.methods.length, createMethods().size);
    for (const method of document.methods) {
      assert.ok(method.summary.length > 10 && method.result.schema.description.length > 0, method.name);
    }
    const modules = (await result(url, "rpc_modules")) as Record<string, string>;
    assert.deepEqual(Object.keys(modules), [
      "admin",
      "debug",
      "eth",
      "net",
      "ostrom",
      "ots",
      "rpc",
      "txpool",
      "web3",
    ]);
  });
});
