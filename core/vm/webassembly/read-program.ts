import type { Bytes, Result } from "@ostrom/base";
import { RecentlyUsed } from "../contract-host/recently-used.ts";
import type { Program } from "../contract-host/types.ts";
import { type Contract, readContract } from "./read-contract.ts";

/** What is kept of modules that were read, by the estimate below. */
const KEPT_BYTES = 96 * 2 ** 20;
/** What a contract takes for each byte of its module; measured, 5 to 30. */
const CONTRACT_BYTES_PER_BYTE = 24;

const contracts = new RecentlyUsed<Bytes, Result<Contract, string>>(KEPT_BYTES);

/** As readContract, once for the same array of bytes as long as that is kept: who validates a program often runs it next. */
export function readContractOnce(bytes: Bytes): Result<Contract, string> {
  const known = contracts.find(bytes);
  if (known !== undefined) return known;
  const read = readContract(bytes);
  contracts.keep(bytes, read, read.ok ? CONTRACT_BYTES_PER_BYTE * bytes.length : bytes.length);
  return read;
}

/** The contract that a program is; the same object as long as it is kept.
 * @returns undefined if it is none: nobody deploys such a one. */
export function readProgram(program: Program): Contract | undefined {
  const read = readContractOnce(program.bytes);
  return read.ok ? read.value : undefined;
}
