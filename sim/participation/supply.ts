import { type Address, addressFromHex, toHexDigits } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import { type Genesis, type Header, STAKING_ADDRESS } from "@ostrom/execution";
import {
  readDelegation,
  readReportsDue,
  readUnbondings,
  type StakerState,
  type StakingState,
} from "@ostrom/staking-chain";

/** All coins there are, block by block, counted from the accounts that blocks change. */
export class Supply {
  readonly #balances = new Map<string, bigint>();

  constructor(genesis: Genesis) {
    for (const { address, balance } of genesis.alloc) this.#balances.set(toHexDigits(address), balance);
  }

  /** @param isWhole no block was left out before this one: else all balances are read anew.
   * @returns by how much the block has changed the sum of all balances, fees that it burned not counted; undefined if it cannot tell. */
  made(state: ModuleState, header: Header, changed: readonly string[], isWhole: boolean): bigint | undefined {
    let sum = 0n;
    for (const address of isWhole ? changed : new Set([...changed, ...this.#balances.keys()])) {
      const balance = state.account(addressFromHex(address))?.balance ?? 0n;
      sum += balance - (this.#balances.get(address) ?? 0n);
      this.#balances.set(address, balance);
    }
    return isWhole ? sum + header.gasUsed * header.baseFeePerGas : undefined;
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

/** Whether all who have a claim could be paid: what accounts have with each staker, on its way out and in rewards, is no more than the
 * sums that the contract keeps. @param accounts all who ever bonded or reported. @returns what is too much, or undefined. */
export function excessiveClaim(
  state: ModuleState,
  staking: StakingState,
  stakers: readonly StakerState[],
  accounts: readonly Address[],
): string | undefined {
  let due = 0n;
  const leaving = new Map<number, bigint>();
  const held = new Map<number, bigint>();
  for (const account of accounts) {
    due += readReportsDue(state, account);
    for (const { staker, amount } of readUnbondings(state, account))
      leaving.set(staker, (leaving.get(staker) ?? 0n) + amount);
    for (const { id } of stakers) {
      const delegation = readDelegation(state, id, account);
      if (delegation === undefined) continue;
      due += delegation.due;
      held.set(id, (held.get(id) ?? 0n) + delegation.amount);
    }
  }
  for (const { id, bonded, unbonding } of stakers) {
    if ((held.get(id) ?? 0n) > bonded)
      return `accounts have ${held.get(id)} of the ${bonded} bonded with ${id}`;
    if ((leaving.get(id) ?? 0n) > unbonding)
      return `accounts wait for ${leaving.get(id)} of the ${unbonding} unbonding with ${id}`;
  }
  return due > staking.unclaimed ? `accounts can claim ${due} of ${staking.unclaimed}` : undefined;
}
