import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex } from "@ostrom/base";
import { WebSocket } from "ws";
import { result } from "./testing/http-client.ts";
import { EMITTER_INIT_CODE, EMITTER_TOPIC, transfer } from "./testing/raw-transactions.ts";
import { serveChain } from "./testing/served-chain.ts";

type Message = {
  readonly id?: number;
  readonly result?: string;
  readonly params?: { readonly subscription: string; readonly result: unknown };
};

/** Collects what a connection receives until a condition holds. */
function collect(
  socket: WebSocket,
): (until: (messages: readonly Message[]) => boolean) => Promise<readonly Message[]> {
  const messages: Message[] = [];
  let check = (): void => {};
  socket.on("message", (data) => {
    messages.push(JSON.parse(data.toString()) as Message);
    check();
  });
  return (until) =>
    new Promise((resolve) => {
      check = () => {
        if (until(messages)) resolve(messages);
      };
      check();
    });
}

test("subscribers get the logs and pending transactions that they asked for, after their ids", async () => {
  const served = await serveChain({ sealing: "manual" });
  const socket = new WebSocket(served.webSocket);
  await new Promise((resolve) => socket.once("open", resolve));
  const received = collect(socket);
  const subscribe = (id: number, ...params: unknown[]): unknown => ({
    jsonrpc: "2.0",
    id,
    method: "eth_subscribe",
    params,
  });
  const emitter = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
  socket.send(
    JSON.stringify([
      subscribe(1, "logs", { address: emitter, topics: [EMITTER_TOPIC] }),
      subscribe(2, "logs", { topics: [`0x${"77".repeat(32)}`] }),
      subscribe(3, "newPendingTransactions"),
      subscribe(4, "newPendingTransactions", true),
      subscribe(5, "newHeads"),
    ]),
  );
  const [answers] = await received((messages) => messages.length > 0);
  const ids = (answers as unknown as Message[]).map((answer) => answer.result!);

  const create = transfer(0, { to: undefined, data: EMITTER_INIT_CODE, gasLimit: 200_000n, value: 0n });
  const emit = transfer(1, { to: addressFromHex(emitter), gasLimit: 50_000n, value: 0n });
  await result(served.http, "eth_sendRawTransaction", [create.raw]);
  await result(served.http, "eth_sendRawTransaction", [emit.raw]);
  // Whole transactions are fetched from the pool, so the block is made when they have been told.
  await received((messages) => messages.filter(({ params }) => params?.subscription === ids[3]).length === 2);
  served.chain.seal();

  const messages = await received((all) => all.some(({ params }) => params?.subscription === ids[0]));
  const newsOf = (index: number): unknown[] =>
    messages.flatMap(({ params }) =>
      params !== undefined && params.subscription === ids[index] ? [params.result] : [],
    );
  const [log] = newsOf(0) as {
    address: string;
    topics: string[];
    removed: boolean;
    transactionHash: string;
  }[];
  assert.deepEqual(
    [log?.address, log?.topics, log?.removed, log?.transactionHash],
    [emitter, [EMITTER_TOPIC], false, emit.hash],
  );
  assert.deepEqual(newsOf(1), []);
  assert.deepEqual(newsOf(2), [create.hash, emit.hash]);
  assert.deepEqual(
    (newsOf(3) as { hash: string }[]).map(({ hash }) => hash),
    [create.hash, emit.hash],
  );
  assert.deepEqual(
    (newsOf(4) as { number: string }[]).map(({ number }) => number),
    ["0x1"],
  );
  socket.terminate();
  await served.stop();
});
