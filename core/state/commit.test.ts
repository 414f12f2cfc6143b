import assert from "node:assert/strict";
import { test } from "node:test";
import { MerklePatriciaTrie } from "@ethereumjs/mpt";
import { createRandom, Hash, must, toHex, toHexDigits, utf8, wordToBytes } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import {
  changesBack,
  commitOperations,
  commitState,
  decodeAccount,
  decodeUndo,
  EMPTY_CODE_HASH,
  EMPTY_TRIE_ROOT,
  encodeAccount,
  encodeUndo,
  genesisChanges,
  historicalReader,
  historicalTries,
  MemoryState,
  mergeUndos,
  proveAccount,
  readUndos,
  STATE_TABLES,
  StateOverlay,
  type StateReader,
  storeReader,
  storeState,
  storeTries,
  undoKey,
  verifyAccountProof,
  verifySlotProof,
} from "./index.ts";
import { MapStore } from "./testing/map-store.ts";
import { ADDRESSES, describeState, GENESIS, randomBlock, rebuild, SLOTS } from "./testing/random-blocks.ts";

const HASH_A = keccak256(utf8("a"));
const HASH_B = keccak256(utf8("b"));

test("an account is encoded as the Yellow Paper has it, and decoded strictly", () => {
  const account = { nonce: 1n, balance: 256n, storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH };
  const encoded = encodeAccount(account);
  assert.equal(
    toHex(encoded),
    "0xf84601820100" +
      "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421" +
      "a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
  );
  assert.deepEqual(decodeAccount(encoded), { ok: true, value: account });
  const refused: [Uint8Array, string][] = [
    [encoded.subarray(1), "rlp/trailing-bytes"],
    [encoded.slice(0, -1), "rlp/truncated"],
    [encodeRlp([rlpUint(1), rlpUint(1), HASH_A]), "rlp/wrong-shape"],
    [encodeRlp([rlpUint(1), rlpUint(1), HASH_A, HASH_A.subarray(1)]), "rlp/wrong-shape"],
    [encodeRlp([Uint8Array.of(0, 1), rlpUint(1), HASH_A, HASH_A]), "rlp/non-canonical"],
    [encodeRlp([rlpUint(1n << 64n), rlpUint(1), HASH_A, HASH_A]), "rlp/wrong-shape"],
    [encodeRlp([rlpUint(1), rlpUint(1n << 256n), HASH_A, HASH_A]), "rlp/wrong-shape"],
  ];
  for (const [bytes, code] of refused) {
    const result = decodeAccount(bytes);
    assert.equal(result.ok ? "ok" : result.error.code, code);
  }
});

test("the state root is that of @ethereumjs/mpt over hashed addresses and slots", async () => {
  const state = MemoryState.of(GENESIS);
  const reference = new MerklePatriciaTrie({ useKeyHashing: true });
  for (const { address, nonce, balance, code, storage } of GENESIS) {
    const slots = new MerklePatriciaTrie({ useKeyHashing: true });
    for (const { slot, value } of storage)
      if (value !== 0n) await slots.put(wordToBytes(slot), encodeRlp(rlpUint(value)));
    const codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccak256(code);
    await reference.put(
      address,
      encodeAccount({ nonce, balance, storageRoot: Hash(slots.root()), codeHash }),
    );
  }
  assert.equal(toHex(state.stateRoot), toHex(reference.root()));
});

test("an undo is encoded and decoded to the same, and decoded strictly", () => {
  const account = { nonce: 1n, balance: 2n, storageRoot: HASH_A, codeHash: HASH_B };
  const undo = {
    stateRoot: HASH_A,
    accounts: [
      {
        address: ADDRESSES[0]!,
        account,
        slots: [
          { slot: 0n, value: (1n << 256n) - 1n },
          { slot: 1n << 255n, value: 0n },
        ],
      },
      { address: ADDRESSES[1]!, account: undefined, slots: [] },
    ],
  };
  const encoded = encodeUndo(undo);
  assert.deepEqual(decodeUndo(encoded), { ok: true, value: undo });
  for (let length = 0; length < encoded.length; length++)
    assert.equal(decodeUndo(encoded.subarray(0, length)).ok, false);
  const wrong = decodeUndo(encodeRlp([HASH_A, [[ADDRESSES[0]!, [], []]]]));
  assert.equal(wrong.ok ? "ok" : wrong.error.code, "rlp/wrong-shape");
});

