import { type Address, addressFromWord, EMPTY_BYTES } from "@ostrom/base";
import { charge, endWith, type Frame, type Machine, mayChangeState } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";

/** Gives the balance away; removes the account only if this transaction created it.
 * Sources: EIP-150 and EIP-161 (gas), EIP-2929, EIP-3529 (no refund), EIP-6780. */
export const SELF_DESTRUCT: readonly Instruction[] = [
  {
    opcode: 0xff,
    name: "SELFDESTRUCT",
    gas: GAS.selfDestruct,
    pops: 1,
    pushes: 0,
    run: (machine, frame) => selfDestruct(machine, frame, addressFromWord(frame.stack.pop()!)),
  },
];

/** Charges for what depends on the state, and ends the frame. */
export function selfDestruct({ context }: Machine, frame: Frame, beneficiary: Address): void {
  const { state } = context;
  if (!mayChangeState(frame)) return;
  // Unlike elsewhere, a warm account costs nothing here.
  const accessGas = state.warmAddress(beneficiary) ? 0 : GAS.coldAccount;
  const balance = state.balance(frame.address);
  const newAccountGas = balance > 0n && state.isEmpty(beneficiary) ? GAS.newAccount : 0;
  if (!charge(frame, accessGas + newAccountGas)) return;

  context.observer?.onSelfDestruct?.(frame.address, beneficiary, balance);
  state.touch(beneficiary);
  // In this order, so that a contract that names itself keeps its balance.
  if (balance > 0n) {
    state.setBalance(frame.address, 0n);
    state.setBalance(beneficiary, state.balance(beneficiary) + balance);
  }
  if (state.wasCreated(frame.address)) {
    // What it may have given itself is burnt.
    state.setBalance(frame.address, 0n);
    state.markSelfDestructed(frame.address);
  }
  endWith(frame, "success", EMPTY_BYTES);
}
