import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fail, fromHex, hashFromHex, toHex, unwrap } from "@ostrom/base";
import { createDispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createServices } from "./services.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { call, post, type RpcAnswer, result } from "./testing/http-client.ts";
import { ALICE, transfer } from "./testing/raw-transactions.ts";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

describe("sending", () => {
  let served: ServedChain;
  let url = "";
  let nonce = 0;
  before(async () => {
    served = await serveChain({ sealing: "manual", certifies: false }, { syncMaxTimeoutMs: 1_000 });
    url = served.http;
  });
  after(() => served.stop());

  const refused = async (raw: string): Promise<readonly [number | undefined, string | undefined]> => {
    const { error } = await call(url, "eth_sendRawTransaction", [raw]);
    return [error?.code, error?.message];
  };

  test("what is refused is refused in geth's words", async () => {
    assert.match((await refused("0x"))[1] ?? "", /^invalid transaction/);
    assert.match((await refused("0x02"))[1] ?? "", /^invalid transaction/);
    assert.match((await refused("0xc0"))[1] ?? "", /^invalid transaction/);
    assert.match((await refused(`0x03${"00".repeat(50)}`))[1] ?? "", /^transaction type not valid.*blob/);
    assert.match((await refused(`0x02${"00".repeat(200_000)}`))[1] ?? "", /^oversized data/);
    assert.match((await refused(transfer(0, { chainId: 1n }).raw))[1] ?? "", /^invalid chain id/);
    assert.match((await refused(transfer(0, { gasLimit: 100n }).raw))[1] ?? "", /^intrinsic gas too low/);
    assert.match((await refused(transfer(0, { value: 10n ** 30n }).raw))[1] ?? "", /^insufficient funds/);
    assert.equal((await refused(transfer(0, { value: 10n ** 30n }).raw))[0], -32000);
    const bent = transfer(0).raw.replace(/.{2}$/, "00");
    assert.equal((await refused(bent))[0], -32000);
  });

  test("a transaction twice is already known, an old nonce too low", async () => {
    const { raw, hash } = transfer(nonce++);
    assert.equal(await result(url, "eth_sendRawTransaction", [raw]), hash);
    assert.equal((await refused(raw))[1], "already known");
    served.chain.seal();
    assert.equal(
      (await refused(transfer(0, { value: 2n }).raw))[1],
      "nonce too low: next nonce 1, tx nonce 0",
    );
  });

  test("the pool is shown by sender and nonce", async () => {
    const [next, later] = [transfer(nonce), transfer(nonce + 5)];
    await result(url, "eth_sendRawTransaction", [next.raw]);
    await result(url, "eth_sendRawTransaction", [later.raw]);
    assert.deepEqual(await result(url, "txpool_status"), { pending: "0x1", queued: "0x1" });
    const content = (await result(url, "txpool_content")) as Record<
      string,
      Record<string, Record<string, { hash: string }>>
    >;
    const alice = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert.equal(content.pending?.[alice]?.[String(nonce)]?.hash, next.hash);
    assert.equal(content.queued?.[alice]?.[String(nonce + 5)]?.hash, later.hash);
    const own = (await result(url, "txpool_contentFrom", [toHex(ALICE)])) as {
      pending: Record<string, { hash: string }>;
    };
    assert.deepEqual(
      Object.values(own.pending).map(({ hash }) => hash),
      [next.hash],
    );
    const lines = (await result(url, "txpool_inspect")) as {
      pending: Record<string, Record<string, string>>;
    };
    assert.match(
      lines.pending[alice]?.[String(nonce)] ?? "",
      /^0x7099.*: 1 wei \+ 21000 gas × 10000000000 wei$/,
    );
    const found = (await result(url, "eth_getTransactionByHash", [next.hash])) as {
      blockHash: null;
      nonce: string;
    };
    assert.deepEqual([found.blockHash, found.nonce], [null, "0x1"]);
    assert.equal(await result(url, "eth_getTransactionReceipt", [next.hash]), null);
    assert.equal(await result(url, "debug_getRawTransaction", [next.hash]), next.raw);
    served.chain.drop(hashFromHex(later.hash), { code: "txpool/evicted", message: "the pool was full" });
    served.chain.seal();
    nonce++;
  });

  test("the status tells included, certified, pending, queued, dropped and unknown apart", async () => {
    const status = (hash: string): Promise<unknown> => result(url, "ostrom_getTransactionStatus", [hash]);
    assert.deepEqual(await status(transfer(0).hash), {
      status: "included",
      blockNumber: "0x1",
      certified: false,
    });
    served.chain.certify(1);
    assert.deepEqual(await status(transfer(0).hash), {
      status: "included",
      blockNumber: "0x1",
      certified: true,
    });
    const [next, later] = [transfer(nonce), transfer(nonce + 7)];
    assert.deepEqual(await status(next.hash), { status: "unknown" });
    await result(url, "eth_sendRawTransaction", [next.raw]);
    await result(url, "eth_sendRawTransaction", [later.raw]);
    assert.deepEqual(await status(next.hash), { status: "pending" });
    assert.deepEqual(await status(later.hash), { status: "queued" });
    served.chain.drop(hashFromHex(later.hash), { code: "txpool/expired", message: "three hours" });
    assert.deepEqual(await status(later.hash), {
      status: "dropped",
      reason: "txpool/expired",
      message: "expired in the pool: a transaction with a lower nonce did not come: three hours",
    });
    served.chain.seal();
    nonce++;
  });

  const sendSync = (raw: string, ...timeout: unknown[]): Promise<RpcAnswer> =>
    call(url, "eth_sendRawTransactionSync", [raw, ...timeout]);
  /** Waits until the pool holds a transaction. */
  const pooled = async (hash: string): Promise<void> => {
    while ((await result(url, "eth_getTransactionByHash", [hash])) === null);
  };

  test("the synchronous call answers with the receipt as soon as the block is executed", async () => {
    const { raw, hash } = transfer(nonce++);
    const sending = sendSync(raw);
    await pooled(hash);
    served.chain.seal();
    const receipt = (await sending).result as { transactionHash: string; status: string };
    assert.deepEqual([receipt.transactionHash, receipt.status], [hash, "0x1"]);
  });

  test("the synchronous call answers at once with the reason of a drop", async () => {
    const { raw, hash } = transfer(nonce);
    const sending = sendSync(raw);
    await pooled(hash);
    served.chain.drop(hashFromHex(hash), {
      code: "execution/nonce-too-low",
      message: "nonce too low",
      retry: false,
    });
    const { error } = await sending;
    assert.deepEqual([error?.code, error?.message], [-32000, "nonce too low"]);
    assert.deepEqual(error?.data, { reason: "execution/nonce-too-low", transactionHash: hash });
  });

  test("the synchronous call gives up with code 4, or 5 if a nonce is missing, and the hash", async () => {
    const { raw, hash } = transfer(nonce++);
    const late = await sendSync(raw, 20);
    assert.deepEqual([late.error?.code, late.error?.data], [4, hash]);
    const gap = transfer(nonce + 3);
    const unready = await sendSync(gap.raw, "0x14");
    assert.deepEqual([unready.error?.code, unready.error?.data], [5, gap.hash]);
    served.chain.drop(hashFromHex(gap.hash), { code: "txpool/evicted", message: "the test is over" });
    assert.equal((await sendSync("0x02")).error?.code, -32000);
    assert.equal((await sendSync(raw, "soon")).error?.code, -32602);
    served.chain.seal();
  });

  test("a hundred of a batch run in one block, in order", async () => {
    const sent = Array.from({ length: 100 }, (_, i) => transfer(nonce + i));
    const request = (method: string, params: readonly (readonly string[])[]): string =>
      JSON.stringify(params.map((list, id) => ({ jsonrpc: "2.0", id, method, params: list })));
    const body = request(
      "eth_sendRawTransaction",
      sent.map(({ raw }) => [raw]),
    );
    const answers = JSON.parse((await post(url, body)).text) as RpcAnswer[];
    assert.deepEqual(
      answers.map((answer) => answer.result),
      sent.map(({ hash }) => hash),
    );
    served.chain.seal();
    nonce += 100;
    const receipts = JSON.parse(
      (
        await post(
          url,
          request(
            "eth_getTransactionReceipt",
            sent.map(({ hash }) => [hash]),
          ),
        )
      ).text,
    ) as RpcAnswer[];
    receipts.forEach((answer, i) => {
      const receipt = answer.result as {
        transactionIndex: string;
        transactionHash: string;
        cumulativeGasUsed: string;
      };
      assert.equal(receipt.transactionHash, sent[i]!.hash);
      assert.equal(receipt.transactionIndex, `0x${i.toString(16)}`);
      assert.equal(receipt.cumulativeGasUsed, `0x${(21_000 * (i + 1)).toString(16)}`);
    });
  });
});