/** A chain of random blocks, in memory and in a store. `states` and `roots` have an entry for each height. */
function randomChain(seed: number, blocks: number): { store: MapStore; roots: Hash[]; states: string[] } {
  const random = createRandom(seed);
  const memory = MemoryState.of(GENESIS);
  const store = new MapStore();
  const genesis = commitState({ ...storeState(store), stateRoot: EMPTY_TRIE_ROOT }, genesisChanges(GENESIS));
  store.write(commitOperations(genesis, undefined));
  const roots = [genesis.stateRoot];
  const states = [describeState(memory)];
  for (let height = 1; height <= blocks; height++) {
    const below = { ...storeState(store), stateRoot: must(roots.at(-1), "there must be a root") };
    const changes = randomBlock(random, below.reader);
    const commit = commitState(below, changes);
    store.write(commitOperations(commit, height));
    const inMemory = memory.commit(changes);
    assert.equal(toHex(inMemory.stateRoot), toHex(commit.stateRoot));
    assert.equal(
      toHex(rebuild(memory).stateRoot),
      toHex(commit.stateRoot),
      "the same state has the same root",
    );
    roots.push(commit.stateRoot);
    states.push(describeState(memory));
  }
  assert.equal(describeState(storeReader(store)), states.at(-1));
  return { store, roots, states };
}

function table(store: MapStore, prefix: number): Map<string, string> {
  const digits = prefix.toString(16);
  return new Map(
    [...store.records].filter(([key]) => key.startsWith(digits)).map(([key, value]) => [key, toHex(value)]),
  );
}

test("a store keeps what a state made from nothing would have, and nothing more", () => {
  for (let seed = 0; seed < 10; seed++) {
    const { store, roots } = randomChain(seed, 12);
    const fresh = new MapStore();
    const state = rebuild(storeReader(store));
    assert.equal(toHex(state.stateRoot), toHex(must(roots.at(-1), "there must be a root")));
    const accounts = ADDRESSES.flatMap((address) => {
      const account = storeReader(store).account(address);
      if (account === undefined) return [];
      const storage = SLOTS.map((slot) => ({ slot, value: storeReader(store).storage(address, slot) }));
      return [{ ...account, address, code: storeReader(store).code(account.codeHash), storage }];
    });
    const commit = commitState(
      { ...storeState(fresh), stateRoot: EMPTY_TRIE_ROOT },
      genesisChanges(accounts),
    );
    fresh.write(commitOperations(commit, undefined));
    for (const prefix of [
      STATE_TABLES.account,
      STATE_TABLES.slot,
      STATE_TABLES.accountNode,
      STATE_TABLES.storageNode,
    ]) {
      assert.deepEqual(new Map([...table(store, prefix)].sort()), new Map([...table(fresh, prefix)].sort()));
    }
    assert.equal(
      state.nodeCount(),
      table(store, STATE_TABLES.accountNode).size + table(store, STATE_TABLES.storageNode).size,
    );
  }
});

test("reads, roots and proofs of every older block come out of the undos", () => {
  for (let seed = 100; seed < 106; seed++) {
    const { store, roots, states } = randomChain(seed, 10);
    const head = roots.length - 1;
    const current = { reader: storeReader(store), tries: storeTries(store), stateRoot: roots[head]! };
    for (let height = 0; height <= head; height++) {
      const history = mergeUndos(
        current.stateRoot,
        must(readUndos(store, head, height), "undos must be kept"),
      );
      assert.equal(toHex(history.stateRoot), toHex(roots[height]!));
      const reader = historicalReader(current.reader, history);
      assert.equal(describeState(reader), states[height]);
      const tries = historicalTries(current, history);
      checkProofs({ reader, tries, stateRoot: roots[height]! });
    }
  }
});

function checkProofs(state: Parameters<typeof proveAccount>[0]): void {
  for (const address of ADDRESSES) {
    const proof = proveAccount(state, address, SLOTS);
    const account = verifyAccountProof(state.stateRoot, address, proof.accountProof);
    assert.deepEqual(account, { ok: true, value: state.reader.account(address) });
    const storageRoot = proof.account?.storageRoot ?? EMPTY_TRIE_ROOT;
    for (const { slot, value, proof: slotProof } of proof.storage) {
      assert.equal(value, state.reader.storage(address, slot));
      assert.deepEqual(verifySlotProof(storageRoot, slot, slotProof), { ok: true, value });
    }
  }
}

test("going back by the undos restores the older state, record by record", () => {
  for (let seed = 200; seed < 206; seed++) {
    const { store, roots, states } = randomChain(seed, 8);
    const head = roots.length - 1;
    for (const height of [head - 1, head - 4, 0]) {
      const branch = new MapStore();
      for (const [key, value] of store.records) branch.records.set(key, value);
      const history = mergeUndos(roots[head]!, must(readUndos(branch, head, height), "undos must be kept"));
      const commit = commitState({ ...storeState(branch), stateRoot: roots[head]! }, changesBack(history));
      branch.write(commitOperations(commit, undefined));
      assert.equal(toHex(commit.stateRoot), toHex(roots[height]!));
      assert.equal(describeState(storeReader(branch)), states[height]);
      const forth = mergeUndos(commit.stateRoot, [commit.undo]);
      assert.equal(toHex(forth.stateRoot), toHex(roots[head]!), "and its own undo leads forward again");
    }
  }
});

