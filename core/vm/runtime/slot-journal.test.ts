import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { type Frame, gasLeft, type Machine, setGasLeft } from "../frame.ts";
import { STORAGE } from "../storage.ts";
import { accountWith, CONTRACT } from "../testing/run-code.ts";
import { FRAME, FRAMES, ORIGINAL_VALUE, SLOT_JOURNAL, STORAGE_GENERATION } from "./memory-layout.ts";
import { createRuntime } from "./runtime.ts";
import { SlotJournal } from "./slot-journal.ts";

const KEY = 7n;
const GAS_GIVEN = 100_000n;
const HOST_IS_ASKED = -1n;

function stateWith(value: bigint): StateOverlay {
  const storage = value === 0n ? [] : [{ slot: KEY, value }];
  const state = new StateOverlay(MemoryState.of([accountWith({ address: CONTRACT, storage })]));
  state.beginTransaction();
  return state;
}

function wordLimbs(word: bigint): bigint[] {
  return [0n, 64n, 128n, 192n].map((shift) => (word >> shift) & (2n ** 64n - 1n));
}

/** A frame that works on the storage of account 0, which is CONTRACT. */
function createTable() {
  const { memory, functions } = createRuntime();
  const journal = new SlotJournal(memory);
  const view = new DataView(memory.buffer);
  view.setUint32(FRAMES + FRAME.storageId, 0, true);
  journal.drop();
  journal.open(false);
  return {
    journal,
    view,
    /** As the host has read it. */
    remember: (value: bigint, original: bigint) => {
      for (const [limb, bits] of wordLimbs(original).entries())
        view.setBigUint64(ORIGINAL_VALUE + 8 * limb, bits, true);
      functions.rememberSlot!(FRAMES, ...wordLimbs(KEY), ...wordLimbs(value));
    },
    find: () => functions.findSlot!(FRAMES, ...wordLimbs(KEY)) as number,
    store: (value: bigint, gas = GAS_GIVEN) =>
      functions.storeSlot!(FRAMES, gas, ...wordLimbs(KEY), ...wordLimbs(value)) as bigint,
    tell: (state: StateOverlay) =>
      journal.tell(state, (id): Address => {
        assert.equal(id, 0);
        return CONTRACT;
      }),
  };
}

/** What the reference does with the slot warm. */
function referenceStore(state: StateOverlay, value: bigint): bigint {
  const frame = {
    stack: [value, KEY],
    exit: undefined,
    isStatic: false,
    address: CONTRACT,
  } as unknown as Frame;
  setGasLeft(frame, GAS_GIVEN);
  STORAGE.find(({ name }) => name === "SSTORE")!.run({ context: { state } } as unknown as Machine, frame);
  return gasLeft(frame);
}

test("SSTORE in the table costs, refunds and writes what it does in the reference, for all orders of three values", () => {
  const values = [0n, 1n, 2n ** 200n];
  for (const original of values) {
    for (const first of values) {
      for (const second of values) {
        for (const third of values) {
          const [expected, actual] = [stateWith(original), stateWith(original)];
          for (const state of [expected, actual]) state.warmSlot(CONTRACT, KEY);
          const table = createTable();
          table.remember(original, original);
          for (const value of [first, second, third])
            assert.equal(
              table.store(value),
              referenceStore(expected, value),
              `${original} ${first} ${value}`,
            );
          table.tell(actual);
          assert.equal(actual.refund(), expected.refund());
          assert.equal(actual.storage(CONTRACT, KEY), expected.storage(CONTRACT, KEY));
        }
      }
    }
  }
});

test("the host is asked for a slot that is not known, in a static frame, and where gas is short", () => {
  const table = createTable();
  assert.equal(table.store(1n), HOST_IS_ASKED);
  table.remember(0n, 0n);
  assert.equal(table.store(1n, 2300n), HOST_IS_ASKED);
  assert.equal(table.store(1n, 19_999n), HOST_IS_ASKED);
  assert.equal(table.store(1n, 20_000n), 0n);
  table.journal.open(true);
  assert.equal(table.store(2n), HOST_IS_ASKED);
});

test("the host is asked for a slot that was remembered without its original value", () => {
  const table = createTable();
  table.journal.open(true);
  table.remember(5n, 5n);
  table.journal.open(false);
  assert.notEqual(table.find(), 0);
  assert.equal(table.store(1n), HOST_IS_ASKED);
});

test("what was written since the state was told last can be dropped, and then nothing is known", () => {
  const state = stateWith(3n);
  const table = createTable();
  table.remember(3n, 3n);
  table.store(4n);
  table.tell(state);
  assert.equal(state.storage(CONTRACT, KEY), 4n);
  table.store(0n);
  table.journal.drop();
  table.tell(state);
  assert.equal(state.storage(CONTRACT, KEY), 4n);
  assert.equal(state.refund(), 0n);
  assert.equal(table.find(), 0);
});

test("a slot that was written and not told keeps its entry, whatever else would take it", () => {
  const table = createTable();
  table.remember(3n, 3n);
  table.store(4n);
  table.remember(3n, 3n);
  const state = stateWith(3n);
  table.tell(state);
  assert.equal(state.storage(CONTRACT, KEY), 4n);
});

test("when generations begin again, entries of the generation that had the number are gone", () => {
  const table = createTable();
  table.view.setUint32(STORAGE_GENERATION, 1, true);
  table.remember(3n, 3n);
  assert.notEqual(table.find(), 0);
  table.view.setUint32(STORAGE_GENERATION, 2 ** 32 - 1, true);
  assert.equal(table.find(), 0);
  table.journal.forget();
  assert.equal(table.view.getUint32(STORAGE_GENERATION, true), 1);
  assert.equal(table.find(), 0);
});

test("an account's slots are no other account's", () => {
  const table = createTable();
  table.remember(3n, 3n);
  table.view.setUint32(FRAMES + FRAME.storageId, 1, true);
  assert.equal(table.find(), 0);
  assert.equal(table.view.getUint32(SLOT_JOURNAL.count, true), 0);
});