test("transactions of one turn go to the pool in one message, and its failure reaches each", async () => {
  const groups: number[] = [];
  const fake = createFakeBackend();
  const submit = async (raws: readonly Uint8Array[]) => {
    groups.push(raws.length);
    if (groups.length > 1) throw new Error("the pool's thread died");
    return raws.map(() => fail("txpool/full", "no room"));
  };
  const errors: unknown[] = [];
  const services = createServices(
    { backend: { ...fake, pool: { ...fake.pool, submit } } },
    DEFAULT_LIMITS,
    assert.ok,
  );
  const dispatch = createDispatcher(services.methods, DEFAULT_LIMITS, (_method, error) => errors.push(error));
  const raw = toHex(unwrap(fromHex(transfer(0).raw)));
  const batch = Array.from({ length: 50 }, (_, id) => ({
    jsonrpc: "2.0",
    id,
    method: "eth_sendRawTransaction",
    params: [raw],
  }));
  const send = async (): Promise<RpcAnswer[]> =>
    JSON.parse(
      (await dispatch(JSON.stringify(batch), { ...services, connection: undefined })) ?? "",
    ) as RpcAnswer[];
  assert.ok(
    (await send()).every(
      ({ error }) => error?.code === -32000 && error.message === "txpool is full: no room",
    ),
  );
  assert.ok((await send()).every(({ error }) => error?.code === -32603));
  assert.deepEqual(groups, [50, 50]);
  assert.equal(errors.length, 50);
});
