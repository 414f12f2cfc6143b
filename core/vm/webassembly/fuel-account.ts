import { entryGas, FUEL_PER_GAS } from "../contract-host/program-gas.ts";
import { charge, type Frame } from "../frame.ts";
import type { Contract } from "./read-contract.ts";

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

/** An entry for each: a segment is a copy with a beginning and an end, however short it is. */
const SEGMENT_BYTES = 32;
const GLOBAL_BYTES = 8;
/** V8 checks and links each entry when it makes an instance: some 0.2 us. */
const TABLE_ENTRY_BYTES = 24;

/** Charges what a message to a contract costs before its first instruction.
 * @returns false if the frame does not have it: then it has ended. */
export function chargeEntry(frame: Frame, { initialPages, data, globals, table }: Contract): boolean {
  let bytes = globals.length * GLOBAL_BYTES + table.length * TABLE_ENTRY_BYTES;
  for (const segment of data) bytes += segment.bytes.length + SEGMENT_BYTES;
  return charge(frame, entryGas(initialPages, bytes));
}
