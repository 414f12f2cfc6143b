import {
  addressFromWord,
  type Bytes,
  bigintToBytes,
  concatBytes,
  hashFromWord,
  Weight,
  wordToBytes,
} from "@ostrom/base";
import { SCHEME_BLS12381 } from "@ostrom/crypto";
import type { ModuleState, ModuleValidatorSet, ReadWord, Validator } from "@ostrom/execution";
import { type Member, readCommittee } from "./committee.ts";
import { SLOT, STAKER } from "./layout.ts";
import { leaderSeedOf } from "./sortition.ts";
import { readFields, stakerSlot, stakingReader } from "./store.ts";

const ADDRESSED = { operator: STAKER.operator, port: STAKER.port } as const;
const KEY_TAIL = { consensusKeyTail: STAKER.consensusKeyTail } as const;
const TAIL_BYTES = 16;
const PROOF_WORDS = 3;
const HOST_WORDS = 2;

/** The port ValidatorSets: what was decided for an epoch, with the keys that its members have now.
 * @returns undefined where nothing was decided, as long as too few have bonded and revealed. */
export function stakingValidatorSet(state: ModuleState, nextEpoch: number): ModuleValidatorSet | undefined {
  const read = stakingReader(state);
  const committee = readCommittee(read, nextEpoch);
  if (committee === undefined) return undefined;
  const validators = committee.members.map((member) => validatorOf(read, member));
  const leaderSeed = leaderSeedOf(hashFromWord(read(SLOT.seed_)));
  return { set: { schemeId: SCHEME_BLS12381, validators }, leaderSeed };
}

/** A staker as the chain's set has it. */
function validatorOf(read: ReadWord, { id, weight }: Member): Validator {
  const base = stakerSlot(id);
  const { operator } = readFields(read, base, ADDRESSED);
  return {
    ...readPlace(read, id),
    address: addressFromWord(operator),
    weight: Weight(Number(weight)),
    consensusKey: readConsensusKey(read, id),
    proofOfPossession: wordsAt(read, base + STAKER.proofOfPossession.slot, PROOF_WORDS),
  };
}

/** Where the others find a staker, and by what name. */
export function readPlace(
  read: ReadWord,
  id: number,
): Pick<Validator, "name" | "host" | "port" | "transportKey"> {
  const base = stakerSlot(id);
  return {
    name: textOf(wordsAt(read, base + STAKER.name.slot, 1)),
    transportKey: wordsAt(read, base + STAKER.transportKey.slot, 1),
    host: textOf(wordsAt(read, base + STAKER.host.slot, HOST_WORDS)),
    port: Number(readFields(read, base, ADDRESSED).port),
  };
}

export function readConsensusKey(read: ReadWord, id: number): Bytes {
  const base = stakerSlot(id);
  const { consensusKeyTail } = readFields(read, base, KEY_TAIL);
  const head = wordsAt(read, base + STAKER.consensusKeyHead.slot, 1);
  return concatBytes(head, bigintToBytes(consensusKeyTail, TAIL_BYTES));
}

function wordsAt(read: ReadWord, slot: bigint, count: number): Bytes {
  return concatBytes(...Array.from({ length: count }, (_, i) => wordToBytes(read(slot + BigInt(i)))));
}

/** Up to the first zero. */
function textOf(padded: Bytes): string {
  const end = padded.indexOf(0);
  return Array.from(end < 0 ? padded : padded.subarray(0, end), (code) => String.fromCharCode(code)).join("");
}
