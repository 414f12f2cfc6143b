import { charge, endWithFault, type Frame, gasLeft, type Machine, mayChangeState } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";

/** Persistent and transient storage. Sources: EIP-2200, 2929 and 3529 (SSTORE), EIP-1153 (transient storage). */
export const STORAGE: readonly Instruction[] = [
  {
    opcode: 0x54,
    name: "SLOAD",
    gas: GAS.zero,
    pops: 1,
    pushes: 1,
    run: (machine, frame) => {
      const value = loadSlot(machine, frame, frame.stack.pop()!);
      if (value !== undefined) frame.stack.push(value);
    },
  },
  {
    opcode: 0x55,
    name: "SSTORE",
    gas: GAS.zero,
    pops: 2,
    pushes: 0,
    run: (machine, frame) => {
      const slot = frame.stack.pop()!;
      storeSlot(machine, frame, slot, frame.stack.pop()!);
    },
  },
  {
    opcode: 0x5c,
    name: "TLOAD",
    gas: GAS.transientStorage,
    pops: 1,
    pushes: 1,
    run: ({ context }, frame) => {
      const slot = frame.stack.pop()!;
      frame.stack.push(context.state.transientStorage(frame.address, slot));
    },
  },
  {
    opcode: 0x5d,
    name: "TSTORE",
    gas: GAS.transientStorage,
    pops: 2,
    pushes: 0,
    run: (machine, frame) => {
      const slot = frame.stack.pop()!;
      storeTransient(machine, frame, slot, frame.stack.pop()!);
    },
  },
];

export function storeTransient({ context }: Machine, frame: Frame, slot: bigint, value: bigint): void {
  if (mayChangeState(frame)) context.state.setTransientStorage(frame.address, slot, value);
}

/** @returns undefined if the frame does not have the gas: then the frame has ended. */
export function loadSlot({ context }: Machine, frame: Frame, slot: bigint): bigint | undefined {
  const wasWarm = context.state.warmSlot(frame.address, slot);
  if (!charge(frame, wasWarm ? GAS.warmAccess : GAS.coldSlot)) return undefined;
  return context.state.storage(frame.address, slot);
}

export function storeSlot({ context }: Machine, frame: Frame, slot: bigint, value: bigint): void {
  const { state } = context;
  if (!mayChangeState(frame)) return;
  if (gasLeft(frame) <= GAS.storageSentry) {
    endWithFault(frame, "vm/out-of-gas");
    return;
  }
  const current = state.storage(frame.address, slot);
  const original = state.originalStorage(frame.address, slot);
  const coldGas = state.warmSlot(frame.address, slot) ? 0 : GAS.coldSlot;
  if (!charge(frame, coldGas + storeGas(original, current, value))) return;
  const refund = storeRefund(original, current, value);
  if (refund !== 0) state.addRefund(BigInt(refund));
  state.setStorage(frame.address, slot, value);
}

/** Only the first change of a slot in a transaction pays for the work on the trie. */
function storeGas(original: bigint, current: bigint, value: bigint): number {
  if (value === current || current !== original) return GAS.warmAccess;
  return original === 0n ? GAS.storageSet : GAS.storageReset;
}

/** What a write adds to the refund, or takes back of what an earlier write added. */
function storeRefund(original: bigint, current: bigint, value: bigint): number {
  if (value === current) return 0;
  let refund = 0;
  if (original !== 0n) {
    if (current === 0n) refund -= GAS.storageClearRefund;
    if (value === 0n) refund += GAS.storageClearRefund;
  }
  if (current !== original && value === original) {
    refund += (original === 0n ? GAS.storageSet : GAS.storageReset) - GAS.warmAccess;
  }
  return refund;
}
