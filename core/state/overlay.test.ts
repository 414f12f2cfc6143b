import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, type Bytes, createRandom, hashFromWord, type Random, toHex, toHexDigits, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import fc from "fast-check";
import { EMPTY_CODE_HASH, type GenesisAccount, MemoryState, StateOverlay } from "./index.ts";

const ALICE = Address(new Uint8Array(20).fill(0xaa));
const BOB = Address(new Uint8Array(20).fill(0xbb));
const NOBODY = Address(new Uint8Array(20).fill(0xcc));

function account(address: Address, fields: Partial<GenesisAccount> = {}): GenesisAccount {
  return { address, nonce: 0n, balance: 0n, code: new Uint8Array(0), storage: [], ...fields };
}

function overlayOn(...accounts: GenesisAccount[]): StateOverlay {
  const overlay = new StateOverlay(MemoryState.of(accounts));
  overlay.beginTransaction();
  return overlay;
}

test("an absent account reads as empty, and has no code hash", () => {
  const state = overlayOn();
  assert.equal(state.exists(NOBODY), false);
  assert.equal(state.isEmpty(NOBODY), true);
  assert.equal(state.balance(NOBODY), 0n);
  assert.equal(state.nonce(NOBODY), 0n);
  assert.equal(state.code(NOBODY).length, 0);
  assert.equal(state.codeHash(NOBODY), undefined);
  assert.equal(state.storage(NOBODY, 1n), 0n);
  assert.equal(state.hasStorage(NOBODY), false);
  state.endTransaction();
  assert.equal(state.changes().accounts.size, 0);
});

test("accounts are read from below, with code and storage", () => {
  const code = utf8("code");
  const state = overlayOn(
    account(ALICE, { nonce: 3n, balance: 5n, code, storage: [{ slot: 1n, value: 2n }] }),
    account(BOB, { balance: 1n }),
  );
  assert.equal(state.nonce(ALICE), 3n);
  assert.equal(state.balance(ALICE), 5n);
  assert.deepEqual(state.code(ALICE), code);
  assert.deepEqual(state.codeHash(ALICE), keccak256(code));
  assert.equal(state.storage(ALICE, 1n), 2n);
  assert.equal(state.hasStorage(ALICE), true);
  assert.equal(state.isEmpty(ALICE), false);
  assert.deepEqual(state.codeHash(BOB), EMPTY_CODE_HASH);
  assert.equal(state.hasStorage(BOB), false);
});

test("EIP-161: a touched empty account is removed at the end, an untouched one stays", () => {
  const state = overlayOn(account(ALICE), account(BOB));
  state.touch(ALICE);
  assert.equal(state.exists(ALICE), true);
  state.endTransaction();
  assert.equal(state.exists(ALICE), false);
  assert.equal(state.exists(BOB), true);
  assert.deepEqual([...state.changes().accounts.keys()], [toHexDigits(ALICE)]);
  assert.equal(state.changes().accounts.get(toHexDigits(ALICE))?.account, undefined);
});

test("EIP-161: a touch that is reverted does not count", () => {
  const state = overlayOn(account(ALICE));
  const checkpoint = state.checkpoint();
  state.touch(ALICE);
  state.setBalance(ALICE, 0n);
  state.revertTo(checkpoint);
  state.endTransaction();
  assert.equal(state.exists(ALICE), true);
  assert.equal(state.changes().accounts.size, 0);
});

test("EIP-161: a touch before the checkpoint survives a revert of a second touch", () => {
  const state = overlayOn(account(ALICE));
  state.touch(ALICE);
  const checkpoint = state.checkpoint();
  state.touch(ALICE);
  state.revertTo(checkpoint);
  state.endTransaction();
  assert.equal(state.exists(ALICE), false);
});

test("EIP-161: a touch in an earlier transaction says nothing about this one", () => {
  const state = overlayOn(account(ALICE, { balance: 1n }), account(BOB));
  state.touch(ALICE);
  state.endTransaction();
  state.beginTransaction();
  state.endTransaction();
  assert.equal(state.exists(ALICE), true);
  assert.equal(state.exists(BOB), true);
});

