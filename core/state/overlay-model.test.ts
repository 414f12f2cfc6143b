import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Address,
  type Bytes,
  createRandom,
  hashFromWord,
  type Random,
  toHex,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import fc from "fast-check";
import { type GenesisAccount, MemoryState, StateOverlay } from "./index.ts";

const ADDRESSES = [0xaa, 0xbb, 0xcc, 0xdd].map((byte) => Address(new Uint8Array(20).fill(byte)));
const [ALICE, BOB] = ADDRESSES as [Address, Address];
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
