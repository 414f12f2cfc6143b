/** Single reads a second over kept connections: `node node/rpc/reads.bench.ts [--url http://127.0.0.1:8545] [--seconds 4]
 * [--connections 32] [--account 0x...] [--contract 0x... --data 0x...]`. One JSON line a method. Without a URL: a chain in memory, whose server
 * has a thread of its own, with a contract that answers one word. */

import { connect, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { hex, toHex } from "@ostrom/base";
import { type SignedTransaction, signTransaction } from "@ostrom/execution";
import { result } from "./testing/http-client.ts";
import { ALICE, ALICE_KEY, EMITTER_INIT_CODE } from "./testing/raw-transactions.ts";
import { serveChain } from "./testing/served-chain.ts";

type Measured = { readonly requests: number; readonly errors: number; readonly latencies: number[] };

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "32" },
    account: { type: "string", default: toHex(ALICE) },
    contract: { type: "string" },
    data: { type: "string", default: "0x" },
  },
});

if (isMainThread) await main();
else await serve();

async function main(): Promise<void> {
  if (values.url !== undefined) return measureAll(values.url, values.contract ?? values.account);
  const worker = new Worker(new URL(import.meta.url));
  const { url, contract } = await new Promise<{ url: string; contract: string }>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  try {
    await measureAll(url, contract);
  } finally {
    await worker.terminate();
  }
}

async function measureAll(url: string, contract: string): Promise<void> {
  const latest = (await result(url, "eth_blockNumber")) as string;
  const fromBlock = `0x${Math.max(0, Number(latest) - 3).toString(16)}`;
  const calls: readonly (readonly [string, readonly unknown[]])[] = [
    ["eth_blockNumber", []],
    ["eth_getBalance", [values.account, "latest"]],
    ["eth_call", [{ to: contract, data: values.data }, "latest"]],
    ["eth_getLogs", [{ fromBlock, toBlock: latest, address: contract }]],
    ["eth_getBlockByNumber", ["latest", false]],
  ];
  for (const [method, params] of calls) {
    const answer = await result(url, method, params);
    const { requests, errors, latencies } = await load(url, method, params);
    latencies.sort((a, b) => a - b);
    const at = (share: number): number =>
      Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
    const requestsPerSecond = Math.round(requests / Number(values.seconds));
    const answerBytes = JSON.stringify(answer).length;
    const line = {
      bench: "reads",
      method,
      requestsPerSecond,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      errors,
      answerBytes,
    };
    console.log(JSON.stringify(line));
  }
}

/** Each connection sends one request, reads the answer, and sends the next. */
async function load(url: string, method: string, params: readonly unknown[]): Promise<Measured> {
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const head = `POST / HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  const request = Buffer.from(`${head}\r\n\r\n${body}`);
  const end = performance.now() + Number(values.seconds) * 1_000;
  const measured = { requests: 0, errors: 0, latencies: [] as number[] };
  const connections = Array.from({ length: Number(values.connections) }, () =>
    runConnection(connect(Number(port), hostname), request, end, measured),
  );
  await Promise.all(connections);
  return measured;
}

function runConnection(
  socket: Socket,
  request: Buffer,
  end: number,
  measured: { requests: number; errors: number; readonly latencies: number[] },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let text = "";
    const send = (): void => {
      sentAt = performance.now();
      text = "";
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const bodyStart = text.indexOf("\r\n\r\n") + 4;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (bodyStart < 4 || text.length < bodyStart + length) return;
      const now = performance.now();
      measured.latencies.push(now - sentAt);
      measured.requests++;
      if (!text.startsWith("HTTP/1.1 200") || text.includes('"error":')) measured.errors++;
      if (now < end) send();
      else socket.destroy();
    });
  });
}

/** The thread of the chain in memory. */
async function serve(): Promise<void> {
  const served = await serveChain({ chainId: 1337n });
  const sign = (fields: Partial<Parameters<typeof signTransaction>[0]>): SignedTransaction =>
    signTransaction({ chainId: 1337n, gasLimit: 200_000n, maxFeePerGas: 10n ** 10n, ...fields }, ALICE_KEY);
  const created = sign({ data: EMITTER_INIT_CODE });
  const send = ({ raw }: SignedTransaction): Promise<unknown> =>
    result(served.http, "eth_sendRawTransaction", [toHex(raw)]);
  await send(created);
  const receipt = await result(served.http, "eth_getTransactionReceipt", [toHex(created.hash)]);
  const { contractAddress } = receipt as { readonly contractAddress: `0x${string}` };
  for (let nonce = 1n; nonce <= 3n; nonce++) {
    const to = hex(contractAddress.slice(2)) as NonNullable<SignedTransaction["to"]>;
    await send(sign({ nonce, to }));
  }
  parentPort?.postMessage({ url: served.http, contract: contractAddress });
}