test("an account that is paid nothing is not created; one that is emptied is removed", () => {
  const state = overlayOn(account(ALICE, { balance: 5n }));
  state.setBalance(NOBODY, 0n);
  state.touch(BOB);
  assert.equal(state.exists(BOB), false);
  state.setBalance(ALICE, 0n);
  state.endTransaction();
  assert.equal(state.exists(NOBODY), false);
  assert.equal(state.exists(ALICE), false);
  assert.deepEqual([...state.changes().accounts.keys()], [toHexDigits(ALICE)]);
});

test("EIP-6780: only what was created in the same transaction is removed by self-destruction", () => {
  const state = overlayOn(account(ALICE, { nonce: 1n, balance: 5n, code: utf8("old") }));
  state.markSelfDestructed(ALICE);
  state.markCreated(BOB);
  state.setNonce(BOB, 1n);
  state.setCode(BOB, utf8("new"));
  state.setBalance(BOB, 9n);
  state.setStorage(BOB, 1n, 1n);
  state.markSelfDestructed(BOB);
  assert.equal(state.wasCreated(BOB), true);
  assert.equal(state.balance(BOB), 9n, "it lives until the end");
  state.endTransaction();
  assert.equal(state.exists(ALICE), true);
  assert.equal(state.exists(BOB), false);
  assert.equal(state.storage(BOB, 1n), 0n);
  assert.equal(state.codeHash(BOB), undefined);
  state.beginTransaction();
  assert.equal(state.wasCreated(BOB), false);
  state.markSelfDestructed(ALICE);
  state.endTransaction();
  assert.equal(state.changes().accounts.size, 0);
  assert.equal(state.changes().codes.size, 0);
});

test("EIP-6780: creation and self-destruction that are reverted do not count", () => {
  const state = overlayOn();
  const outer = state.checkpoint();
  state.markCreated(BOB);
  state.setNonce(BOB, 1n);
  const inner = state.checkpoint();
  state.markSelfDestructed(BOB);
  state.revertTo(inner);
  state.endTransaction();
  assert.equal(state.exists(BOB), true);
  state.beginTransaction();
  const again = state.checkpoint();
  assert.equal(outer, again);
  state.markCreated(NOBODY);
  state.revertTo(again);
  assert.equal(state.wasCreated(NOBODY), false);
  assert.equal(state.exists(NOBODY), false);
});

test("EIP-2200: the original value is the one at the transaction's beginning, for each transaction", () => {
  const state = overlayOn(account(ALICE, { nonce: 1n, storage: [{ slot: 1n, value: 10n }] }));
  state.setStorage(ALICE, 1n, 11n);
  state.setStorage(ALICE, 1n, 12n);
  assert.equal(state.originalStorage(ALICE, 1n), 10n);
  assert.equal(state.storage(ALICE, 1n), 12n);
  state.endTransaction();
  state.beginTransaction();
  assert.equal(state.originalStorage(ALICE, 1n), 12n);
  const checkpoint = state.checkpoint();
  state.setStorage(ALICE, 1n, 13n);
  assert.equal(state.originalStorage(ALICE, 1n), 12n);
  state.revertTo(checkpoint);
  assert.equal(state.originalStorage(ALICE, 1n), 12n);
  state.setStorage(ALICE, 1n, 10n);
  assert.equal(state.originalStorage(ALICE, 1n), 12n);
  state.endTransaction();
  assert.equal(state.changes().accounts.size, 0, "a slot that ends as it began below is no change");
});

test("a change that ends equal to what lies below is no change", () => {
  const state = overlayOn(account(ALICE, { nonce: 1n, balance: 5n, code: utf8("code") }));
  state.setBalance(ALICE, 6n);
  state.setNonce(ALICE, 2n);
  state.setCode(ALICE, utf8("other"));
  state.setBalance(ALICE, 5n);
  state.setNonce(ALICE, 1n);
  state.setCode(ALICE, utf8("code"));
  state.endTransaction();
  const { accounts, codes } = state.changes();
  assert.equal(accounts.size, 0);
  assert.equal(codes.size, 0);
});

