import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createMemoryStore,
  readCheckpointSet,
  readFloor,
  readHead,
  readMeta,
  readReceipts,
  readStoredValidatorSet,
  type Store,
} from "@ostrom/storage";
import { createChainReads } from "./chain-view.ts";
import { EpochSets } from "./epoch-sets.ts";
import { Executor } from "./executor.ts";
import { recoverChain } from "./recovered-chain.ts";
import { readStartedSnapshot, wipeStartedSnapshot } from "./snapshot-tasks.ts";
import { chainOf, dump, EPOCH, HISTORY, join, serverOf } from "./testing/snapshot-joining.ts";

describe("snapshots", () => {
  test("a fresh node has the same state, byte for byte, and goes on with the same blocks", async () => {
    const chain = await chainOf(2 * EPOCH);
    const server = await serverOf(chain);
    assert.deepEqual(
      server.pins.map(({ height }) => height),
      [2 * EPOCH],
    );
    const expected = await dump(chain.store);
    const store = createMemoryStore();
    const { outcome, punished } = join(chain, store, { one: (question) => server.answer(question) });
    assert.equal((await outcome).kind, "joined");
    assert.deepEqual(punished, []);
    assert.deepEqual(await dump(store), expected);
    assert.equal(readStartedSnapshot(store), undefined);
    assert.deepEqual(readHead(store), readHead(chain.store));
    assert.deepEqual(readFloor(store), {
      headers: 1,
      bodies: 2 * EPOCH,
      state: 2 * EPOCH,
      keptBlocks: 0,
    });
    const reads = createChainReads(store, HISTORY, () => undefined);
    const { latest, certified, earliest } = reads.heads();
    assert.deepEqual({ latest, certified, earliest }, { latest: 40, certified: 40, earliest: 40 });
    const block = reads.block(latest);
    assert.equal(block?.transactions.length, 3);
    assert.deepEqual(block, createChainReads(chain.store, HISTORY, () => undefined).block(latest));
    assert.deepEqual(reads.receipts(latest), readReceipts(chain.store, latest));
    assert.deepEqual(reads.transactionLocation(block!.transactions[2]!.hash), { blockNumber: 40, index: 2 });
    for (let epoch = 0; epoch <= 2; epoch++) {
      assert.deepEqual(readStoredValidatorSet(store, epoch), readStoredValidatorSet(chain.store, epoch));
      assert.deepEqual(readCheckpointSet(store, epoch), readCheckpointSet(chain.store, epoch));
    }
    const recovered = recoverChain(store, new EpochSets(store, chain.genesis));
    assert.deepEqual(recovered, recoverChain(chain.store, new EpochSets(chain.store, chain.genesis)));
    await chain.grow(EPOCH + 5);
    const executor = await Executor.open(store, chain.genesis, HISTORY);
    for (const input of chain.inputs.slice(2 * EPOCH)) await executor.execute(input);
    assert.deepEqual(executor.head().blockHash, chain.hashes.at(-1));
    assert.deepEqual(await dump(store), await dump(chain.store));
    await server.stop();
  });

  test("a state is served while blocks go on, also one that was pinned some blocks late", async () => {
    const chain = await chainOf(EPOCH + 7);
    const server = await serverOf(chain);
    assert.equal(server.pins[0]?.height, EPOCH);
    await chain.grow(5);
    const store = createMemoryStore();
    const { outcome } = join(chain, store, { one: (question) => server.answer(question) });
    assert.equal((await outcome).kind, "joined");
    const executor = await Executor.open(store, chain.genesis, HISTORY);
    for (const input of chain.inputs.slice(EPOCH)) await executor.execute(input);
    assert.deepEqual(executor.head().blockHash, chain.hashes.at(-1));
    assert.deepEqual(await dump(store), await dump(chain.store));
    await server.stop();
  });

  test("two states are served at most, the newest; the oldest goes", async () => {
    const chain = await chainOf(EPOCH);
    const server = await serverOf(chain);
    for (let epoch = 2; epoch <= 4; epoch++) {
      await chain.grow(EPOCH);
      await server.refresh();
    }
    assert.deepEqual(
      server.pins.map(({ height }) => height),
      [4 * EPOCH, 3 * EPOCH],
    );
    await server.stop();
  });

  test("a node that was ended in the middle looks empty, and goes on where it was", async () => {
    const chain = await chainOf(2 * EPOCH);
    const server = await serverOf(chain);
    const store = createMemoryStore();
    let answers = 0;
    const first = join(chain, store, {
      one: (question) => {
        answers += question.kind.startsWith("get-a") ? 1 : 0;
        if (answers > 4) return undefined;
        return server.answer(question);
      },
    });
    first.outcome.catch(() => undefined);
    while (answers <= 4) await new Promise(setImmediate);
    first.fetch.stop();
    await assert.rejects(first.outcome, { code: "snapshot/stopped" });
    assert.equal(readMeta(store), undefined);
    assert.equal(readStartedSnapshot(store)?.height, 2 * EPOCH);
    let asked = 0;
    const second = join(chain, store, {
      one: (question) => {
        asked += question.kind === "get-accounts" ? 1 : 0;
        return server.answer(question);
      },
    });
    assert.equal((await second.outcome).kind, "joined");
    assert.ok(asked < 16, `${asked} ranges were asked for again`);
    assert.deepEqual(await dump(store), await dump(chain.store));
    await server.stop();
  });

  test("a node that was ended while it removed a state takes what is left for a part of none", async () => {
    const chain = await chainOf(EPOCH);
    const server = await serverOf(chain);
    const store = createMemoryStore();
    let answers = 0;
    const first = join(chain, store, {
      one: (question) => {
        answers += question.kind === "get-accounts" ? 1 : 0;
        return answers > 4 ? undefined : server.answer(question);
      },
    });
    first.outcome.catch(() => undefined);
    while (answers <= 4) await new Promise(setImmediate);
    first.fetch.stop();
    await assert.rejects(first.outcome, { code: "snapshot/stopped" });
    let writes = 0;
    const dying: Store = {
      ...store,
      get: (key) => store.get(key),
      entries: (range) => store.entries(range),
      write: async (operations, options) => {
        if (++writes > 3) throw new Error("the power went");
        await store.write(operations, options);
      },
    };
    await assert.rejects(wipeStartedSnapshot(dying));
    assert.equal(readStartedSnapshot(store)?.height, 0);
    const second = join(chain, store, { one: (question) => server.answer(question) });
    assert.equal((await second.outcome).kind, "joined");
    assert.deepEqual(await dump(store), await dump(chain.store));
    await server.stop();
  });

  test("a client whose state goes away changes to the next one", async () => {
    const chain = await chainOf(EPOCH);
    const server = await serverOf(chain);
    const store = createMemoryStore();
    let answers = 0;
    const grown = Promise.withResolvers<void>();
    const { outcome } = join(chain, store, {
      one: (question) => {
        if (question.kind === "get-accounts" && ++answers === 3) {
          void chain
            .grow(2 * EPOCH)
            .then(() => server.refresh())
            .then(() => grown.resolve());
        }
        const isOld = "pin" in question && question.pin.height === EPOCH;
        return answers >= 3 && isOld ? { kind: "refused", code: "gone" } : server.answer(question);
      },
    });
    await grown.promise;
    assert.deepEqual(await outcome, { kind: "joined", pin: server.pins[0] });
    assert.deepEqual(await dump(store), await dump(chain.store));
    await server.stop();
  });

  test("there is nothing to fetch of a chain in its first epoch", async () => {
    const chain = await chainOf(3);
    const server = await serverOf(chain);
    const { outcome } = join(chain, createMemoryStore(), { one: (question) => server.answer(question) });
    assert.deepEqual(await outcome, { kind: "nothing" });
    await server.stop();
  });
});
