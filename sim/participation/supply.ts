import { addressFromHex, toHexDigits } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import { type Genesis, type Header, STAKING_ADDRESS } from "@ostrom/execution";
import type { StakingState } from "@ostrom/staking-chain";

/** All coins there are, block by block, counted from the accounts that blocks change. */
export class Supply {
  readonly #balances = new Map<string, bigint>();
  /** Accounts that were changed by blocks whose state nobody looked at. */
  readonly #missed = new Set<string>();

  constructor(genesis: Genesis) {
    for (const { address, balance } of genesis.alloc) this.#balances.set(toHexDigits(address), balance);
  }

  /** Of a block whose state could not be read. */
  miss(changed: readonly string[]): void {
    for (const address of changed) this.#missed.add(address);
  }

  /** @returns by how much the block has changed the sum of all balances, fees that it burned not counted; undefined where blocks
   * before it were missed. */
  made(state: ModuleState, header: Header, changed: readonly string[]): bigint | undefined {
    let sum = 0n;
    for (const address of new Set([...changed, ...this.#missed])) {
      const balance = state.account(addressFromHex(address))?.balance ?? 0n;
      sum += balance - (this.#balances.get(address) ?? 0n);
      this.#balances.set(address, balance);
    }
    const isWhole = this.#missed.size === 0;
    this.#missed.clear();
    return isWhole ? sum + header.gasUsed * (header.baseFeePerGas ?? 0n) : undefined;
  }
}

/** Whether the contract of staking has what it owes, to the wei. @returns how much is missing (or too much), or undefined. */
export function stakeDifference(state: ModuleState, staking: StakingState): string | undefined {
  const held = state.account(STAKING_ADDRESS)?.balance ?? 0n;
  const { bonded, unbonding, unclaimed, burned } = staking;
  const owed = bonded + unbonding + unclaimed + burned;
  if (held === owed) return undefined;
  return `the contract holds ${held}, and accounts for ${bonded} + ${unbonding} + ${unclaimed} + ${burned} = ${owed}`;
}
