import type { ChainModule } from "@ostrom/execution";
import { stakingV1 } from "./staking-module.ts";

export { STAKING_ADDRESS } from "@ostrom/execution";
export {
  type DelegationState,
  isReportable,
  readAnnounced,
  readDelegation,
  readReportsDue,
  readStakingSettings,
  readUnbondings,
  stakerOfKey,
  stakerOfOperator,
  type UnbondingState,
} from "./account-views.ts";
export {
  EVIDENCE_PRECOMPILE_ADDRESS,
  POSSESSION_PRECOMPILE_ADDRESS,
  VRF_PRECOMPILE_ADDRESS,
} from "./addresses.ts";
export type { Committee, Member } from "./committee.ts";
export { type Decentralization, decentralizationOf, type Holding } from "./decentralization.ts";
export { evidencePrecompile } from "./evidence-precompile.ts";
export {
  MAX_CANDIDATES,
  MAX_COMMITTEE,
  MAX_EXPECTED_SEATS,
  MAX_INITIAL_VALIDATORS,
} from "./layout.ts";
export { consentMessage, possessionPrecompile } from "./possession-precompile.ts";
export {
  encodeStakingSettings,
  type InitialValidator,
  PUBLIC_STAKING_SETTINGS,
  type StakingSettings,
} from "./settings.ts";
export { leaderSeedOf, nextSeed, seatsOf, sortitionInput } from "./sortition.ts";
export { STAKING_ABI } from "./staking-abi.ts";
export { stakingV1 } from "./staking-module.ts";
export {
  readStakers,
  readStakingState,
  type StakerState,
  type StakingState,
} from "./staking-views.ts";
export { vrfPrecompile } from "./vrf-precompile.ts";

/** All versions of the module. */
export const chainModules: readonly ChainModule[] = [stakingV1];