test("new code is among the changes once, under its hash", () => {
  const state = overlayOn();
  for (const address of [ALICE, BOB]) {
    state.setNonce(address, 1n);
    state.setCode(address, utf8("code"));
  }
  state.endTransaction();
  const { accounts, codes } = state.changes();
  assert.equal(accounts.size, 2);
  assert.deepEqual([...codes], [[toHexDigits(keccak256(utf8("code"))), utf8("code")]]);
});

test("EIP-7702: code that is taken away again leaves the empty code hash", () => {
  const state = overlayOn(account(ALICE, { nonce: 1n, code: utf8("delegation") }));
  state.setCode(ALICE, new Uint8Array(0));
  state.endTransaction();
  const { accounts, codes } = state.changes();
  assert.deepEqual(accounts.get(toHexDigits(ALICE))?.account?.codeHash, EMPTY_CODE_HASH);
  assert.equal(codes.size, 0);
});

test("an account removed and made anew has nothing of its old storage", () => {
  const state = overlayOn(account(ALICE, { storage: [{ slot: 1n, value: 1n }, { slot: 2n, value: 2n }] }));
  state.touch(ALICE);
  state.endTransaction();
  assert.equal(state.storage(ALICE, 1n), 0n);
  assert.equal(state.hasStorage(ALICE), false);
  state.beginTransaction();
  state.setBalance(ALICE, 1n);
  assert.equal(state.storage(ALICE, 2n), 0n);
  state.setStorage(ALICE, 2n, 7n);
  state.endTransaction();
  const change = state.changes().accounts.get(toHexDigits(ALICE));
  assert.equal(change?.storageCleared, true);
  assert.deepEqual(change?.storage, [{ slot: 2n, value: 7n }]);
});

test("EIP-1153: transient storage ends with the transaction", () => {
  const state = overlayOn();
  state.setTransientStorage(ALICE, 1n, 5n);
  const checkpoint = state.checkpoint();
  state.setTransientStorage(ALICE, 1n, 6n);
  state.setTransientStorage(BOB, 1n, 7n);
  state.revertTo(checkpoint);
  assert.equal(state.transientStorage(ALICE, 1n), 5n);
  assert.equal(state.transientStorage(BOB, 1n), 0n);
  state.endTransaction();
  state.beginTransaction();
  assert.equal(state.transientStorage(ALICE, 1n), 0n);
  assert.equal(state.exists(ALICE), false);
});

test("EIP-2929: warm sets undo with a revert and end with the transaction", () => {
  const state = overlayOn();
  assert.equal(state.warmAddress(ALICE), false);
  assert.equal(state.warmAddress(ALICE), true);
  const checkpoint = state.checkpoint();
  assert.equal(state.warmAddress(BOB), false);
  assert.equal(state.warmSlot(ALICE, 1n), false);
  assert.equal(state.warmSlot(ALICE, 1n), true);
  assert.equal(state.warmSlot(BOB, 1n), false);
  state.revertTo(checkpoint);
  assert.equal(state.warmAddress(BOB), false);
  assert.equal(state.warmSlot(ALICE, 1n), false);
  assert.equal(state.warmAddress(ALICE), true);
  state.endTransaction();
  state.beginTransaction();
  assert.equal(state.warmAddress(ALICE), false);
});

test("logs and refunds undo with a revert, and stay readable until the next transaction", () => {
  const state = overlayOn();
  const log = { address: ALICE, topics: [], data: new Uint8Array(0) };
  state.addLog(log);
  state.addRefund(10n);
  const checkpoint = state.checkpoint();
  state.addLog(log);
  state.addRefund(-4n);
  assert.equal(state.refund(), 6n);
  state.revertTo(checkpoint);
  state.endTransaction();
  const logs = state.logs();
  assert.deepEqual(logs, [log]);
  assert.equal(state.refund(), 10n);
  state.beginTransaction();
  assert.deepEqual(state.logs(), []);
  assert.equal(state.refund(), 0n);
  assert.deepEqual(logs, [log], "a receipt keeps its logs");
});

