import type { Bytes, Result } from "@ostrom/base";
import type { Program } from "../contract-host/types.ts";
import { type Contract, readContract } from "./read-contract.ts";

const contracts = new WeakMap<Bytes, Result<Contract, string>>();

/** As readContract, once for the same array of bytes: who validates a program often runs it next. */
export function readContractOnce(bytes: Bytes): Result<Contract, string> {
  const known = contracts.get(bytes);
  if (known !== undefined) return known;
  const read = readContract(bytes);
  contracts.set(bytes, read);
  return read;
}

/** The contract that a program is; the same object each time.
 * @returns undefined if it is none: nobody deploys such a one. */
export function readProgram(program: Program): Contract | undefined {
  const read = readContractOnce(program.bytes);
  return read.ok ? read.value : undefined;
}
