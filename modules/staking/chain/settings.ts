import {
  type Address,
  addressToWord,
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  type Hash,
  utf8,
  wordToBytes,
  ZERO_HASH,
} from "@ostrom/base";

/** What a chain's staking is like. StakingLayout.sol (`Settings`) says what each is for; docs/staking-roles.md gives reasons. */
export type StakingSettings = {
  readonly expectedSeats: number;
  readonly minValidators: number;
  readonly maxValidators: number;
  readonly minRevealedPercent: number;
  readonly slashPercent: number;
  readonly unbondingEpochs: number;
  readonly jailEpochs: number;
  readonly evidenceEpochs: number;
  readonly fullRewardSeconds: number;
  /** In wei, like the next two. */
  readonly minStake: bigint;
  readonly minDelegation: bigint;
  readonly epochReward: bigint;
  /** undefined: the module is active from the chain's first block, and finds it out by itself. */
  readonly genesisHash?: Hash | undefined;
};

/** Who validates from genesis on. */
export type InitialValidator = {
  readonly operator: Address;
  readonly stake: bigint;
  /** The stake is made, rather than taken from the operator's account. */
  readonly isGranted: boolean;
  /** BLS12-381, compressed (48 bytes): one of the chain's first set, for those who shall count from the first epoch on. */
  readonly consensusKey: Bytes;
  /** 96 bytes. */
  readonly proofOfPossession: Bytes;
  /** Ed25519, 32 bytes. */
  readonly transportKey: Bytes;
  /** P-256, compressed, 33 bytes. */
  readonly vrfKey: Bytes;
  /** Up to 32 letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** Up to 64 of the same and `:`. */
  readonly host: string;
  readonly port: number;
  /** Of 10,000 parts. */
  readonly commission: number;
};

const COIN = 10n ** 18n;

/** What the public profile begins with. */
export const PUBLIC_STAKING_SETTINGS: StakingSettings = {
  expectedSeats: 2000,
  minValidators: 4,
  maxValidators: 100,
  minRevealedPercent: 50,
  slashPercent: 5,
  unbondingEpochs: 8,
  jailEpochs: 2,
  evidenceEpochs: 7,
  fullRewardSeconds: 3600,
  minStake: 1000n * COIN,
  minDelegation: COIN,
  epochReward: 100n * COIN,
};

const WORD_BYTES = 32;
/** Settings is a static structure: it stands where it is named, and the list of validators after it. */
const WORDS_OF_SETTINGS = 14;

/** The argument of `activate(bytes)`. @param validators none for a chain that another module leads until stakers have bonded.
 * Source: Solidity documentation, "Contract ABI Specification". */
export function encodeStakingSettings(
  settings: StakingSettings,
  validators: readonly InitialValidator[] = [],
): Bytes {
  const head = [
    settings.expectedSeats,
    settings.minValidators,
    settings.maxValidators,
    settings.minRevealedPercent,
    settings.slashPercent,
    settings.unbondingEpochs,
    settings.jailEpochs,
    settings.evidenceEpochs,
    settings.fullRewardSeconds,
    // `active` is what the contract makes of it.
    0,
    settings.minStake,
    settings.minDelegation,
    settings.epochReward,
  ].map(wordOf);
  const genesisHash = settings.genesisHash ?? ZERO_HASH;
  const offset = wordOf(WORD_BYTES * (WORDS_OF_SETTINGS + 1));
  return concatBytes(...head, genesisHash, offset, encodeList(validators.map(encodeValidator)));
}

function encodeValidator(validator: InitialValidator): Bytes {
  const { operator, stake, isGranted } = validator;
  const registration = encodeTuple([
    encodeBytes(validator.consensusKey),
    encodeBytes(validator.proofOfPossession),
    encodeBytes(validator.transportKey),
    encodeBytes(validator.vrfKey),
    // Genesis itself says whose the keys are.
    encodeBytes(EMPTY_BYTES),
    encodeBytes(utf8(validator.name)),
    encodeBytes(utf8(validator.host)),
    BigInt(validator.port),
    BigInt(validator.commission),
  ]);
  return encodeTuple([addressToWord(operator), stake, isGranted ? 1n : 0n, registration]);
}

/** Numbers stand where they are, dynamic parts at the end, with their offsets in their places. */
function encodeTuple(parts: readonly (bigint | Bytes)[]): Bytes {
  const head: Bytes[] = [];
  const tail: Bytes[] = [];
  let offset = WORD_BYTES * parts.length;
  for (const part of parts) {
    if (typeof part === "bigint") {
      head.push(wordOf(part));
      continue;
    }
    head.push(wordOf(offset));
    tail.push(part);
    offset += part.length;
  }
  return concatBytes(...head, ...tail);
}

function encodeList(items: readonly Bytes[]): Bytes {
  return concatBytes(wordOf(items.length), encodeTuple(items));
}

function encodeBytes(bytes: Bytes): Bytes {
  const padding = new Uint8Array((WORD_BYTES - (bytes.length % WORD_BYTES)) % WORD_BYTES);
  return concatBytes(wordOf(bytes.length), bytes, padding);
}

function wordOf(value: number | bigint): Bytes {
  return wordToBytes(BigInt(value));
}
