import type { Address } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import {
  LIMB_BYTES,
  ORIGINAL_VALUE,
  SLOT,
  SLOT_JOURNAL,
  SLOT_STATE,
  SLOT_TABLE,
  STORAGE_GENERATION,
} from "./memory-layout.ts";
import type { WasmMemory } from "./webassembly.ts";

const LIMB_MASK = 2n ** 64n - 1n;

/** The host's side of the table of slots (runtime-storage.ts): what compiled code wrote to storage without telling.
 *
 * The state has to be told (`tell`) before anything else may look at it: before a CALL or CREATE, before the host runs
 * SSTORE (which it does, for one, where gas is short for a slot that was written), and when a frame has ended well. What a frame wrote that failed is dropped (`drop`), its changes in the state being undone by the state itself. What
 * was written before a frame began is in the state, so that the two cannot be mixed up. */
export class SlotJournal {
  readonly #memory: WasmMemory;
  #buffer: ArrayBuffer;
  #view: DataView;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
    this.#buffer = memory.buffer;
    this.#view = new DataView(this.#buffer);
  }

  /** Before code runs. In a static frame the host refuses to write. */
  open(isStatic: boolean): void {
    this.#fresh().setUint32(SLOT_JOURNAL.isOpen, isStatic ? 0 : 1, true);
  }

  /** After the host has run SLOAD or SSTORE, which it does for slots that the table does not tell enough of. */
  tellOriginal(state: JournaledState, address: Address, slot: bigint): void {
    setWord(this.#fresh(), ORIGINAL_VALUE, state.originalStorage(address, slot));
  }

  /** Writes to the state what was written to the table.
   * @param addressOf the account that has a number (FRAME.storageId). */
  tell(state: JournaledState, addressOf: (storageId: number) => Address): void {
    const view = this.#fresh();
    const count = view.getUint32(SLOT_JOURNAL.count, true);
    for (let index = 0; index < count; index++) {
      const entry = view.getUint32(SLOT_JOURNAL.entries + 4 * index, true);
      const address = addressOf(view.getUint32(entry + SLOT.storageId, true));
      state.setStorage(address, word(view, entry + SLOT.key), word(view, entry + SLOT.value));
      view.setUint32(entry + SLOT.state, SLOT_STATE.known, true);
    }
    view.setUint32(SLOT_JOURNAL.count, 0, true);
    const refund = view.getBigInt64(SLOT_JOURNAL.refund, true);
    if (refund === 0n) return;
    state.addRefund(refund);
    view.setBigInt64(SLOT_JOURNAL.refund, 0n, true);
  }

  /** Forgets what was written since the state was told last, and with it the whole table. */
  drop(): void {
    const view = this.#fresh();
    view.setUint32(SLOT_JOURNAL.count, 0, true);
    view.setBigInt64(SLOT_JOURNAL.refund, 0n, true);
    this.forget();
  }

  /** Begins another generation: what the table knows of storage may be wrong from now on. Nothing may be in it that the
   * state has not been told. */
  forget(): void {
    const view = this.#fresh();
    let generation = view.getUint32(STORAGE_GENERATION, true) + 1;
    if (generation === 2 ** 32) {
      // Before numbers come again, nothing may be left of the generations that had them.
      new Uint8Array(this.#buffer, SLOT_TABLE.at, SLOT.size * 2 ** SLOT_TABLE.indexBits).fill(0);
      generation = 1;
    }
    view.setUint32(STORAGE_GENERATION, generation, true);
  }

  /** Memory that has grown has another buffer. */
  #fresh(): DataView {
    if (this.#memory.buffer !== this.#buffer) {
      this.#buffer = this.#memory.buffer;
      this.#view = new DataView(this.#buffer);
    }
    return this.#view;
  }
}

function word(view: DataView, address: number): bigint {
  const limb = (place: number): bigint => view.getBigUint64(address + LIMB_BYTES * place, true);
  const high = (limb(3) << 64n) | limb(2);
  const low = (limb(1) << 64n) | limb(0);
  return high === 0n ? low : (high << 128n) | low;
}

function setWord(view: DataView, address: number, value: bigint): void {
  for (let place = 0; place < 4; place++)
    view.setBigUint64(address + LIMB_BYTES * place, (value >> BigInt(64 * place)) & LIMB_MASK, true);
}
