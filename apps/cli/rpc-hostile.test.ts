import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { Address, fromHex, toHex, unwrap } from "@ostrom/base";
import { signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { concatHex, parseGwei, type parseSignature, parseTransaction, serializeTransaction } from "viem";
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { ask, askMany, type RpcAnswer } from "./rpc-client.ts";
import { Sender } from "./testing/sender.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";

const CHAIN_ID = 31_337;
const TRANSFER = {
  chainId: CHAIN_ID,
  type: "eip1559",
  nonce: 0,
  gas: 21_000n,
  maxFeePerGas: parseGwei("50"),
  maxPriorityFeePerGas: 1n,
  to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  value: 1n,
} as const;
const BLOCK_GAS_CAP = 2n ** 24n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const MEBIBYTE = 1024 * 1024;
const ORIGIN = "https://evil.example";

const richSecret = deriveAccounts(DEVELOPMENT_MNEMONIC, 3)[2]!.secretKey;
const rich = privateKeyToAccount(richSecret);
let network: TestNetwork;
let url: string;

before(async () => {
  installNativeCrypto();
  network = await createTestNetwork({ validators: 4 });
  await network.startAll();
  url = network.urls[0]!;
});

after(async () => {
  await network.dispose();
});

async function sendRaw(raw: string): Promise<RpcAnswer> {
  const [answer] = await askMany(url, [{ method: "eth_sendRawTransaction", params: [raw] }]);
  return answer!;
}

/** The one line of the refusal, which says this, with the code of a server error and a machine-readable reason. */
async function assertRefused(raw: string, says: RegExp): Promise<void> {
  const { error, result } = await sendRaw(raw);
  assert.equal(result, undefined);
  assert.match(error?.message ?? "no error", says);
  assert.ok([-32_000, -32_602].includes(error!.code), `code ${error!.code}`);
  assert.doesNotMatch(error!.message, /\n/);
}

const sign = (account: PrivateKeyAccount, changes: object): Promise<`0x${string}`> =>
  account.signTransaction({ ...TRANSFER, ...changes } as Parameters<PrivateKeyAccount["signTransaction"]>[0]);

test("transactions that can never be valid are refused with a reason", async () => {
  const raw = await sign(rich, {});
  const {
    r,
    s,
    yParity,
    v: _,
    ...fields
  } = parseTransaction(raw) as never as {
    readonly r: `0x${string}`;
    readonly s: `0x${string}`;
    readonly yParity: number;
    readonly v: bigint;
  };
  const withSignature = (signature: object): `0x${string}` =>
    serializeTransaction(
      fields as never,
      { r, s, yParity, ...signature } as ReturnType<typeof parseSignature>,
    );
  const hex = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, "0")}`;
  assert.equal(withSignature({}), raw);
  await assertRefused(withSignature({ r: hex(0n) }), /^invalid sender|signature/);
  await assertRefused(withSignature({ r: hex(ORDER) }), /^invalid sender|signature/);
  await assertRefused(
    withSignature({ s: hex(ORDER - BigInt(s)), yParity: 1 - yParity }),
    /invalid sender|signature/,
  );
  await assertRefused(await sign(rich, { chainId: 1 }), /invalid chain id/);
  const unprotected = {
    type: "legacy",
    nonce: 0,
    gas: 21_000n,
    gasPrice: parseGwei("50"),
    to: TRANSFER.to,
  } as const;
  await assertRefused(await rich.signTransaction(unprotected), /replay-protected/);
  await assertRefused(await sign(rich, { gas: 20_999n }), /intrinsic gas too low/);
  await assertRefused(
    await sign(rich, { gas: BLOCK_GAS_CAP + 1n }),
    /gas limit too high|exceeds block gas limit/,
  );
  await assertRefused(withTipAboveCap(), /higher than max fee per gas/);
  await assertRefused(await sign(rich, { value: 10n ** 30n }), /insufficient funds/);
  await assertRefused(await sign(privateKeyToAccount(generatePrivateKey()), {}), /insufficient funds/);
  await assertRefused(await sign(rich, { data: `0x${"00".repeat(200_000)}` }), /oversized data/);
  const blobs = { type: "eip4844", maxFeePerBlobGas: 1n, blobVersionedHashes: [`0x01${"00".repeat(31)}`] };
  await assertRefused(await sign(rich, blobs), /transaction type not valid|blob/);
  for (const garbage of [
    "0x",
    "0x02",
    "0x00",
    raw.slice(0, -2),
    concatHex([raw, "0x00"]),
    `0x7f${raw.slice(4)}`,
  ]) {
    await assertRefused(garbage, /./);
  }
  assert.deepEqual(await ask(url, "txpool_status"), { pending: "0x0", queued: "0x0" });
});

test("a nonce gap waits in the queue, replacements must pay more, and all is included when the gap is filled", async () => {
  const [gap, behind] = [await sign(rich, { nonce: 0 }), await sign(rich, { nonce: 1 })];
  const hash = await ask<string>(url, "eth_sendRawTransaction", [behind]);
  type Content = Readonly<
    Record<"pending" | "queued", Readonly<Record<string, Record<string, { hash: string }>>>>
  >;
  const content = await ask<Content>(url, "txpool_content");
  assert.deepEqual(content.pending, {});
  const [[sender, queue]] = Object.entries(content.queued) as [[string, Record<string, { hash: string }>]];
  assert.equal(sender.toLowerCase(), rich.address.toLowerCase());
  assert.deepEqual(
    Object.entries(queue).map(([nonce, entry]) => [nonce, entry.hash]),
    [["1", hash]],
  );
  await assertRefused(behind, /already known/);
  await assertRefused(await sign(rich, { nonce: 1, value: 2n }), /replacement transaction underpriced/);
  const cheaper = { nonce: 1, value: 2n, maxFeePerGas: parseGwei("52"), maxPriorityFeePerGas: 1n };
  await assertRefused(await sign(rich, cheaper), /replacement transaction underpriced/);
  const dearer = { nonce: 1, value: 2n, maxFeePerGas: parseGwei("100"), maxPriorityFeePerGas: 10n };
  const replacement = await ask<string>(url, "eth_sendRawTransaction", [await sign(rich, dearer)]);

  const filler = await ask<string>(url, "eth_sendRawTransaction", [gap]);
  for (const other of network.urls) {
    await waitUntil("both are included everywhere", LONG_WAIT_MS, async () => {
      const receipts = await Promise.all(
        [filler, replacement].map((one) =>
          ask<{ status: string } | null>(other, "eth_getTransactionReceipt", [one]),
        ),
      );
      return receipts.every((receipt) => receipt?.status === "0x1");
    });
    assert.equal(
      await ask(other, "eth_getTransactionReceipt", [hash]),
      null,
      "the replaced one is not included",
    );
  }
  await assertRefused(gap, /nonce too low/);
});

/** What viem refuses to sign. */
function withTipAboveCap(): string {
  const fees = { maxFeePerGas: 1n, maxPriorityFeePerGas: 2n };
  const { chainId, type: _, nonce, gas: gasLimit, to, value } = TRANSFER;
  const fields = { chainId: BigInt(chainId), nonce: BigInt(nonce), gasLimit, value, ...fees };
  const { raw } = signTransaction(
    { type: 2, ...fields, to: Address(unwrap(fromHex(to))) },
    unwrap(fromHex(richSecret)),
  );
  return toHex(raw);
}

/** Sends what no JSON-RPC client would. */
function post(
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
  method = "POST",
): Promise<{
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, headers: { "content-type": "application/json", ...headers } },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString("utf8");
        });
        response.on("end", () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const CHAIN_ID_REQUEST = { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] };

async function assertErrorCode(body: unknown, code: number): Promise<void> {
  const { text } = await post(typeof body === "string" ? body : JSON.stringify(body));
  const answer = JSON.parse(text) as { readonly error: { readonly code: number; readonly message: string } };
  assert.equal(answer.error?.code, code, `${JSON.stringify(body)}: ${text}`);
}

test("malformed requests are answered with JSON-RPC's error codes", async () => {
  await assertErrorCode("{", -32_700);
  await assertErrorCode("\u0000\u0001", -32_700);
  await assertErrorCode("", -32_700);
  await assertErrorCode("42", -32_600);
  await assertErrorCode("[]", -32_600);
  await assertErrorCode({ jsonrpc: "2.0", id: 1 }, -32_600);
  await assertErrorCode({ ...CHAIN_ID_REQUEST, method: "eth_nothing" }, -32_601);
  await assertErrorCode({ ...CHAIN_ID_REQUEST, method: "constructor" }, -32_601);
  await assertErrorCode({ ...CHAIN_ID_REQUEST, method: "eth_getBalance", params: ["0x12"] }, -32_602);
  await assertErrorCode({ ...CHAIN_ID_REQUEST, method: "eth_getBalance", params: { a: 1 } }, -32_602);
  const deep = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
  const { text } = await post(deep);
  assert.ok(JSON.parse(text));
});

test("oversized bodies and batches are refused, and a batch as large as allowed is answered", async () => {
  const body = JSON.stringify({ ...CHAIN_ID_REQUEST, params: ["0x".padEnd(17 * MEBIBYTE, "0")] });
  const tooLong = await post(body).catch((error: NodeJS.ErrnoException) => error);
  // The server answers and closes; the client may find the connection closed before it has sent all.
  if (tooLong instanceof Error) assert.match(tooLong.code ?? "", /EPIPE|ECONNRESET/);
  else assert.equal(tooLong.status, 413);

  const batch = (length: number): string =>
    JSON.stringify(Array.from({ length }, (_, id) => ({ ...CHAIN_ID_REQUEST, id })));
  const tooMany = await post(batch(1_001));
  assert.match(tooMany.text, /batch/);
  assert.doesNotMatch(tooMany.text, /0x7a69/);
  const enough = JSON.parse((await post(batch(1_000))).text) as readonly { readonly result: string }[];
  assert.equal(enough.filter(({ result }) => result === "0x7a69").length, 1_000);
});

test("pages of strangers get nothing: neither by Host (DNS rebinding) nor by Origin", async () => {
  const question = JSON.stringify(CHAIN_ID_REQUEST);
  for (const headers of [
    { host: "evil.example" },
    { origin: ORIGIN },
    { host: "127.0.0.1.evil.example:8545" },
  ]) {
    const { status, text, headers: answered } = await post(question, headers);
    assert.equal(status, 403, JSON.stringify(headers));
    assert.doesNotMatch(text, /0x7a69/);
    assert.equal(answered["access-control-allow-origin"], undefined);
  }
  const preflight = await post("", { origin: ORIGIN, "access-control-request-method": "POST" }, "OPTIONS");
  assert.equal(preflight.headers["access-control-allow-origin"], undefined);
  const own = await post(question, { host: "localhost", origin: "http://localhost:3000" });
  assert.match(own.text, /0x7a69/);
  assert.equal(own.headers["access-control-allow-origin"], "http://localhost:3000");
});

test("connections that say nothing sensible are closed or answered", async () => {
  const { port } = new URL(url);
  const answers = await Promise.all(
    [
      "\u0016\u0003\u0001\u0002\u0000",
      "@@@ / HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
    ].map(
      (bytes) =>
        new Promise<string>((resolve) => {
          let text = "";
          const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes, "latin1"));
          socket.on("data", (chunk) => {
            text += chunk.toString("latin1");
          });
          socket.on("error", () => undefined);
          socket.on("close", () => resolve(text));
        }),
    ),
  );
  for (const answer of answers) assert.match(answer, /^$|^HTTP\/1\.1 4\d\d/);
});

test("after all of it every validator runs, and the network includes a transfer", async () => {
  await new Sender(3).finalize(network.urls);
  network.urls.forEach((_, index) => {
    assert.equal(network.node(index)!.process.exitCode, null);
    assert.doesNotMatch(network.log(index), /"level":"error"/);
  });
});
