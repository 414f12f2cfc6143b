import { must } from "@ostrom/base";
import type { Fork } from "./types.ts";

/** Limits and fees of blobs. Sources: EIP-4844, EIP-7691, EIP-7594. */
export type BlobRules = {
  readonly targetPerBlock: bigint;
  readonly maxPerBlock: bigint;
  readonly maxPerTransaction: bigint;
  readonly baseFeeUpdateFraction: bigint;
};

/** What differs between the forks, instructions and precompiles apart. */
export type ForkRules = {
  readonly blobs: BlobRules;
  /** EIP-7702: transactions of type 4, and delegated accounts. */
  readonly delegation: boolean;
  /** EIP-7623: a least price of call data. */
  readonly callDataFloor: boolean;
  /** EIP-7825: the most gas that a transaction may ask for; undefined: only the block's limit. */
  readonly maxTransactionGas: bigint | undefined;
};

/** Oldest first: a fork has all that those before it have. */
export const FORKS: readonly Fork[] = ["cancun", "prague", "osaka"];

/** EIP-4844. */
export const GAS_PER_BLOB: bigint = 2n ** 17n;
const MIN_BLOB_BASE_FEE = 1n;

const CANCUN: ForkRules = {
  blobs: { targetPerBlock: 3n, maxPerBlock: 6n, maxPerTransaction: 6n, baseFeeUpdateFraction: 3_338_477n },
  delegation: false,
  callDataFloor: false,
  maxTransactionGas: undefined,
};

const PRAGUE: ForkRules = {
  blobs: { targetPerBlock: 6n, maxPerBlock: 9n, maxPerTransaction: 9n, baseFeeUpdateFraction: 5_007_716n },
  delegation: true,
  callDataFloor: true,
  maxTransactionGas: undefined,
};

const OSAKA: ForkRules = {
  ...PRAGUE,
  blobs: { ...PRAGUE.blobs, maxPerTransaction: 6n },
  maxTransactionGas: 2n ** 24n,
};

const RULES: Readonly<Record<Fork, ForkRules>> = { cancun: CANCUN, prague: PRAGUE, osaka: OSAKA };

export function forkRules(fork: Fork): ForkRules {
  return must(RULES[fork], "a fork must be one of those the engine has");
}

/** Whether `fork` has what came with `since`. */
export function hasFork(fork: Fork, since: Fork): boolean {
  return FORKS.indexOf(fork) >= FORKS.indexOf(since);
}

/** Wei for one unit of blob gas.
 * @param excessBlobGas of the header.
 * Source: EIP-4844, `get_base_fee_per_blob_gas` and `fake_exponential`. */
export function blobBaseFee(fork: Fork, excessBlobGas: bigint): bigint {
  const denominator = forkRules(fork).blobs.baseFeeUpdateFraction;
  let sum = 0n;
  let term = MIN_BLOB_BASE_FEE * denominator;
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * excessBlobGas) / (denominator * i);
  }
  return sum / denominator;
}