test("undos that are no longer kept make the older state unavailable", () => {
  const { store } = randomChain(1, 4);
  store.write([{ key: undoKey(2), value: undefined }]);
  assert.equal(readUndos(store, 4, 2)?.length, 2);
  assert.equal(readUndos(store, 4, 1), undefined);
});

test("an undo that does not fit the stored state is a broken invariant, never a false proof", () => {
  const { store, roots } = randomChain(3, 3);
  const current = { reader: storeReader(store), tries: storeTries(store), stateRoot: roots[3]! };
  const undos = must(readUndos(store, 3, 0), "undos must be kept");
  const gap = mergeUndos(roots[3]!, [undos[0]!, undos[2]!]);
  assert.throws(() => historicalTries(current, gap), /older state's root/);
});

const EMPTY_WITH_STORAGE = {
  address: ADDRESSES[0]!,
  nonce: 0n,
  balance: 0n,
  code: new Uint8Array(0),
  storage: SLOTS.map((slot) => ({ slot, value: slot + 1n })),
};

function touched(below: StateReader, refill: bigint): StateOverlay {
  const overlay = new StateOverlay(below);
  overlay.beginTransaction();
  overlay.touch(EMPTY_WITH_STORAGE.address);
  overlay.endTransaction();
  overlay.beginTransaction();
  if (refill > 0n) {
    overlay.setBalance(EMPTY_WITH_STORAGE.address, refill);
    overlay.setStorage(EMPTY_WITH_STORAGE.address, 1n, 9n);
  }
  overlay.endTransaction();
  return overlay;
}

test("an account that is removed takes its slots and its storage trie with it, and comes back by its undo", () => {
  for (const refill of [0n, 5n]) {
    const state = MemoryState.of([...GENESIS.slice(1), EMPTY_WITH_STORAGE]);
    const before = { root: state.stateRoot, text: describeState(state), nodes: state.nodeCount() };
    const commit = state.commit(touched(state, refill).changes());
    assert.equal(toHex(rebuild(state).stateRoot), toHex(state.stateRoot));
    assert.equal(rebuild(state).nodeCount(), state.nodeCount());
    assert.equal(state.storage(EMPTY_WITH_STORAGE.address, 2n), 0n);
    assert.equal(state.storage(EMPTY_WITH_STORAGE.address, 1n), refill > 0n ? 9n : 0n);
    const history = mergeUndos(state.stateRoot, [commit.undo]);
    assert.equal(describeState(historicalReader(state, history)), before.text);
    state.commit(changesBack(history));
    assert.equal(toHex(state.stateRoot), toHex(before.root));
    assert.equal(state.nodeCount(), before.nodes);
  }
});

test("a store refuses to remove an account with storage, which only a false genesis can ask for", () => {
  const store = new MapStore();
  const below = { ...storeState(store), stateRoot: EMPTY_TRIE_ROOT };
  const genesis = commitState(below, genesisChanges([EMPTY_WITH_STORAGE]));
  store.write(commitOperations(genesis, undefined));
  const changes = touched(storeReader(store), 0n).changes();
  assert.throws(
    () => commitState({ ...storeState(store), stateRoot: genesis.stateRoot }, changes),
    /storage below/,
  );
});

test("an account that names code which is not there is a broken invariant", () => {
  assert.throws(() => storeReader(new MapStore()).code(HASH_A), /code/);
  assert.throws(() => new MemoryState().code(HASH_A), /code/);
  assert.equal(storeReader(new MapStore()).code(EMPTY_CODE_HASH).length, 0);
  assert.equal(new MemoryState().code(EMPTY_CODE_HASH).length, 0);
});

test("a commit without changes has the same root, and writes nothing but its undo", () => {
  const state = MemoryState.of(GENESIS);
  const commit = commitState(state, { accounts: new Map(), codes: new Map() });
  assert.equal(toHexDigits(commit.stateRoot), toHexDigits(state.stateRoot));
  assert.deepEqual(commitOperations(commit, undefined), []);
  assert.equal(commitOperations(commit, 7).length, 1);
});

test("the flat keys sort by table, and the nodes of a subtree are one range", () => {
  const { store } = randomChain(9, 6);
  const paths = [...table(store, STATE_TABLES.accountNode).keys()].sort();
  assert.equal(paths[0], STATE_TABLES.accountNode.toString(16), "the root comes first");
  for (const path of paths) {
    const below = paths.filter((other) => other.startsWith(path));
    const first = paths.indexOf(path);
    assert.deepEqual(paths.slice(first, first + below.length), below);
  }
});
