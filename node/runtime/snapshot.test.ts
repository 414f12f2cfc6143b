import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bytes, toHexDigits } from "@ostrom/base";
import { STATE_TABLES } from "@ostrom/state";
import { createMemoryStore, readFloor, readHead, readMeta, type Store } from "@ostrom/storage";
import { EpochSets } from "./epoch-sets.ts";
import { Executor } from "./executor.ts";
import { machineClock } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { recoverChain } from "./recovered-chain.ts";
import { SnapshotFetch, type SnapshotOutcome } from "./snapshot-fetch.ts";
import {
  decodeSnapshotMessage,
  encodeSnapshotMessage,
  type SnapshotAnswer,
  type SnapshotQuestion,
} from "./snapshot-messages.ts";
import { SnapshotServer } from "./snapshot-server.ts";
import { readStartedSnapshot } from "./snapshot-tasks.ts";
import { CertifiedChain } from "./testing/certified-chain.ts";

const EPOCH = 20;
const HISTORY = 64;

type Serve = (question: SnapshotQuestion) => SnapshotAnswer | undefined;

/** A joining node, linked in this process with servers. */
function join(chain: CertifiedChain, store: Store, servers: Readonly<Record<string, Serve>>) {
  const punished: string[] = [];
  const fetch: SnapshotFetch = new SnapshotFetch(chain.genesis, chain.domain, {
    clock: machineClock,
    log: () => undefined,
    store,
    send: (peerId, payload) => {
      const read = decodeSnapshotMessage(payload);
      assert.ok(read.ok && "question" in read.value);
      const { id, question } = read.value;
      const answer = servers[peerId]?.(question);
      if (answer !== undefined)
        setImmediate(() => fetch.frame(peerId, encodeSnapshotMessage({ id, answer })));
    },
    punish: (peerId) => void punished.push(peerId),
  });
  for (const peerId of Object.keys(servers)) fetch.up(peerId);
  const outcome: Promise<SnapshotOutcome> = fetch.run();
  return { fetch, punished, outcome };
}

async function serverOf(chain: CertifiedChain): Promise<SnapshotServer> {
  const server = new SnapshotServer(chain.store, { schedule: chain.genesis });
  await server.refresh();
  return server;
}

async function dump(store: Store): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const { account, code, slot, accountNode, storageNode } = STATE_TABLES;
  for (const table of [account, code, slot, accountNode, storageNode])
    for await (const [key, value] of store.entries({
      start: Uint8Array.of(table),
      end: Uint8Array.of(table + 1),
    }))
      all.set(toHexDigits(key), toHexDigits(value));
  return all;
}

async function chainOf(blocks: number): Promise<CertifiedChain> {
  installNativeCrypto();
  const chain = new CertifiedChain({ epochLength: EPOCH });
  await chain.grow(blocks);
  return chain;
}

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
      bodies: 2 * EPOCH + 1,
      state: 2 * EPOCH,
      keptBlocks: 0,
    });
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

/** Of a stored set: names, hosts and ports are not what certificates name it by. */
const IN_AN_ADDRESS = 30;

/** Changes what an honest server answers; undefined: not this time. */
type Lie = (answer: SnapshotAnswer) => SnapshotAnswer | undefined;

const LIES: Readonly<Record<string, Lie>> = {
  "an account less": (answer) =>
    answer.kind === "accounts" && answer.range.accounts.length > 0
      ? { ...answer, range: { ...answer.range, accounts: answer.range.accounts.slice(1) } }
      : undefined,
  "an account changed": (answer) => {
    if (answer.kind !== "accounts") return undefined;
    const accounts = answer.range.accounts.map((one) => ({ ...one, value: flipped(one.value) }));
    return { ...answer, range: { ...answer.range, accounts } };
  },
  "a slot changed": (answer) => {
    if (answer.kind !== "slots" || answer.ranges.every(({ slots }) => slots.length === 0)) return undefined;
    const ranges = answer.ranges.map((range) => ({
      ...range,
      slots: range.slots.map(({ slot, value }) => ({ slot, value: value + 1n })),
    }));
    return { ...answer, ranges };
  },
  "a slot less": (answer) => {
    if (answer.kind !== "slots" || answer.ranges.every(({ slots }) => slots.length === 0)) return undefined;
    const ranges = answer.ranges.map((range) => ({ ...range, slots: range.slots.slice(1) }));
    return { ...answer, ranges };
  },
  "other code": (answer) =>
    answer.kind === "codes" ? { ...answer, codes: answer.codes.map(() => Uint8Array.of(1)) } : undefined,
  "a forged header": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, headers: answer.block.headers.map(flipped) } }
      : undefined,
  "headers left out": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, headers: answer.block.headers.slice(1) } }
      : undefined,
  "a forged certificate": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, certificate: flipped(answer.block.certificate) } }
      : undefined,
  "another ordered block": (answer) =>
    answer.kind === "block"
      ? {
          ...answer,
          block: {
            ...answer.block,
            ordered: answer.block.ordered.map((one) => ({ ...one, block: flipped(one.block) })),
          },
        }
      : undefined,
  "a forged finalization": (answer) =>
    answer.kind === "block"
      ? {
          ...answer,
          block: {
            ...answer.block,
            ordered: answer.block.ordered.map((one) => ({ ...one, finalization: flipped(one.finalization) })),
          },
        }
      : undefined,
  "no proof that the epoch is over": (answer) =>
    answer.kind === "block"
      ? { ...answer, block: { ...answer.block, sealProof: new Uint8Array(0) } }
      : undefined,
  "another set of validators": (answer) =>
    answer.kind === "sets"
      ? { ...answer, steps: answer.steps.map((step) => ({ ...step, set: flipped(step.set, IN_AN_ADDRESS) })) }
      : undefined,
  "a step from set to set that nobody signed": (answer) =>
    answer.kind === "sets"
      ? {
          ...answer,
          steps: answer.steps.map((step) => ({ ...step, certificate: flipped(step.certificate) })),
        }
      : undefined,
  "an answer to another question": (answer) =>
    answer.kind === "accounts" ? { kind: "codes", codes: [] } : undefined,
};

/** One bit of the last bytes: of a signature, a key, a root. */
function flipped(bytes: Bytes, at: number = Math.max(0, bytes.length - 9)): Bytes {
  const other = bytes.slice();
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

test("who lies is found out and dropped, and the state comes from others", async (t) => {
  const chain = await chainOf(2 * EPOCH);
  const server = await serverOf(chain);
  const expected = await dump(chain.store);
  for (const [name, lie] of Object.entries(LIES)) {
    await t.test(name, async () => {
      const store = createMemoryStore();
      let isHonestSilent = true;
      const { outcome, punished } = join(chain, store, {
        liar: (question) => {
          const answer = server.answer(question);
          const lied = lie(answer);
          if (lied !== undefined) isHonestSilent = false;
          return lied ?? answer;
        },
        // Heard of only when the other has lied, so that it is asked first.
        honest: (question) =>
          isHonestSilent && question.kind === "get-pins"
            ? { kind: "pins", pins: [] }
            : server.answer(question),
      });
      assert.equal((await outcome).kind, "joined");
      assert.deepEqual(punished, ["liar"]);
      assert.deepEqual(await dump(store), expected);
    });
  }
  await server.stop();
});
