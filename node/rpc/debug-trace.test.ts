import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encodeDeployData, encodeFunctionData, getContractAddress, type Hex } from "viem";
import { call, result } from "./testing/http-client.ts";
import { ACCOUNTS, type ServedChain, serveChain } from "./testing/served-chain.ts";
import { tracedContract } from "./testing/traced-contract.ts";

const account = ACCOUNTS[0]!;
const PARENT = getContractAddress({ from: account.address, nonce: 0n }).toLowerCase();
const CHILD = getContractAddress({ from: PARENT as Hex, nonce: 1n }).toLowerCase();

type Frame = {
  readonly type: string;
  readonly to?: string;
  readonly value?: string;
  readonly error?: string;
  readonly revertReason?: string;
  readonly calls?: readonly Frame[];
  readonly logs?: readonly { readonly index: string; readonly position: string }[];
};
type Logged = {
  readonly failed: boolean;
  readonly gas: number;
  readonly structLogs: readonly Record<string, unknown>[];
};
type Accounts = Record<
  string,
  { readonly balance?: string; readonly nonce?: number; readonly storage?: Record<string, string> }
>;

describe("transactions are run again for who asks what they did", () => {
  let served: ServedChain;
  const hashes: Record<string, string> = {};
  const { abi, bytecode } = tracedContract();
  const trace = <T>(name: string, options: object = {}): Promise<T> =>
    result(served.http, "debug_traceTransaction", [hashes[name], options]) as Promise<T>;

  before(async () => {
    served = await serveChain({ sealing: "instant" });
    let nonce = 0;
    const send = async (name: string, to: string | undefined, data: Hex, value = 0n): Promise<void> => {
      const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gas: 2_000_000n, chainId: 1337 };
      const request = { type: "eip1559", nonce: nonce++, data, value, ...fees } as const;
      const raw = await account.signTransaction(to === undefined ? request : { ...request, to: to as Hex });
      hashes[name] = (await result(served.http, "eth_sendRawTransaction", [raw])) as string;
    };
    await send("deploy", undefined, encodeDeployData({ abi, bytecode, args: [] }), 1_000n);
    await send("all", PARENT, encodeFunctionData({ abi, functionName: "all", args: [5n] }), 100n);
    await send("fails", PARENT, encodeFunctionData({ abi, functionName: "fails", args: [0n] }));
    await send("plain", `0x${"ab".repeat(20)}`, "0x", 5n);
  });
  after(() => served.stop());

  test("a plain transfer has no steps, and a failed transaction says so", async () => {
    assert.deepEqual(await trace("plain"), { gas: 21_000, failed: false, returnValue: "0x", structLogs: [] });
    const failed = await trace<Logged>("fails");
    assert.equal(failed.failed, true);
  });

  test("gas of the steps of one frame adds up to what the transaction paid for", async () => {
    const { structLogs } = await trace<Logged>("deploy");
    const outer = structLogs.filter(({ depth }) => depth === 1) as unknown as {
      gas: number;
      gasCost: number;
      op: string;
    }[];
    for (const [i, step] of outer.slice(0, -1).entries()) {
      if (step.op !== "CREATE") assert.equal(step.gas - step.gasCost, outer[i + 1]?.gas, `${i}: ${step.op}`);
    }
  });

  test("limit and the switches leave out what they name", async () => {
    const { structLogs } = await trace<Logged>("all", { limit: 3, disableStack: true, disableStorage: true });
    assert.equal(structLogs.length, 3);
    assert.ok(structLogs.every((step) => !("stack" in step) && !("memory" in step)));
    const withMemory = await trace<Logged>("all", { enableMemory: true, limit: 50 });
    assert.match(
      String((withMemory.structLogs.at(-1)?.memory as string[] | undefined)?.[0]),
      /^0x[0-9a-f]{64}$/,
    );
  });

  test("the call tracer has geth's frames: kinds, values, errors, logs", async () => {
    const root = await trace<Frame>("all", { tracer: "callTracer", tracerConfig: { withLog: true } });
    assert.equal(root.error, undefined);
    const kinds = root.calls?.map(({ type }) => type);
    assert.deepEqual(kinds, [
      "CALL",
      "DELEGATECALL",
      "STATICCALL",
      "CALL",
      "CALL",
      "CALL",
      "STATICCALL",
      "STATICCALL",
      "CREATE2",
      "CALL",
      "CALL",
      "CALL",
    ]);
    const [set, delegated, read, refused, , starved, forbidden] = root.calls ?? [];
    assert.equal(set?.to, CHILD);
    assert.equal(set?.value, "0x32");
    assert.equal(delegated?.value, "0x64");
    assert.equal(read?.value, undefined);
    assert.equal(refused?.error, "execution reverted");
    assert.equal(refused?.revertReason, "not today");
    assert.equal(refused?.logs, undefined);
    assert.equal(starved?.error, "out of gas");
    assert.equal(forbidden?.error, "write protection");
    assert.equal(root.calls?.[9]?.calls?.[0]?.type, "SELFDESTRUCT");
    assert.deepEqual(
      root.logs?.map(({ index, position }) => [index, position]),
      [
        ["0x0", "0x0"],
        ["0x2", "0x1"],
      ],
    );
    const top = await trace<Frame>("all", { tracer: "callTracer", tracerConfig: { onlyTopCall: true } });
    assert.equal(top.calls, undefined);
  });

  test("what the difference adds to the state before is the state after", async () => {
    const diff = await trace<{ pre: Accounts; post: Accounts }>("all", {
      tracer: "prestateTracer",
      tracerConfig: { diffMode: true },
    });
    for (const [address, after] of Object.entries(diff.post)) {
      for (const [block, state] of [
        ["0x1", diff.pre[address] ?? {}],
        ["0x2", { ...diff.pre[address], ...after }],
      ] as const) {
        const balance = (await result(served.http, "eth_getBalance", [address, block])) as string;
        assert.equal(balance, state.balance ?? "0x0", `${address} at ${block}`);
        for (const slot of Object.keys(after.storage ?? {})) {
          const value = await result(served.http, "eth_getStorageAt", [address, slot, block]);
          assert.equal(value, state.storage?.[slot] ?? `0x${"00".repeat(32)}`);
        }
      }
    }
    assert.ok(Object.keys(diff.post).length >= 5);
  });

  test("blocks are traced by number, hash and RLP alike, calls on any of them", async () => {
    const byNumber = await result(served.http, "debug_traceBlockByNumber", [
      "0x2",
      { tracer: "4byteTracer" },
    ]);
    const { hash } = (await result(served.http, "eth_getBlockByNumber", ["0x2", false])) as { hash: string };
    assert.deepEqual(
      await result(served.http, "debug_traceBlockByHash", [hash, { tracer: "4byteTracer" }]),
      byNumber,
    );
    const raw = await result(served.http, "debug_getRawBlock", ["0x2"]);
    assert.deepEqual(
      await result(served.http, "debug_traceBlock", [raw, { tracer: "4byteTracer" }]),
      byNumber,
    );
    const request = {
      from: account.address,
      to: PARENT,
      data: encodeFunctionData({ abi, functionName: "number" }),
    };
    const traced = (await result(served.http, "debug_traceCall", [
      request,
      "0x2",
      { tracer: "callTracer" },
    ])) as Frame & { output: string };
    assert.equal(BigInt(traced.output), 6n);
  });

  test("what cannot be traced is refused in words", async () => {
    const refused = async (method: string, ...params: unknown[]): Promise<string> =>
      (await call(served.http, method, params)).error?.message ?? "it was not refused";
    assert.equal(await refused("debug_traceBlockByNumber", "0x0"), "genesis is not traceable");
    assert.equal(await refused("debug_traceTransaction", `0x${"01".repeat(32)}`), "transaction not found");
    assert.match(
      await refused("debug_traceTransaction", hashes.all, { tracer: "{step: function() {}}" }),
      /JavaScript tracers are not supported/,
    );
    assert.match(await refused("debug_traceTransaction", hashes.all, { tracer: "myTracer" }), /is not known/);
  });

  test("Otterscan finds operations, creators and senders' transactions", async () => {
    const operations = (await result(served.http, "ots_getInternalOperations", [hashes.all])) as {
      type: number;
    }[];
    assert.deepEqual(
      operations.map(({ type }) => type),
      [0, 3, 1, 0],
    );
    assert.deepEqual(await result(served.http, "ots_getContractCreator", [CHILD]), {
      hash: hashes.deploy,
      creator: PARENT,
    });
    assert.equal(
      await result(served.http, "ots_getTransactionBySenderAndNonce", [account.address, 1]),
      hashes.all,
    );
    assert.match(String(await result(served.http, "ots_getTransactionError", [hashes.fails])), /^0x08c379a0/);
    const page = (await result(served.http, "ots_searchTransactionsBefore", [PARENT, 0, 25])) as {
      txs: { hash: string }[];
      lastPage: boolean;
    };
    assert.deepEqual(
      page.txs.map(({ hash }) => hash),
      [hashes.fails, hashes.all, hashes.deploy],
    );
    assert.equal(page.lastPage, true);
  });
});

test("a trace that is larger than it may be is refused, and the node goes on", async () => {
  const served = await serveChain({ sealing: "instant" }, { traceBytes: 200_000 });
  try {
    // Spends its gas in a loop: JUMPDEST PUSH0 JUMP.
    const overrides = { [PARENT]: { code: "0x5b5f56" } };
    const request = { to: PARENT, gas: "0x1c9c380" };
    const { error } = await call(served.http, "debug_traceCall", [
      request,
      "latest",
      { stateOverrides: overrides },
    ]);
    assert.match(error?.message ?? "", /larger than 200000 bytes/);
    const small = { tracer: "callTracer", stateOverrides: overrides };
    const traced = (await result(served.http, "debug_traceCall", [
      { ...request, gas: "0x186a0" },
      "latest",
      small,
    ])) as Frame;
    assert.equal(traced.error, "out of gas");
  } finally {
    await served.stop();
  }
});
