import type { Program } from "../contract-host/types.ts";
import { type Contract, readContract } from "./read-contract.ts";

const contracts = new WeakMap<Program, Contract>();

/** The contract that a program is; the same object each time.
 * @returns undefined if it is none: nobody deploys such a one. */
export function readProgram(program: Program): Contract | undefined {
  const known = contracts.get(program);
  if (known !== undefined) return known;
  const read = readContract(program.bytes);
  if (!read.ok) return undefined;
  contracts.set(program, read.value);
  return read.value;
}
