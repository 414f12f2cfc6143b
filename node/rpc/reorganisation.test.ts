import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, hashFromWord, toHex, unwrap } from "@ostrom/base";
import { decodeSignedTransaction } from "@ostrom/execution";
import type { Block, RpcBackend } from "./backend.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createCriteria } from "./log-search.ts";
import { combineListeners, createServices } from "./services.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { transfer } from "./testing/raw-transactions.ts";

const NO_DEADLINE = Number.POSITIVE_INFINITY;

test("a block that took another's place is read anew and told to filters again", async () => {
  const fake = createFakeBackend();
  for (let i = 0; i < 3; i++) fake.grow();
  const replaced = new Map<number, Block>();
  const backend: RpcBackend = {
    ...fake,
    chain: {
      ...fake.chain,
      block: (number) => replaced.get(number) ?? fake.chain.block(number),
      header: (number) => replaced.get(number) ?? fake.chain.header(number),
    },
  };
  const services = createServices({ backend }, DEFAULT_LIMITS, (error) => assert.fail(String(error)));
  const { blocks, filters } = services;
  const listener = combineListeners(services);
  const id = filters.installBlockFilter();
  const tell = (number: number): void => listener.onBlock?.({ number, hash: blocks.byNumber(number)!.hash });

  const old = fake.grow();
  tell(4);
  assert.deepEqual(await filters.changes(id, NO_DEADLINE), [toHex(old.hash)]);
  assert.equal(blocks.byNumber(4)?.hash, old.hash);

  const other: Block = { ...old, hash: hashFromWord(4n) };
  replaced.set(4, other);
  listener.onBlock?.({ number: 4, hash: other.hash });
  assert.equal(blocks.byNumber(4)?.hash, other.hash);
  assert.deepEqual(await filters.changes(id, NO_DEADLINE), [toHex(other.hash)]);
});

test("news that come later than the block can be read are no reorganisation", async () => {
  const fake = createFakeBackend();
  const services = createServices({ backend: fake }, DEFAULT_LIMITS, (error) => assert.fail(String(error)));
  const listener = combineListeners(services);
  const [first, second] = [fake.grow(), fake.grow()];
  const id = services.filters.installBlockFilter();
  listener.onBlock?.({ number: 1, hash: first.hash });
  listener.onBlock?.({ number: 2, hash: second.hash });
  assert.deepEqual(await services.filters.changes(id, NO_DEADLINE), []);
});

test("a block that is taken off is told: its logs as removed, and its number to filters again when it is replaced", async () => {
  const fake = createFakeBackend();
  const services = createServices({ backend: fake }, DEFAULT_LIMITS, (error) => assert.fail(String(error)));
  const listener = combineListeners(services);
  const sent: string[] = [];
  const connection = { send: (message: string) => sent.push(message), subscriptions: new Map() };
  for (const subject of [{ kind: "logs", criteria: createCriteria([], []) }, { kind: "newHeads" }] as const)
    services.subscriptions.subscribe(connection, subject);
  services.subscriptions.release(connection);
  const first = fake.grow();
  listener.onBlock?.({ number: 1, hash: first.hash });
  const id = services.filters.installBlockFilter();
  const told = sent.length;

  const { raw } = transfer(0);
  const signed = unwrap(decodeSignedTransaction(unwrap(fromHex(raw))));
  const log = { address: signed.sender, topics: [], data: Uint8Array.of(1) };
  const receipt = {
    type: 2,
    succeeded: true,
    cumulativeGasUsed: 1n,
    bloom: new Uint8Array(256),
    logs: [log],
    gasUsed: 1n,
    effectiveGasPrice: 1n,
    contractAddress: undefined,
  } as const;
  listener.onUnwound?.({ block: { ...first, transactions: [signed] }, receipts: [receipt] });
  const news = sent
    .slice(told)
    .map((message) => JSON.parse(message).params.result as Record<string, unknown>);
  assert.deepEqual(
    news.map(({ removed, blockHash, transactionHash }) => [removed, blockHash, transactionHash]),
    [[true, toHex(first.hash), toHex(signed.hash)]],
  );
  listener.onBlock?.({ number: 1, hash: first.hash });
  assert.deepEqual(await services.filters.changes(id, NO_DEADLINE), [toHex(first.hash)]);
});

test("receipts that are read when the block is gone already are not taken for its own", () => {
  const fake = createFakeBackend();
  const block = fake.grow();
  let stands = true;
  const chain = { ...fake.chain, blockNumberOf: () => (stands ? block.header.number : undefined) };
  const open = () =>
    createServices({ backend: { ...fake, chain } }, DEFAULT_LIMITS, (error) => assert.fail(String(error)))
      .blocks;
  assert.equal(open().byNumber(1)?.receipts().length, block.transactions.length);
  const late = open().byNumber(1);
  stands = false;
  assert.throws(() => late?.receipts(), { name: "RpcError", message: /was taken off/ });
});
