import assert from "node:assert/strict";
import { test } from "node:test";
import { fail, toHex } from "@ostrom/base";
import { ANONYMOUS_SESSION } from "./access-control.ts";
import { createDispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createServices } from "./services.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { call, post, type RpcAnswer, result } from "./testing/http-client.ts";
import { ALICE, transfer } from "./testing/raw-transactions.ts";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

/** A chain of its own for each test, whose blocks are made by hand. */
async function onChain(use: (served: ServedChain, url: string) => Promise<void>): Promise<void> {
  const served = await serveChain({ sealing: "manual", certifies: false });
  try {
    await use(served, served.http);
  } finally {
    await served.stop();
  }
}

const send = (url: string, { raw }: { readonly raw: string }): Promise<unknown> =>
  result(url, "eth_sendRawTransaction", [raw]);
const sendSync = (url: string, raw: string, ...timeout: unknown[]): Promise<RpcAnswer> =>
  call(url, "eth_sendRawTransactionSync", [raw, ...timeout]);
const status = (url: string, hash: string): Promise<unknown> =>
  result(url, "ostrom_getTransactionStatus", [hash]);
/** Waits until the pool holds a transaction. */
const pooled = async (url: string, hash: string): Promise<void> => {
  while ((await result(url, "eth_getTransactionByHash", [hash])) === null);
};
const GWEI = 1_000_000_000n;
/** Takes the place of Alice's transfer with the same nonce. */
const replacement = (nonce: number) =>
  transfer(nonce, { maxFeePerGas: 20n * GWEI, maxPriorityFeePerGas: 10n * GWEI });

test("what is refused is refused in geth's words", () =>
  onChain(async (served, url) => {
    const refused = async (raw: string): Promise<string> => {
      const { error } = await call(url, "eth_sendRawTransaction", [raw]);
      assert.equal(error?.code, -32000);
      return error.message;
    };
    for (const malformed of ["0x", "0x02", "0xc0", transfer(0).raw.slice(0, -2), `${transfer(0).raw}00`]) {
      assert.match(await refused(malformed), /^invalid transaction/, malformed);
    }
    assert.match(await refused(`0x03${"00".repeat(50)}`), /^transaction type not valid.*blob/);
    assert.match(await refused(`0x7f${"00".repeat(50)}`), /^transaction type not valid/);
    assert.match(await refused(`0x02${"00".repeat(200_000)}`), /^oversized data/);
    assert.match(await refused(transfer(0, { chainId: 1n }).raw), /^invalid chain id/);
    assert.match(await refused(transfer(0, { type: 0, chainId: undefined }).raw), /only replay-protected/);
    assert.match(await refused(transfer(0, { gasLimit: 100n }).raw), /intrinsic gas too low/);
    assert.match(await refused(transfer(0, { gasLimit: 10n ** 9n }).raw), /exceeds block gas limit/);
    assert.match(await refused(transfer(0, { gasLimit: 20_000_000n }).raw), /transaction gas limit too high/);
    assert.match(await refused(transfer(0, { value: 10n ** 30n }).raw), /insufficient funds/);
    assert.match(
      await refused(transfer(0, { maxPriorityFeePerGas: 11n * GWEI }).raw),
      /max priority fee per gas higher than max fee per gas/,
    );
    await send(url, transfer(0));
    assert.equal(await refused(transfer(0).raw), "already known");
    assert.match(await refused(transfer(0, { value: 2n }).raw), /^replacement transaction underpriced/);
    served.chain.seal();
    assert.match(await refused(transfer(0, { value: 2n }).raw), /^nonce too low/);
  }));

test("the pool is shown by sender and nonce", () =>
  onChain(async (_served, url) => {
    const [next, later] = [transfer(0), transfer(5)];
    assert.equal(await send(url, next), next.hash);
    await send(url, later);
    assert.deepEqual(await result(url, "txpool_status"), { pending: "0x1", queued: "0x1" });
    type Content = Record<string, Record<string, Record<string, { hash: string }>>>;
    const content = (await result(url, "txpool_content")) as Content;
    const alice = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert.equal(content.pending?.[alice]?.["0"]?.hash, next.hash);
    assert.equal(content.queued?.[alice]?.["5"]?.hash, later.hash);
    const own = (await result(url, "txpool_contentFrom", [toHex(ALICE)])) as Content[string];
    assert.deepEqual(
      Object.values(own.pending ?? {}).map(({ hash }) => hash),
      [next.hash],
    );
    const lines = (await result(url, "txpool_inspect")) as {
      pending: Record<string, Record<string, string>>;
    };
    assert.match(lines.pending[alice]?.["0"] ?? "", /^0x7099.*: 1 wei \+ 21000 gas × 10000000000 wei$/);
    const found = (await result(url, "eth_getTransactionByHash", [next.hash])) as {
      blockHash: null;
      nonce: string;
    };
    assert.deepEqual([found.blockHash, found.nonce], [null, "0x0"]);
    assert.equal(await result(url, "eth_getTransactionReceipt", [next.hash]), null);
    assert.equal(await result(url, "debug_getRawTransaction", [next.hash]), next.raw);
  }));

