import { type Address, type Bytes, EMPTY_BYTES, toHex } from "@ostrom/base";
import type { GenesisAccount } from "@ostrom/state";
import type { Fork } from "@ostrom/vm";
import type { ChainModule } from "../chain-module.ts";
import type { ValidatorSets } from "../genesis-validator-sets.ts";
import { genesisModule } from "../installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "../module-addresses.ts";
import { moduleNameBytes } from "../module-registry.ts";
import type { VerifyPossession } from "../next-validator-set.ts";
import { addressOfSecretKey } from "../signature.ts";
import { signTransaction } from "../transaction.ts";
import { ContractChain, REGISTRY_ABI } from "./contract-chain.ts";
import { testKey } from "./random-transactions.ts";
import { funded, TEST_CHAIN_ID, testGenesis } from "./test-chain.ts";
import { installed } from "./test-modules.ts";

/** The registry's authority. */
export const AUTHORITY: Bytes = testKey(1);
/** Two who send transactions. */
export const ALICE: Bytes = testKey(2);
export const BOB: Bytes = testKey(3);

export type ModuleChainPlan = {
  /** Of the program. */
  readonly has?: readonly ChainModule[];
  /** Active from block 1. */
  readonly active?: readonly (readonly [module: ChainModule, settings: Bytes])[];
  readonly accounts?: readonly GenesisAccount[];
  readonly fork?: Fork;
  readonly epochLength?: number;
  readonly epochLead?: number;
  readonly validators?: number;
  readonly validatorSets?: ValidatorSets;
  /** Takes all but zeros if absent: pairings take long. */
  readonly verifyPossession?: VerifyPossession;
};

/** A chain with a registry, whose functions `send` and `ask` call. */
export function moduleChain(plan: ModuleChainPlan): ContractChain {
  const active = plan.active ?? [];
  const has = plan.has ?? active.map(([module]) => module);
  const genesis = testGenesis({
    ...plan,
    accounts: [
      ...[AUTHORITY, ALICE, BOB].map((key) => funded(addressOfSecretKey(key))),
      ...(plan.accounts ?? []),
    ],
    modules: {
      authority: addressOfSecretKey(AUTHORITY),
      active: active.map(([module, settings]) => genesisModule(module, settings)),
    },
  });
  return new ContractChain(genesis, REGISTRY_ABI, MODULE_REGISTRY_ADDRESS, {
    modules: installed(has),
    verifyPossession: plan.verifyPossession ?? isNotZero,
  });
}

/** Stands for a check of a proof. */
export function isNotZero(_publicKey: Bytes, proof: Bytes): boolean {
  return proof.some((byte) => byte !== 0);
}

/** A name as the contract takes it. */
export function nameWord(name: string): string {
  return toHex(moduleNameBytes(name));
}

/** Schedules a version, in a block of its own. */
export function schedule(
  chain: ContractChain,
  { name, version, codeHash }: ChainModule,
  height: number,
  settings: Bytes = EMPTY_BYTES,
): void {
  const args = [nameWord(name), version, toHex(codeHash), height, toHex(settings)];
  const outcome = chain.send(AUTHORITY, "schedule", args);
  if (outcome !== "done") throw new Error(`not scheduled: ${String(outcome)}`);
}

/** A signed transaction of somebody whose nonce is known.
 * @param to undefined: creates a contract. */
export function transactionOf(
  key: Bytes,
  nonce: number,
  to: Address | undefined,
  data: Bytes = EMPTY_BYTES,
  gasLimit = 1_000_000n,
): Bytes {
  const fields = {
    chainId: TEST_CHAIN_ID,
    nonce: BigInt(nonce),
    gasLimit,
    maxFeePerGas: 10n ** 12n,
    data,
    ...(to === undefined ? {} : { to }),
  };
  return signTransaction(fields, key).raw;
}
