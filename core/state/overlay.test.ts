import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, toHexDigits, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
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
  const state = overlayOn(
    account(ALICE, {
      storage: [
        { slot: 1n, value: 1n },
        { slot: 2n, value: 2n },
      ],
    }),
  );
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
