import type { Address } from "@ostrom/base";
import { charge, type Frame, type Machine } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";

/** Makes an account warm and charges for reaching it. Source: EIP-2929.
 * @returns false if the frame does not have the gas: then the frame has ended. */
export function chargeAccountAccess(machine: Machine, frame: Frame, address: Address): boolean {
  const wasWarm = machine.context.state.warmAddress(address);
  return charge(frame, wasWarm ? GAS.warmAccess : GAS.coldAccount);
}
