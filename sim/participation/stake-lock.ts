import { type Address, toHexDigits } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import { readUnbondings } from "@ostrom/staking-chain";
import type { StakeEvent } from "./events.ts";

type Entry = { readonly staker: number; readonly height: number };

/** Stake that is on its way out, as the simulator has seen it leave, and the heights at which sets last counted stake: what was paid out
 * must not vote any more, nor have voted too short a time ago to be slashed for it. */
export class StakeLock {
  /** Height at which an epoch's set last counted what is bonded, by epoch. Epochs whose set counts no stake are not here. */
  readonly #countedAt = new Map<number, { readonly height: number; readonly stakers: ReadonlySet<number> }>();
  readonly #leaving = new Map<string, Entry[]>();

  /** @param countedAt height of the newest block whose bonds the set's weights do not exceed; undefined: as in the epoch before. */
  setDecided(epoch: number, stakers: ReadonlySet<number>, countedAt: number | undefined): void {
    const before = this.#countedAt.get(epoch - 1);
    const height = countedAt ?? before?.height;
    if (height !== undefined) this.#countedAt.set(epoch, { height, stakers });
  }

  /** @param epoch of the block. @returns what is wrong. */
  happened(
    events: readonly StakeEvent[],
    at: { readonly height: number; readonly epoch: number; readonly unbondingEpochs: number },
    state: ModuleState,
  ): readonly string[] {
    const wrong: string[] = [];
    const paid = new Map<string, Address>();
    for (const event of events) {
      if (event.kind === "undelegated") {
        const name = toHexDigits(event.account);
        const entries = this.#leaving.get(name) ?? [];
        entries.push({ staker: event.staker, height: at.height });
        this.#leaving.set(name, entries);
      } else if (event.kind === "withdrawn") paid.set(toHexDigits(event.account), event.account);
    }
    for (const [name, account] of paid) wrong.push(...this.#paid(name, account, at, state));
    return wrong;
  }

  /** Entries are paid oldest first or not; those of one staker leave in the order in which they became payable, which is that of their
   * heights. */
  #paid(
    name: string,
    account: Address,
    at: { readonly height: number; readonly epoch: number; readonly unbondingEpochs: number },
    state: ModuleState,
  ): readonly string[] {
    const entries = this.#leaving.get(name) ?? [];
    const left = new Map<number, number>();
    for (const { staker } of readUnbondings(state, account)) left.set(staker, (left.get(staker) ?? 0) + 1);
    const kept: Entry[] = [];
    const gone: Entry[] = [];
    for (const entry of [...entries].reverse()) {
      const count = left.get(entry.staker) ?? 0;
      left.set(entry.staker, count - 1);
      if (count > 0) kept.unshift(entry);
      else gone.push(entry);
    }
    this.#leaving.set(name, kept);
    return gone.flatMap((entry) => this.#tooEarly(entry, at));
  }

  #tooEarly(
    { staker, height }: Entry,
    at: { readonly height: number; readonly epoch: number; readonly unbondingEpochs: number },
  ): readonly string[] {
    const counting = [...this.#countedAt]
      .filter(([, counted]) => counted.height < height && counted.stakers.has(staker))
      .map(([epoch]) => epoch);
    const last = Math.max(-1, ...counting);
    if (last >= at.epoch)
      return [
        `block ${at.height} (epoch ${at.epoch}): stake with ${staker} that left in block ${height} is paid out and counts in epoch ${last}`,
      ];
    if (last >= 0 && at.epoch < last + at.unbondingEpochs)
      return [
        `block ${at.height} (epoch ${at.epoch}): stake with ${staker} that voted in epoch ${last} is paid out before ${at.unbondingEpochs} epochs are over`,
      ];
    return [];
  }
}
