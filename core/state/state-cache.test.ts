import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  type Bytes,
  bytesToBigint,
  createRandom,
  toHex,
  toHexDigits,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  commitOperations,
  commitState,
  createStateCache,
  EMPTY_TRIE_ROOT,
  type KeyValueReader,
  type StateChanges,
  StateOverlay,
  storeState,
  type WriteOperation,
} from "./index.ts";

const SMALL = 20_000;
const LARGE = 2 ** 24;

class CountingStore implements KeyValueReader {
  readonly values = new Map<string, Bytes>();
  reads = 0;

  get(key: Bytes): Bytes | undefined {
    this.reads++;
    return this.values.get(toHexDigits(key));
  }

  write(batch: readonly WriteOperation[]): void {
    for (const { key, value } of batch) {
      if (value === undefined) this.values.delete(toHexDigits(key));
      else this.values.set(toHexDigits(key), value.slice());
    }
  }
}

function addressOf(index: number): Address {
  return keccak256(wordToBytes(BigInt(index))).slice(12) as Address;
}

function randomChanges(state: StateOverlay, random: ReturnType<typeof createRandom>): StateChanges {
  state.beginTransaction();
  for (let change = 0; change < 30; change++) {
    const address = addressOf(random.below(200));
    if (random.below(8) === 0) state.setBalance(address, 0n);
    else state.setBalance(address, BigInt(random.nextUint32()));
    if (random.below(3) > 0) continue;
    // Storage is for accounts that last.
    state.setNonce(address, state.nonce(address) + 1n);
    const slot = bytesToBigint(keccak256(Uint8Array.of(random.below(16))));
    state.setStorage(address, slot, BigInt(random.below(3)));
  }
  state.endTransaction();
  return state.changes();
}

for (const maxBytes of [SMALL, LARGE]) {
  test(`a state cache of ${maxBytes} bytes changes no root, record or node of a run of blocks`, () => {
    const cached = new CountingStore();
    const plain = new CountingStore();
    const cache = createStateCache(maxBytes);
    const random = createRandom(11);
    let root = EMPTY_TRIE_ROOT;
    for (let height = 1; height <= 60; height++) {
      const below = storeState(cached);
      const reader = cache.reader(below.reader);
      const changes = randomChanges(new StateOverlay(reader), random);
      const commit = commitState(
        { ...below, reader, tries: cache.tries(below.tries), stateRoot: root },
        changes,
      );
      const expected = commitState({ ...storeState(plain), stateRoot: root }, changes);
      assert.equal(toHex(commit.stateRoot), toHex(expected.stateRoot));
      assert.deepEqual(commitOperations(commit, height), commitOperations(expected, height));
      cached.write(commitOperations(commit, height));
      plain.write(commitOperations(expected, height));
      cache.committed(commit);
      root = commit.stateRoot;
    }
    assert.deepEqual(cached.values, plain.values);
  });
}

test("a state cache reads nothing twice, not even what is absent, until it is emptied", () => {
  const store = new CountingStore();
  const cache = createStateCache(LARGE);
  const reader = cache.reader(storeState(store).reader);
  const read = (): void => {
    reader.account(addressOf(1));
    reader.storage(addressOf(1), 7n);
  };
  read();
  const { reads } = store;
  read();
  assert.equal(store.reads, reads);
  cache.clear();
  read();
  assert.equal(store.reads, 2 * reads);
});
