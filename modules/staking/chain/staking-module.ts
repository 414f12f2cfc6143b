import { type ChainModule, defineModule, STAKING_ADDRESS } from "@ostrom/execution";
import { evidencePrecompile } from "./evidence-precompile.ts";
import { beginStakingBlock } from "./participation.ts";
import { possessionPrecompile } from "./possession-precompile.ts";
import { sealStakingEpoch } from "./seal-epoch.ts";
import { STAKING_CODE } from "./staking-code.ts";
import { stakingValidatorSet } from "./staking-set.ts";
import { vrfPrecompile } from "./vrf-precompile.ts";

/** Validators by stake, first version. */
export const stakingV1: ChainModule = defineModule({
  name: "staking",
  version: 1,
  contracts: [{ address: STAKING_ADDRESS, code: STAKING_CODE }],
  activates: STAKING_ADDRESS,
  precompiles: [vrfPrecompile, evidencePrecompile, possessionPrecompile],
  beginBlock: beginStakingBlock,
  sealEpoch: sealStakingEpoch,
  validatorSet: stakingValidatorSet,
});
