import assert from "node:assert/strict";
import { test } from "node:test";
import { hashFromWord, toHex } from "@ostrom/base";
import type { Block, RpcBackend } from "./backend.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { combineListeners, createServices } from "./services.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";

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
