import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_DEVELOPMENT, startDevelopmentNode } from "@ostrom/dev";
import { createTestNetwork } from "./testing/test-network.ts";

const METHOD_NOT_FOUND = -32601;

type Answer = { readonly id: number; readonly error?: { readonly code: number }; readonly result?: unknown };

async function ask(url: string, calls: readonly { readonly method: string }[]): Promise<readonly Answer[]> {
  const batch = calls.map(({ method }, id) => ({ jsonrpc: "2.0", id, method, params: [] }));
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(batch) });
  return (await response.json()) as readonly Answer[];
}

async function methodNames(url: string): Promise<readonly string[]> {
  const [answer] = await ask(url, [{ method: "rpc.discover" }]);
  assert.ok(answer !== undefined);
  const { methods } = answer.result as { readonly methods: readonly { readonly name: string }[] };
  return methods.map(({ name }) => name);
}

test("a validator of a network answers -32601 to all that a development chain alone has", async (context) => {
  const chain = await startDevelopmentNode({ ...DEFAULT_DEVELOPMENT, port: 0 });
  context.after(chain.stop);
  const network = await createTestNetwork({ validators: 1 });
  context.after(network.dispose);
  await network.start(0);
  const [url] = network.urls;
  assert.ok(url !== undefined);
  const others = new Set(await methodNames(url));
  const own = (await methodNames(`http://127.0.0.1:${chain.port}`)).filter((name) => !others.has(name));
  for (const name of ["evm_mine", "hardhat_setBalance", "anvil_reorg", "eth_sendTransaction", "eth_sign"])
    assert.ok(own.includes(name), name);
  assert.deepEqual(
    [...others].filter((name) => /^(?:evm|hardhat|anvil)_/.test(name)),
    [],
  );
  const answers = await ask(
    url,
    own.map((method) => ({ method })),
  );
  assert.equal(answers.length, own.length);
  const wrong = answers.filter(({ error }) => error?.code !== METHOD_NOT_FOUND).map(({ id }) => own[id]);
  assert.deepEqual(wrong, []);
});
