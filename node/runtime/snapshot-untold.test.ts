import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, Epoch, Hash, hashFromWord, must, unwrap } from "@ostrom/base";
import { decodeCheckpointSet, encodeCheckpointSet } from "@ostrom/consensus";
import { encodeCursors } from "@ostrom/dissemination";
import { LEADER_SEED_SLOT } from "@ostrom/execution";
import { storeReader } from "@ostrom/state";
import {
  createMemoryStore,
  decodeForeignSet,
  readBatchCursors,
  readCheckpointSet,
  readHead,
  readStoredValidatorSet,
  type Store,
  type StoredValidatorSet,
  validatorSetOperation,
} from "@ostrom/storage";
import { Executor } from "./executor.ts";
import type { SnapshotAnswer } from "./snapshot-messages.ts";
import { isPinHeight } from "./snapshot-pin.ts";
import { settledSet } from "./snapshot-sets.ts";
import type { CertifiedChain } from "./testing/certified-chain.ts";
import { chainOf, dump, EPOCH, flipped, HISTORY, join, serverOf } from "./testing/snapshot-joining.ts";

/** A joining node whose only server changes what no certificate covers: nobody is found out. */
async function joinFrom(
  chain: CertifiedChain,
  change: (answer: SnapshotAnswer) => SnapshotAnswer,
): Promise<Store> {
  const server = await serverOf(chain);
  const store = createMemoryStore();
  const { outcome, punished } = join(chain, store, { liar: (question) => change(server.answer(question)) });
  assert.equal((await outcome).kind, "joined");
  assert.deepEqual(punished, []);
  await server.stop();
  return store;
}

/** Other names, hosts, ports and proofs, and a leader seed, for the same keys. */
function renamed(set: StoredValidatorSet): StoredValidatorSet {
  const validators = set.validators.map((validator) => ({
    ...validator,
    name: "mallory",
    host: "10.6.6.6",
    port: 666,
    proofOfPossession: Uint8Array.of(6),
  }));
  return { ...set, validators, leaderSeed: hashFromWord(666n) };
}

test("names, hosts, ports and the leader seed of the sets are state's, whatever a server says", async () => {
  const chain = await chainOf(2 * EPOCH);
  const store = await joinFrom(chain, (answer) => {
    if (answer.kind !== "sets") return answer;
    const steps = answer.steps.map(({ certificate, set }) => {
      const { value } = validatorSetOperation(1, renamed(must(decodeForeignSet(set), "the set is one")));
      return { certificate, set: must(value, "it is written") };
    });
    return { ...answer, steps };
  });
  const newest = readStoredValidatorSet(store, 2);
  assert.deepEqual(newest, readStoredValidatorSet(chain.store, 2));
  // No state tells the seed of an epoch that is over, and nobody draws its leaders again.
  assert.deepEqual(readStoredValidatorSet(store, 1)?.validators, newest?.validators);
  await chain.grow(EPOCH + 2);
  const executor = await Executor.open(store, chain.genesis, HISTORY);
  for (const input of chain.inputs.slice(2 * EPOCH)) await executor.execute(input);
  assert.deepEqual(readStoredValidatorSet(store, 3), readStoredValidatorSet(chain.store, 3));
});

test("the leader seed of the newest set is read from state, that of an older one is not", () => {
  const told = { schemeId: 1, validators: [], leaderSeed: hashFromWord(666n) };
  const stateOf = (seed: bigint) => ({
    storage: (_address: unknown, slot: bigint) => (slot === LEADER_SEED_SLOT ? seed : 0n),
  });
  assert.deepEqual(settledSet(stateOf(7n), told, true).leaderSeed, hashFromWord(7n));
  assert.equal(settledSet(stateOf(0n), told, true).leaderSeed, undefined);
  assert.deepEqual(settledSet(stateOf(7n), told, false).leaderSeed, told.leaderSeed);
});

test("a set takes from state what is there for its keys, and keeps what it was told of a validator that has gone", async () => {
  const chain = await chainOf(1);
  const set = must(readStoredValidatorSet(chain.store, 0), "genesis has a set");
  const [first, second] = renamed(set).validators;
  assert.ok(first !== undefined && second !== undefined);
  const gone = { ...second, consensusKey: flipped(second.consensusKey) };
  const settled = settledSet(storeReader(chain.store), { ...set, validators: [first, gone] }, true);
  assert.deepEqual(settled.validators, [set.validators[0], gone]);
});

test("checkpoint keys are state's, and cursors of batches count for the pinned block's epoch alone", async () => {
  const chain = await chainOf(2 * EPOCH);
  const cursors = encodeCursors(2, new Map([[0, 1_000]]));
  const store = await joinFrom(chain, (answer) => {
    if (answer.kind !== "block") return answer;
    const extras = answer.block.extras.map(({ name, value }) => ({ name, value: otherKeys(value) }));
    assert.equal(extras.length, 2);
    const false_ = { name: "batch-cursors/0", value: cursors };
    return { ...answer, block: { ...answer.block, extras: [...extras, false_] } };
  });
  for (let epoch = 0; epoch <= 2; epoch++)
    assert.deepEqual(readCheckpointSet(store, epoch), readCheckpointSet(chain.store, epoch));
  assert.equal(readBatchCursors(store), undefined);
  // The pinned block ends epoch 1, for which they may be told.
  const told = await joinFrom(chain, (answer) => {
    if (answer.kind !== "block") return answer;
    const extras = [{ name: "batch-cursors/0", value: encodeCursors(1, new Map([[0, 1_000]])) }];
    return { ...answer, block: { ...answer.block, extras } };
  });
  assert.notEqual(readBatchCursors(told), undefined);
  assert.deepEqual(await dump(told), await dump(chain.store));
  assert.deepEqual(readHead(told), readHead(chain.store));
});

function otherKeys(bytes: Bytes): Bytes {
  const { epoch, members } = unwrap(decodeCheckpointSet(bytes));
  const keyHash = Hash(new Uint8Array(32).fill(6));
  return encodeCheckpointSet({
    epoch: Epoch(epoch),
    members: members.map((member) => ({ ...member, keyHash })),
  });
}

test("no state is served between the block that decides the next set and the end of the epoch", () => {
  const schedule = { epochLength: 100, epochLead: 30 };
  const pins = Array.from({ length: 200 }, (_, index) => index + 1).filter((height) =>
    isPinHeight(schedule, height, 10),
  );
  assert.deepEqual(pins, [10, 20, 30, 40, 50, 60, 100, 110, 120, 130, 140, 150, 160, 200]);
});
