import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { startChain } from "./testing/started-chain.ts";

const INVALID_PARAMS = -32602;
const ALICE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const BOB = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

test("what cannot be read is refused with its place, by each method that asks for anything", async (context) => {
  const { call, refusal } = await startChain(context);
  const { methods } = (await call("rpc.discover")) as {
    readonly methods: readonly {
      readonly name: string;
      readonly params: readonly { readonly required?: boolean }[];
    }[];
  };
  const own = methods.filter(({ name }) => /^(?:evm|hardhat|anvil)_/.test(name));
  const asking = own.filter(({ params }) => params[0]?.required === true);
  assert.ok(asking.length > 30);
  for (const { name } of asking) {
    const nothing = await refusal(name);
    assert.equal(nothing.code, INVALID_PARAMS, `${name} of nothing: ${nothing.message}`);
    if (name === "hardhat_addCompilationResult") continue;
    const nonsense = await refusal(name, { no: "sense" }, {}, {}, {});
    assert.equal(nonsense.code, INVALID_PARAMS, `${name} of nonsense: ${nonsense.message}`);
    assert.match(nonsense.message, /argument/, name);
  }
});

test("a page of another site, and a name that is not this machine's, are refused", async (context) => {
  const { node } = await startChain(context);
  const statusOf = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { port: node.port, host: "127.0.0.1", method: "POST", headers };
      const sent = request(options, (response) => resolve(response.resume().statusCode));
      sent.on("error", reject);
      sent.end('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}');
    });
  const json = { "content-type": "application/json" };
  assert.equal(await statusOf(json), 200);
  assert.equal(await statusOf({ ...json, origin: "https://example.org" }), 403);
  assert.equal(await statusOf({ ...json, host: "example.org" }), 403);
});

test("a hundred snapshots over a thousand blocks are gone back through one by one", async (context) => {
  const { call } = await startChain(context);
  const begin = await call("eth_getBalance", BOB, "latest");
  const ids: unknown[] = [];
  for (let taken = 0; taken < 100; taken++) {
    ids.push(await call("evm_snapshot"));
    await call("eth_sendTransaction", { from: ALICE, to: BOB, value: "0x1", gas: "0x5208" });
    await call("hardhat_mine", "0x9");
  }
  assert.equal(Number(await call("eth_blockNumber")), 1_000);
  for (const id of ids.reverse()) assert.equal(await call("evm_revert", id), true);
  assert.deepEqual(
    [await call("eth_blockNumber"), await call("eth_getBalance", BOB, "latest")],
    ["0x0", begin],
  );
});