test("the status tells included, certified, pending, queued, dropped and unknown apart", () =>
  onChain(async ({ chain }, url) => {
    await send(url, transfer(0));
    chain.seal();
    const included = { status: "included", blockNumber: "0x1", certified: false };
    assert.deepEqual(await status(url, transfer(0).hash), included);
    chain.certify(1);
    assert.deepEqual(await status(url, transfer(0).hash), { ...included, certified: true });
    const [next, later] = [transfer(1), transfer(7)];
    assert.deepEqual(await status(url, next.hash), { status: "unknown" });
    await send(url, next);
    await send(url, later);
    assert.deepEqual(await status(url, next.hash), { status: "pending" });
    assert.deepEqual(await status(url, later.hash), { status: "queued" });
    await send(url, replacement(1));
    const dropped = (await status(url, next.hash)) as Record<string, string>;
    assert.deepEqual([dropped.status, dropped.reason], ["dropped", "txpool/replaced"]);
    assert.match(dropped.message ?? "", /replaced/);
  }));

test("the synchronous call answers with the receipt as soon as the block is executed", () =>
  onChain(async ({ chain }, url) => {
    const { raw, hash } = transfer(0);
    const sending = sendSync(url, raw);
    await pooled(url, hash);
    chain.seal();
    const receipt = (await sending).result as { transactionHash: string; status: string };
    assert.deepEqual([receipt.transactionHash, receipt.status], [hash, "0x1"]);
    const again = (await sendSync(url, raw)).result as { transactionHash: string };
    assert.equal(again.transactionHash, hash);
  }));

test("the synchronous call answers at once with the reason of a drop", () =>
  onChain(async (_served, url) => {
    const { raw, hash } = transfer(0);
    const sending = sendSync(url, raw);
    await pooled(url, hash);
    await send(url, replacement(0));
    const { error } = await sending;
    assert.equal(error?.code, -32000);
    assert.deepEqual(error.data, { reason: "txpool/replaced", transactionHash: hash });
    assert.equal((await sendSync(url, "0x02")).error?.code, -32000);
  }));

test("the synchronous call gives up with code 4, or 5 if a nonce is missing, and the hash", () =>
  onChain(async (_served, url) => {
    const [late, gap] = [transfer(0), transfer(3)];
    const answer = await sendSync(url, late.raw, 20);
    assert.deepEqual([answer.error?.code, answer.error?.data], [4, late.hash]);
    const unready = await sendSync(url, gap.raw, "0x14");
    assert.deepEqual([unready.error?.code, unready.error?.data], [5, gap.hash]);
    assert.equal((await sendSync(url, late.raw, "soon")).error?.code, -32602);
  }));

test("a hundred of a batch run in one block, in order", () =>
  onChain(async ({ chain }, url) => {
    const sent = Array.from({ length: 100 }, (_, nonce) => transfer(nonce));
    const batch = async (method: string, params: readonly (readonly string[])[]): Promise<RpcAnswer[]> => {
      const requests = params.map((list, id) => ({ jsonrpc: "2.0", id, method, params: list }));
      return JSON.parse((await post(url, JSON.stringify(requests))).text) as RpcAnswer[];
    };
    const answers = await batch(
      "eth_sendRawTransaction",
      sent.map(({ raw }) => [raw]),
    );
    assert.deepEqual(
      answers.map((answer) => answer.result),
      sent.map(({ hash }) => hash),
    );
    chain.seal();
    const receipts = await batch(
      "eth_getTransactionReceipt",
      sent.map(({ hash }) => [hash]),
    );
    receipts.forEach((answer, i) => {
      const receipt = answer.result as Record<string, string>;
      assert.equal(receipt.transactionHash, sent[i]!.hash);
      assert.equal(receipt.transactionIndex, `0x${i.toString(16)}`);
      assert.equal(receipt.cumulativeGasUsed, `0x${(21_000 * (i + 1)).toString(16)}`);
    });
  }));

test("transactions of one turn go to the pool in one message, and its failure reaches each", async () => {
  const groups: number[] = [];
  const fake = createFakeBackend();
  const submit = async (raws: readonly Uint8Array[]) => {
    groups.push(raws.length);
    if (groups.length > 1) throw new Error("the pool's thread died");
    return raws.map(() => fail("txpool/underpriced", "too little"));
  };
  const errors: unknown[] = [];
  const services = createServices(
    { backend: { ...fake, pool: { ...fake.pool, submit } } },
    DEFAULT_LIMITS,
    assert.ok,
  );
  const dispatch = createDispatcher(services.methods, DEFAULT_LIMITS, (_method, error) => errors.push(error));
  const { raw } = transfer(0);
  const batch = Array.from({ length: 50 }, (_, id) => ({
    jsonrpc: "2.0",
    id,
    method: "eth_sendRawTransaction",
    params: [raw],
  }));
  const sendBatch = async (): Promise<RpcAnswer[]> =>
    JSON.parse(
      (await dispatch(JSON.stringify(batch), {
        ...services,
        connection: undefined,
        session: ANONYMOUS_SESSION,
      })) ?? "",
    ) as RpcAnswer[];
  assert.ok(
    (await sendBatch()).every(
      ({ error }) => error?.code === -32000 && error.message === "transaction underpriced: too little",
    ),
  );
  assert.ok((await sendBatch()).every(({ error }) => error?.code === -32603));
  assert.deepEqual(groups, [50, 50]);
  assert.equal(errors.length, 1);
});
