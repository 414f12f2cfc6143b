/** What `ostrom_getValidators` answers. */
export type ValidatorSet = {
  readonly epoch: string;
  readonly currentEpoch: string;
  readonly firstBlock: string;
  readonly lastBlock: string;
  readonly decidedAtBlock: string;
  readonly setHash: string;
  readonly participation: {
    readonly fromBlock: string;
    readonly toBlock: string;
    readonly finalizations: number;
    readonly results: number;
    readonly views: number;
  } | null;
  readonly validators: readonly Validator[];
};

export type Validator = {
  readonly index: string;
  readonly name: string;
  readonly address: string;
  readonly weight: string;
  readonly consensusKey: string;
  readonly version: string | null;
  readonly connected: boolean;
  readonly height: string | null;
  readonly participation: {
    readonly proposedBlocks: number;
    readonly missedLeads: number;
    readonly finalizationsSigned: number;
    readonly resultsSigned: number;
    readonly viewsVoted: number;
  } | null;
};

/** Of `staking_getValidators`, on a chain where stake decides who validates. */
export type Staker = {
  readonly operator: string;
  readonly state: string;
  readonly bonded: string;
  readonly jailedUntilEpoch: string | null;
  readonly consensusKey?: string;
};
