import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, describe, test } from "node:test";
import type { Method, RequestContext } from "./method.ts";
import { observeConnections, observeError, observeMethods, observeRpc } from "./metrics-observer.ts";
import { RpcError } from "./rpc-error.ts";

const CONTEXT = {} as RequestContext;

/** What was told, in order. */
function listen(): readonly unknown[][] {
  const told: unknown[][] = [];
  observeRpc({
    methods: (names) => told.push(["methods", ...names]),
    called: (method, calls, tookMs) => {
      assert.ok(tookMs >= 0);
      told.push(["called", method, calls]);
    },
    failed: (code, isBusy) => told.push(["failed", code, isBusy]),
    connected: (difference) => told.push(["connected", difference]),
  });
  return told;
}

function methodOf(parts: Partial<Method>): ReadonlyMap<string, Method> {
  const method: Method = { name: "m", summary: "", parameters: [], returns: "", call: () => 1, ...parts };
  return observeMethods(new Map([["m", method]]));
}

describe("the observer of JSON-RPC", () => {
  afterEach(() => observeRpc(undefined));

  test("is told the methods, and of every way to call one", async () => {
    const told = listen();
    const method = methodOf({
      text: () => '"a"',
      callMany: async (_context, given) => given.map(() => "1"),
    }).get("m")!;
    assert.equal(method.call(CONTEXT, []), 1);
    assert.equal(method.text!(CONTEXT, []), '"a"');
    assert.deepEqual(await method.callMany!(CONTEXT, [[], [], []]), ["1", "1", "1"]);
    assert.deepEqual(told, [
      ["methods", "m"],
      ["called", "m", 1],
      ["called", "m", 1],
      ["called", "m", 3],
    ]);
  });

  test("of a call that waits it is told when the call has ended", async () => {
    const told = listen();
    const { promise, resolve } = Promise.withResolvers<number>();
    const answer = methodOf({ call: () => promise })
      .get("m")!
      .call(CONTEXT, []);
    assert.equal(told.length, 1);
    resolve(5);
    assert.equal(await answer, 5);
    assert.deepEqual(told.at(-1), ["called", "m", 1]);
  });

  test("a call that fails has ended too, and fails as before", async () => {
    const told = listen();
    const refuse = (): never => {
      throw new RpcError(-32_000, "no");
    };
    assert.throws(() => methodOf({ call: refuse }).get("m")!.call(CONTEXT, []), RpcError);
    const late = methodOf({ call: async () => refuse() })
      .get("m")!
      .call(CONTEXT, []);
    await assert.rejects(async () => late, RpcError);
    assert.equal(told.filter(([what]) => what === "called").length, 2);
  });

  test("what a method has not, it has not when it is observed", () => {
    listen();
    const method = methodOf({}).get("m")!;
    assert.deepEqual([method.text, method.callMany], [undefined, undefined]);
  });

  test("an error that says when to try again is one of being busy", () => {
    const told = listen();
    observeError(new RpcError(-32_005, "busy", { retryAfterMs: 100 }));
    observeError(new RpcError(-32_005, "too large", { limit: 1 }));
    observeError(new RpcError(3, "reverted", "0x"));
    assert.deepEqual(told, [
      ["failed", -32_005, true],
      ["failed", -32_005, false],
      ["failed", 3, false],
    ]);
  });

  test("connections are told when they come and when they are gone", async () => {
    const told: number[] = [];
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    observeRpc({
      methods: () => undefined,
      called: () => undefined,
      failed: () => undefined,
      connected: (difference) => {
        told.push(difference);
        // Other servers of this process may lose connections of their own before.
        if (difference === -1 && told.includes(1)) resolve();
      },
    });
    const server = createServer((socket) => socket.resume().end());
    observeConnections(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as { port: number };
    const client = connect(port, "127.0.0.1").resume();
    await Promise.all([once(client, "close"), gone]);
    await new Promise<void>((closed) => server.close(() => closed()));
    assert.equal(told.filter((difference) => difference === 1).length, 1);
  });

  test("without an observer methods are left as they are", () => {
    const methods = new Map<string, Method>();
    assert.equal(observeMethods(methods), methods);
  });
});