test("an unknown checkpoint and a negative balance are broken invariants", () => {
  const state = overlayOn();
  assert.throws(() => state.revertTo(1), /checkpoint/);
  assert.throws(() => state.setBalance(ALICE, -1n), /negative/);
});

test("the memory of an address may be used again after a call", () => {
  const state = overlayOn();
  const address = Address(ALICE.slice());
  state.setBalance(address, 1n);
  address.fill(0);
  state.endTransaction();
  assert.deepEqual(state.changes().accounts.get(toHexDigits(ALICE))?.address, ALICE);
});

test("slots that share their low 64 bits are as fast as others", () => {
  // With a map keyed by bigints this takes minutes: it is a contract's attack on the node.
  const state = overlayOn();
  state.setNonce(ALICE, 1n);
  for (let i = 1n; i <= 200_000n; i++) state.setTransientStorage(ALICE, i << 64n, i);
  for (let i = 1n; i <= 50_000n; i++) state.setStorage(ALICE, i << 64n, i);
  for (let i = 1n; i <= 50_000n; i++) state.warmSlot(ALICE, i << 64n);
  state.endTransaction();
  assert.equal(state.changes().accounts.get(toHexDigits(ALICE))?.storage.length, 50_000);
});

const ADDRESSES = [ALICE, BOB, NOBODY, Address(new Uint8Array(20).fill(0xdd))];
const CODES: readonly Bytes[] = [new Uint8Array(0), utf8("one"), utf8("two")];

type Plain = { nonce: bigint; balance: bigint; code: number; storage: Record<string, bigint> };

/** All of a run's state, copied whole at each checkpoint: slow, and plainly right. */
type Model = {
  accounts: Record<string, Plain>;
  original: Record<string, Plain>;
  touched: string[];
  created: string[];
  destroyed: string[];
  warm: string[];
  transient: Record<string, bigint>;
  refund: bigint;
  logs: number;
};

function newTransaction(accounts: Record<string, Plain>): Model {
  const lists = { touched: [], created: [], destroyed: [], warm: [] };
  return { accounts, original: structuredClone(accounts), ...lists, transient: {}, refund: 0n, logs: 0 };
}

function endModel(model: Model): Record<string, Plain> {
  for (const key of model.destroyed) if (model.created.includes(key)) delete model.accounts[key];
  for (const key of model.touched) {
    const found = model.accounts[key];
    if (found !== undefined && isEmptyPlain(found)) delete model.accounts[key];
  }
  return model.accounts;
}

function isEmptyPlain({ nonce, balance, code }: Plain): boolean {
  return nonce === 0n && balance === 0n && code === 0;
}

function change(model: Model, key: string): Plain {
  model.touched.push(key);
  model.accounts[key] ??= { nonce: 0n, balance: 0n, code: 0, storage: {} };
  return model.accounts[key];
}

/** Does one random thing to both. */
function doSomething(random: Random, state: StateOverlay, model: Model): void {
  const address = ADDRESSES[random.below(ADDRESSES.length)]!;
  const key = toHexDigits(address);
  const value = BigInt(random.below(3));
  const slot = BigInt(random.below(3));
  switch (random.below(11)) {
    case 0:
      state.setBalance(address, value);
      change(model, key).balance = value;
      return;
    case 1:
      state.setNonce(address, value);
      change(model, key).nonce = value;
      return;
    case 2: {
      const code = random.below(CODES.length);
      state.setCode(address, CODES[code]!);
      change(model, key).code = code;
      return;
    }
    case 3:
    case 4: {
      const previous = model.accounts[key]?.storage[`${slot}`] ?? 0n;
      state.setStorage(address, slot, value);
      if (previous !== value) change(model, key).storage[`${slot}`] = value;
      return;
    }
    case 5:
      state.touch(address);
      model.touched.push(key);
      return;
    case 6:
      state.setTransientStorage(address, slot, value);
      model.transient[`${key}/${slot}`] = value;
      return;
    case 7: {
      const entry = random.chance(1, 2) ? key : `${key}/${slot}`;
      const wasWarm = entry === key ? state.warmAddress(address) : state.warmSlot(address, slot);
      assert.equal(wasWarm, model.warm.includes(entry));
      model.warm.push(entry);
      return;
    }
    case 8:
      state.addRefund(value);
      model.refund += value;
      return;
    case 9:
      state.addLog({ address, topics: [hashFromWord(slot)], data: new Uint8Array(0) });
      model.logs++;
      return;
    default:
      if (random.chance(1, 2)) {
        state.markCreated(address);
        change(model, key);
        model.created.push(key);
      } else {
        state.markSelfDestructed(address);
        model.destroyed.push(key);
      }
  }
}

