// Where StakingLayout.sol has what; a test compares it with the compiler's own description.

/** A part of a word: `bits` bits from `shift` on, in the slot `slot` after the first of its structure. */
export type Field = { readonly slot: bigint; readonly shift: bigint; readonly bits: bigint };

/** The fields of one structure. */
export type Fields<Name extends string> = Readonly<Record<Name, Field>>;

const BYTE_BITS = 8;
const WORD_BYTES = 32;

function field(slot: number, offset: number, bytes: number): Field {
  return { slot: BigInt(slot), shift: BigInt(BYTE_BITS * offset), bits: BigInt(BYTE_BITS * bytes) };
}

const word = (slot: number): Field => field(slot, 0, WORD_BYTES);

/** Slots of the state variables. */
export const SLOT = {
  settings_: 0n,
  clock_: 4n,
  seed_: 5n,
  totals_: 6n,
  stakers: 8n,
  candidates: 9n,
  committees: 10n,
  proposals: 14n,
  signatures: 15n,
  freshAfter: 16n,
  holderOf: 17n,
  stakerOf: 18n,
  delegations: 19n,
  unbondings: 20n,
  slashedIn: 21n,
  announced: 22n,
  reporterDue: 23n,
  granted: 24n,
  drawn: 25n,
} as const;

export const SETTINGS: Fields<
  | "expectedSeats"
  | "minValidators"
  | "maxValidators"
  | "minRevealedPercent"
  | "slashPercent"
  | "unbondingEpochs"
  | "jailEpochs"
  | "evidenceEpochs"
  | "fullRewardSeconds"
  | "active"
  | "minStake"
  | "minDelegation"
  | "epochReward"
  | "genesisHash"
> = {
  expectedSeats: field(0, 0, 4),
  minValidators: field(0, 4, 2),
  maxValidators: field(0, 6, 2),
  minRevealedPercent: field(0, 8, 1),
  slashPercent: field(0, 9, 1),
  unbondingEpochs: field(0, 10, 2),
  jailEpochs: field(0, 12, 2),
  evidenceEpochs: field(0, 14, 2),
  fullRewardSeconds: field(0, 16, 4),
  active: field(0, 20, 1),
  minStake: field(1, 0, 12),
  minDelegation: field(1, 12, 12),
  epochReward: field(2, 0, 12),
  genesisHash: word(3),
};

export const CLOCK: Fields<
  "epoch" | "round" | "fresh" | "sealedAt" | "certifiedHeight" | "certificates" | "started"
> = {
  epoch: field(0, 0, 4),
  round: field(0, 4, 4),
  fresh: field(0, 8, 4),
  sealedAt: field(0, 12, 8),
  certifiedHeight: field(0, 20, 8),
  certificates: field(0, 28, 2),
  started: field(0, 30, 1),
};

export const TOTALS: Fields<"bonded" | "unbonding" | "unclaimed" | "burned"> = {
  bonded: field(0, 0, 16),
  unbonding: field(0, 16, 16),
  unclaimed: field(1, 0, 16),
  burned: field(1, 16, 16),
};

export const SLOTS_OF_A_STAKER = 16n;

export const STAKER: Fields<
  | "operator"
  | "jailedUntil"
  | "commission"
  | "port"
  | "status"
  | "slashes"
  | "vrfKeyPrefix"
  | "bonded"
  | "unbonding"
  | "commissionEpoch"
  | "place"
  | "ownBonded"
  | "commissionDue"
  | "revealed"
  | "rewardPerWei"
  | "output"
  | "snapshotEven"
  | "snapshotOdd"
  | "consensusKeyHead"
  | "consensusKeyTail"
  | "transportKey"
  | "vrfKeyTail"
  | "proofOfPossession"
  | "name"
  | "host"
> = {
  operator: field(0, 0, 20),
  jailedUntil: field(0, 20, 4),
  commission: field(0, 24, 2),
  port: field(0, 26, 2),
  status: field(0, 28, 1),
  slashes: field(0, 29, 1),
  vrfKeyPrefix: field(0, 30, 1),
  bonded: field(1, 0, 12),
  unbonding: field(1, 12, 12),
  commissionEpoch: field(1, 24, 4),
  place: field(1, 28, 4),
  ownBonded: field(2, 0, 12),
  commissionDue: field(2, 12, 16),
  revealed: field(2, 28, 4),
  rewardPerWei: word(3),
  output: word(4),
  snapshotEven: field(5, 0, 12),
  snapshotOdd: field(5, 12, 12),
  consensusKeyHead: word(6),
  consensusKeyTail: field(7, 0, 16),
  transportKey: word(8),
  vrfKeyTail: word(9),
  proofOfPossession: word(10),
  name: word(13),
  host: word(14),
};

export const SLOTS_OF_A_COMMITTEE = 2n;

export const COMMITTEE: Fields<"epoch" | "inForce" | "members"> = {
  epoch: field(0, 0, 4),
  inForce: field(0, 4, 1),
  members: word(1),
};

export const MEMBER: Fields<"staker" | "weight" | "bonded"> = {
  staker: field(0, 0, 4),
  weight: field(0, 4, 8),
  bonded: field(0, 12, 12),
};

export const DELEGATION: Fields<"amount" | "due" | "slashes" | "rewardPerWei"> = {
  amount: field(0, 0, 12),
  due: field(0, 12, 16),
  slashes: field(0, 28, 1),
  rewardPerWei: word(1),
};

export const UNBONDING: Fields<"staker" | "amount" | "slashes" | "countedIn"> = {
  staker: field(0, 0, 4),
  amount: field(0, 4, 12),
  slashes: field(0, 16, 1),
  countedIn: field(0, 17, 4),
};

/** Bits of `Staker.status`. */
export const JAILED = 1n;
export const TOMBSTONED = 2n;
export const EXITED = 4n;

export const REWARD_SCALE_BITS = 64n;
export const COMMISSION_PARTS = 10_000n;
/** Candidates that an epoch's end looks at. */
export const MAX_CANDIDATES = 1024;
/** Validators of a set. */
export const MAX_COMMITTEE = 256;
export const MAX_EXPECTED_SEATS = 4096;
export const MAX_INITIAL_VALIDATORS = 60;
/** Of one account. */
export const MAX_UNBONDINGS = 32;
/** A validator is slashed no more often. */
export const MAX_SLASHES = 8;

/** Takes a field out of its word. */
export function partOf(value: bigint, { shift, bits }: Field): bigint {
  return BigInt.asUintN(Number(bits), value >> shift);
}

/** A word with one of its fields changed. @param part fits into the field: whoever computes it sees to that. */
export function withPart(value: bigint, { shift, bits }: Field, part: bigint): bigint {
  return (value & ~(((1n << bits) - 1n) << shift)) | (part << shift);
}
