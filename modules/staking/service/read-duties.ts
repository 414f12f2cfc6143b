import type { Bytes } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import {
  isReportable,
  readAnnounced,
  readStakers,
  readStakingState,
  sortitionInput,
  stakerOfKey,
} from "@ostrom/staking-chain";
import { type Asker, type DutyView, NO_DUTIES, type OwnDuties, type Reportable } from "./duty-view.ts";
import { commitmentOf } from "./next-acts.ts";

type State = Pick<ModuleState, "storage">;

/** A contradiction that a node has seen, with the key of the accused in the set of its epoch. */
export type SeenEvidence = { readonly epoch: number; readonly consensusKey: Bytes; readonly evidence: Bytes };

/** Reads what one validator has to do, from the state after a block: of a simulator, or of a node. */
export function readDuties(
  state: State,
  chain: { readonly chainId: bigint; readonly height: number },
  asker: Asker,
  seen: readonly SeenEvidence[],
): DutyView {
  const staking = readStakingState(state);
  if (staking === undefined) return { ...NO_DUTIES, height: chain.height };
  const { epoch, round, seed } = staking;
  return {
    isActive: true,
    height: chain.height,
    epoch,
    round,
    input: sortitionInput(chain.chainId, round + 1, seed),
    own: asker.vrfKey === undefined ? undefined : readOwn(state, asker.vrfKey),
    reportable: seen.flatMap((piece) => readReportable(state, piece, asker)),
  };
}

function readOwn(state: State, vrfKey: Bytes): OwnDuties | undefined {
  const id = stakerOfKey(state, vrfKey);
  const [staker] = id === undefined ? [] : readStakers(state, id, 1);
  if (staker === undefined) return undefined;
  const { hasExited, hasRevealed, isCandidate, isJailed, isTombstoned, stakeInRound } = staker;
  const stands = isCandidate && !hasExited && !isJailed && !isTombstoned;
  return { staker: staker.id, mayReveal: stands && stakeInRound > 0n && !hasRevealed };
}

function readReportable(
  state: State,
  { epoch, consensusKey, evidence }: SeenEvidence,
  asker: Asker,
): Reportable[] {
  const staker = stakerOfKey(state, consensusKey);
  if (staker === undefined || !isReportable(state, staker, epoch)) return [];
  const announcedIn = readAnnounced(state, commitmentOf(evidence, asker.account));
  return [{ staker, epoch, consensusKey, evidence, announcedIn }];
}
