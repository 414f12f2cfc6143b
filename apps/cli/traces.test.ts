import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Bytes, concatBytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { assemble } from "../../core/vm/testing/assemble.ts";
import { DEVELOPMENT_CHAIN_ID } from "./local-network.ts";
import { ask, askMany } from "./rpc-client.ts";
import {
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

const VALIDATORS = 4;
/** The fewest that a node may be told to keep make the test short. */
const HISTORY_BLOCKS = 16;
const MAX_FEE = 50n * 10n ** 9n;
const GAS = 500_000n;
const BENEFICIARY = `0x${"be".repeat(20)}`;

type Frame = {
  readonly type: string;
  readonly from: string;
  readonly to: string;
  readonly value?: string;
  readonly error?: string;
  readonly calls?: readonly Frame[];
};
type Logged = {
  readonly gas: number;
  readonly failed: boolean;
  readonly structLogs: readonly { readonly op: string; readonly depth: number }[];
};
type Receipt = {
  readonly blockNumber: string;
  readonly transactionIndex: string;
  readonly gasUsed: string;
  readonly contractAddress: string | null;
  readonly status: string;
};
type Accounts = Readonly<
  Record<string, { readonly balance?: string; readonly storage?: Readonly<Record<string, string>> }>
>;

/** Counts its calls in slot 0, creates an empty contract, and passes on a wei. */
const CONTRACT = assemble(
  ...[0n, "SLOAD", 1n, "ADD", 0n, "SSTORE", 0n, 0n, 0n, "CREATE", "POP"],
  ...[0n, 0n, 0n, 0n, 1n, BigInt(BENEFICIARY), "GAS", "CALL", "POP"],
);

function deployerOf(code: Bytes): Bytes {
  const header = 12n;
  const start = assemble(BigInt(code.length), "DUP1", header, 0n, "CODECOPY", 0n, "RETURN");
  return concatBytes(start, new Uint8Array(Number(header) - start.length), code);
}

describe("a network of four validators tells what its transactions did", () => {
  let network: TestNetwork;
  let url: string;
  let contract: string;
  let called: { readonly hash: string; readonly receipt: Receipt };
  const [account] = deriveAccounts(DEVELOPMENT_MNEMONIC, 1);
  let nonce = 0n;

  const send = async (to: string | undefined, data: Bytes, value: bigint): Promise<typeof called> => {
    const fields = {
      type: 2,
      chainId: BigInt(DEVELOPMENT_CHAIN_ID),
      nonce: nonce++,
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: 1n,
      gasLimit: GAS,
      value,
      data,
    } as const;
    const recipient = to === undefined ? {} : { to: unwrap(fromHex(to)) as never };
    const { raw } = signTransaction({ ...fields, ...recipient }, unwrap(fromHex(account!.secretKey)));
    const hash = await ask<string>(url, "eth_sendRawTransaction", [toHex(raw)]);
    let receipt: Receipt | null = null;
    await waitUntil("a transaction has its receipt", LONG_WAIT_MS, async () => {
      receipt = await ask<Receipt | null>(url, "eth_getTransactionReceipt", [hash]);
      return receipt !== null;
    });
    return { hash, receipt: receipt as unknown as Receipt };
  };

  before(async () => {
    installNativeCrypto();
    network = await createTestNetwork({ validators: VALIDATORS });
    for (let index = 0; index < VALIDATORS; index++) keepLittle(network.folder(index));
    await network.startAll();
    url = network.urls[0]!;
    const deployed = await send(undefined, deployerOf(CONTRACT), 0n);
    contract = deployed.receipt.contractAddress!;
    called = await send(contract, new Uint8Array(0), 5n);
    assert.equal(called.receipt.status, "0x1");
  });
  after(() => network.dispose());

  test("steps, messages and differences of a transaction, the same from each validator", async () => {
    const { hash, receipt } = called;
    const logged = await ask<Logged>(url, "debug_traceTransaction", [hash]);
    assert.deepEqual([logged.gas, logged.failed], [Number(receipt.gasUsed), false]);
    assert.equal(logged.structLogs.filter(({ op }) => op === "CREATE" || op === "CALL").length, 2);

    const frame = await ask<Frame>(url, "debug_traceTransaction", [hash, { tracer: "callTracer" }]);
    assert.deepEqual([frame.from, frame.to, frame.value], [account!.address.toLowerCase(), contract, "0x5"]);
    assert.deepEqual(
      frame.calls?.map(({ type }) => type),
      ["CREATE", "CALL"],
    );
    assert.equal(frame.calls?.[1]?.to, BENEFICIARY);

    const question = [hash, { tracer: "prestateTracer", tracerConfig: { diffMode: true } }];
    const { pre, post } = await ask<{ readonly pre: Accounts; readonly post: Accounts }>(
      url,
      "debug_traceTransaction",
      question,
    );
    assert.equal(pre[contract]?.storage, undefined);
    assert.deepEqual(Object.values(post[contract]?.storage ?? {}).map(BigInt), [1n]);
    assert.equal(post[BENEFICIARY]?.balance, "0x1");
    const other = network.urls[2]!;
    const height = Number(receipt.blockNumber);
    await waitUntil("another validator has the block", LONG_WAIT_MS, async () => {
      return (await blockNumber(other, "latest")) >= height;
    });
    assert.deepEqual(await ask(other, "debug_traceTransaction", question), { pre, post });
  });

  test("all transactions of a block, and the operations in one of them", async () => {
    const { hash, receipt } = called;
    const traced = await ask<readonly { readonly txHash: string; readonly result: Frame }[]>(
      url,
      "debug_traceBlockByNumber",
      [receipt.blockNumber, { tracer: "callTracer" }],
    );
    assert.equal(traced[Number(receipt.transactionIndex)]?.txHash, hash);
    const operations = await ask<readonly { readonly type: number; readonly to: string }[]>(
      url,
      "ots_getInternalOperations",
      [hash],
    );
    assert.deepEqual(
      operations.map(({ type }) => type),
      [2, 0],
    );
    assert.equal(operations[1]?.to, BENEFICIARY);
  });

  test("blocks and access lists that are only thought of", async () => {
    const from = account!.address;
    const calls = [{ from, to: contract, value: "0x3" }];
    const [block, next] = await ask<
      readonly {
        readonly number: string;
        readonly calls: readonly { readonly status: string; readonly gasUsed: string }[];
      }[]
    >(url, "eth_simulateV1", [{ blockStateCalls: [{ calls }, { calls }], traceTransfers: true }, "latest"]);
    assert.equal(BigInt(next!.number) - BigInt(block!.number), 1n);
    assert.deepEqual([block?.calls[0]?.status, next?.calls[0]?.status], ["0x1", "0x1"]);

    const listed = await ask<{
      readonly accessList: readonly { readonly address: string; readonly storageKeys: readonly string[] }[];
      readonly error?: string;
    }>(url, "eth_createAccessList", [{ from, to: contract }, "latest"]);
    assert.equal(listed.error, undefined);
    assert.deepEqual(
      listed.accessList.map(({ address, storageKeys }) => [address, storageKeys.length]),
      [
        [contract, 1],
        [BENEFICIARY, 0],
      ],
    );
  });

  test("a block whose state is no longer kept is an error that says which mode keeps it", async () => {
    const old = Number(called.receipt.blockNumber);
    await waitUntil("the block is old", LONG_WAIT_MS, async () => {
      // Blocks that have something to do come sooner.
      await send(BENEFICIARY, new Uint8Array(0), 1n);
      return (await blockNumber(url, "latest")) > old + HISTORY_BLOCKS + 2;
    });
    const [answer] = await askMany(url, [{ method: "debug_traceTransaction", params: [called.hash] }]);
    assert.match(answer?.error?.message ?? "it was answered", /no longer kept.*"historyBlocks".*"archive"/);
    const newest = `0x${(await blockNumber(url, "latest")).toString(16)}`;
    const { transactions } = await ask<{ readonly transactions: readonly string[] }>(
      url,
      "eth_getBlockByNumber",
      [newest, false],
    );
    const traced = await ask<readonly { readonly txHash: string }[]>(url, "debug_traceBlockByNumber", [
      newest,
    ]);
    assert.deepEqual(
      traced.map(({ txHash }) => txHash),
      transactions,
    );
  });
});

/** Has a node keep the state of its newest blocks only. */
function keepLittle(folder: string): void {
  const path = join(folder, "node.json");
  const settings = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...settings, historyBlocks: HISTORY_BLOCKS }));
}
