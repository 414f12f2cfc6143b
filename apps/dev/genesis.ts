import { type Address, EMPTY_BYTES } from "@ostrom/base";
import { createGenesis, type DevelopmentRules, type InstantGenesis } from "@ostrom/execution";
import type { Fork } from "@ostrom/vm";

const GWEI = 1_000_000_000n;
/** EIP-1559's. */
const BASE_FEE_CHANGE_DENOMINATOR = 8n;

export type DevelopmentGenesis = {
  readonly chainId: bigint;
  readonly fork: Fork;
  readonly blockGasLimit: bigint;
  /** undefined: a gwei. */
  readonly initialBaseFeePerGas: bigint | undefined;
  readonly timestampMs: number;
  readonly addresses: readonly Address[];
  /** Of each account, in wei. */
  readonly balance: bigint;
  readonly development: DevelopmentRules;
};

/** Block 0 of a development chain: Ethereum's fees, the contracts that developers expect, funded accounts. */
export function createInstantGenesis(request: DevelopmentGenesis): InstantGenesis {
  const { chainId, fork, blockGasLimit, initialBaseFeePerGas = GWEI, timestampMs } = request;
  const genesis = createGenesis({
    profile: "dev",
    chainId,
    timestampMs,
    validators: [],
    accounts: request.addresses.map((address) => ({
      address,
      balance: request.balance,
      nonce: 0n,
      code: EMPTY_BYTES,
      storage: [],
    })),
    rules: {
      forks: [{ fork, fromTimestamp: 0 }],
      blockGasLimit,
      baseFeeChangeDenominator: BASE_FEE_CHANGE_DENOMINATOR,
      minBaseFeePerGas: 0n,
    },
  });
  return {
    ...genesis,
    rules: { ...genesis.rules, development: request.development },
    initialBaseFeePerGas,
    consensus: { engine: "instant" },
  };
}
