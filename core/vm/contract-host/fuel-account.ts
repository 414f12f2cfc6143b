import type { Frame } from "../frame.ts";
import { FUEL_PER_GAS } from "./program-gas.ts";

/** A program counts at most so much gas; more than that could never be used up. Its fuel is a safe integer. */
const MAX_COUNTED_GAS = 2 ** 48;

/** What of a frame's gas is not in the fuel that its program counts.
 * @property held gas beyond MAX_COUNTED_GAS.
 * @property remainder fuel that is no whole gas, while the frame's gas is with the host. */
export type FuelAccount = { held: number; remainder: number };

export function createFuelAccount(): FuelAccount {
  return { held: 0, remainder: 0 };
}

/** Takes the frame's gas. @returns it as fuel. */
export function takeFuel(frame: Frame, account: FuelAccount): number {
  const counted = Math.min(frame.gas, MAX_COUNTED_GAS);
  account.held = frame.gas - counted;
  return counted * FUEL_PER_GAS + account.remainder;
}

/** Gives the frame its gas again, rounded down. */
export function giveFuelBack(frame: Frame, account: FuelAccount, fuel: number): void {
  const gas = Math.floor(fuel / FUEL_PER_GAS);
  account.remainder = fuel - gas * FUEL_PER_GAS;
  frame.gas = gas + account.held;
}