function compare(state: StateOverlay, model: Model): void {
  for (const address of ADDRESSES) {
    const key = toHexDigits(address);
    const found = model.accounts[key];
    assert.equal(state.exists(address), found !== undefined);
    assert.equal(state.isEmpty(address), found === undefined || isEmptyPlain(found));
    assert.equal(state.balance(address), found?.balance ?? 0n);
    assert.equal(state.nonce(address), found?.nonce ?? 0n);
    assert.deepEqual(state.code(address), CODES[found?.code ?? 0]);
    assert.equal(state.wasCreated(address), model.created.includes(key));
    for (let slot = 0n; slot < 3n; slot++) {
      assert.equal(state.storage(address, slot), found?.storage[`${slot}`] ?? 0n);
      assert.equal(state.originalStorage(address, slot), model.original[key]?.storage[`${slot}`] ?? 0n);
      assert.equal(state.transientStorage(address, slot), model.transient[`${key}/${slot}`] ?? 0n);
    }
  }
  assert.equal(state.refund(), model.refund);
  assert.equal(state.logs().length, model.logs);
}

/** Runs random steps with nested checkpoints, some of which are reverted. */
function runNested(random: Random, state: StateOverlay, model: Model, depth: number): Model {
  let current = model;
  for (let step = 0; step < 6; step++) {
    if (depth < 3 && random.chance(1, 4)) {
      const checkpoint = state.checkpoint();
      const copy = structuredClone(current);
      const after = runNested(random, state, current, depth + 1);
      if (random.chance(1, 2)) {
        state.revertTo(checkpoint);
        current = copy;
      } else current = after;
      compare(state, current);
    } else doSomething(random, state, current);
  }
  compare(state, current);
  return current;
}

function plainToGenesis(accounts: Record<string, Plain>): GenesisAccount[] {
  return ADDRESSES.flatMap((address) => {
    const found = accounts[toHexDigits(address)];
    if (found === undefined) return [];
    const storage = Object.entries(found.storage).map(([slot, value]) => ({ slot: BigInt(slot), value }));
    return [{ address, nonce: found.nonce, balance: found.balance, code: CODES[found.code]!, storage }];
  });
}

test("random transactions with nested reverts agree with a model that copies everything", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const random = createRandom(seed);
      const genesis: Record<string, Plain> = {
        [toHexDigits(ALICE)]: { nonce: 1n, balance: 2n, code: 1, storage: { 0: 1n, 1: 2n } },
        [toHexDigits(BOB)]: { nonce: 0n, balance: 0n, code: 0, storage: { 2: 2n } },
      };
      const below = MemoryState.of(plainToGenesis(genesis));
      const state = new StateOverlay(below);
      let accounts = structuredClone(genesis);
      for (let transaction = 0; transaction < 4; transaction++) {
        state.beginTransaction();
        const model = runNested(random, state, newTransaction(accounts), 0);
        state.endTransaction();
        accounts = endModel(model);
      }
      below.commit(state.changes());
      assert.equal(toHex(below.stateRoot), toHex(MemoryState.of(plainToGenesis(accounts)).stateRoot));
    }),
    { numRuns: 300 },
  );
});
