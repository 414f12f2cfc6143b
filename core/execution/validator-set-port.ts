import { bytesToBigint, EMPTY_BYTES, type Hash, hashFromWord, utf8 } from "@ostrom/base";
import { keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import type { JournaledState, SlotChange, StateReader } from "@ostrom/state";
import type { ModuleValidatorSet } from "./chain-module.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import type { ModulePlan } from "./module-plan.ts";
import { portTaken, readValidatorSetsPort } from "./module-registry.ts";
import {
  type NextSetFailure,
  readNextValidatorSet,
  type VerifyPossession,
  verifyKeyPossession,
} from "./next-validator-set.ts";
import { viewOfJournal } from "./state-views.ts";
import {
  clearedValidatorSet,
  MAX_VALIDATOR_COUNT,
  readValidatorSet,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
  validatorSetStorage,
} from "./validator-set.ts";

/** What became of the port ValidatorSets at a frozen height. */
export type PortReport = {
  /** Who holds it from now on. */
  readonly holder: string | undefined;
  /** Whether it has just been handed over. */
  readonly isNew: boolean;
  /** Modules whose answer cannot be a set. */
  readonly refused: readonly { readonly name: string; readonly failure: NextSetFailure }[];
};

/** keccak256("ostrom/leader-seed"): where VALIDATOR_SET_ADDRESS keeps by what the leaders of the next epoch are drawn. No contract has a
 * variable there. 0: by the number of the epoch. */
export const LEADER_SEED_SLOT: bigint = bytesToBigint(keccak256(utf8("ostrom/leader-seed")));

/** By what leaders are drawn in the epoch whose set state holds; undefined: by the epoch's number. */
export function readLeaderSeed(state: Pick<StateReader, "storage">): Hash | undefined {
  const word = state.storage(VALIDATOR_SET_ADDRESS, LEADER_SEED_SLOT);
  return word === 0n ? undefined : hashFromWord(word);
}

/** Asks the module that holds the port for the set of the next epoch and writes it where `readNextValidatorSet` reads: whole, with only
 * those whose keys are proved. If a handover is due, the next holder is asked first, and holds the port if it has a valid set.
 * @returns undefined where no module holds the port, nor is to: genesis or a contract decides. */
export function askNextSet(
  state: JournaledState,
  plan: ModulePlan,
  nextEpoch: number,
  verifyPossession: VerifyPossession = verifyKeyPossession,
): PortReport | undefined {
  if (plan.registry === undefined) return undefined;
  const view = viewOfJournal(state);
  // As the block's transactions leave it: a handover that was taken back a moment ago does not happen.
  const { holder, handOver } = readValidatorSetsPort(view);
  const isDue = handOver !== undefined && handOver.fromEpoch <= BigInt(nextEpoch);
  const asked = isDue ? [handOver.to, holder] : [holder];
  if (asked.every((name) => name === undefined)) return undefined;
  const read = readValidatorSet(view);
  const current = read.ok ? read.value : NO_SET;
  // A contract's set may have keys that nobody has proved, and that the set in force lacks.
  const isProved = ({ consensusKey, proofOfPossession }: Validator): boolean =>
    holder !== undefined || verifyPossession(consensusKey, proofOfPossession, current.schemeId);
  const proved = { ...current, validators: current.validators.filter(isProved) };
  const refused: { name: string; failure: NextSetFailure }[] = [];
  for (const name of new Set(asked)) {
    const module = plan.active.find((each) => each.module.name === name)?.module;
    const answer = module?.validatorSet?.(view, nextEpoch, current);
    if (name === undefined || answer === undefined) continue;
    const failure = writeSet(state, answer, proved, verifyPossession);
    if (failure === undefined) {
      const isNew = isDue && name === handOver.to;
      if (isNew) takePort(state, name);
      return { holder: name, isNew, refused };
    }
    refused.push({ name, failure });
  }
  // What a seed of another epoch says is known to all by now.
  if (holder !== undefined) writeSlots(state, [{ slot: LEADER_SEED_SLOT, value: 0n }]);
  return { holder, isNew: false, refused };
}

const NO_SET: ValidatorSet = { schemeId: SCHEME_BLS12381, validators: [] };
const MAX_PORT = 65_535;

/** @param proved validators whose keys need no proof any more.
 * @returns why it cannot be the next set: then state is as it was. */
function writeSet(
  state: JournaledState,
  { set, leaderSeed }: ModuleValidatorSet,
  proved: ValidatorSet,
  verifyPossession: VerifyPossession,
): NextSetFailure | undefined {
  const { length } = set.validators;
  if (length > MAX_VALIDATOR_COUNT || set.validators.some(({ port }) => !isPort(port)))
    return { code: "validators/unreadable", message: `${length} validators, or a port that cannot be` };
  const view = viewOfJournal(state);
  state.beginTransaction();
  const checkpoint = state.checkpoint();
  replaceSet(state, set);
  const next = readNextValidatorSet(view, proved, verifyPossession);
  if (next.refused !== undefined) state.revertTo(checkpoint);
  else {
    if (next.leftOut.length > 0) replaceSet(state, next.set);
    state.setStorage(
      VALIDATOR_SET_ADDRESS,
      LEADER_SEED_SLOT,
      leaderSeed === undefined ? 0n : bytesToBigint(leaderSeed),
    );
  }
  state.endTransaction();
  return next.refused;
}

function replaceSet(state: JournaledState, set: ValidatorSet): void {
  const slots = [...clearedValidatorSet(viewOfJournal(state)), ...validatorSetStorage(set)];
  for (const { slot, value } of slots) state.setStorage(VALIDATOR_SET_ADDRESS, slot, value);
}

/** A contract that decided before would go on to change what is the module's: its code goes. */
function takePort(state: JournaledState, name: string): void {
  state.beginTransaction();
  for (const { slot, value } of portTaken(name)) state.setStorage(MODULE_REGISTRY_ADDRESS, slot, value);
  if (state.code(VALIDATOR_SET_ADDRESS).length > 0) state.setCode(VALIDATOR_SET_ADDRESS, EMPTY_BYTES);
  state.endTransaction();
}

function writeSlots(state: JournaledState, slots: readonly SlotChange[]): void {
  state.beginTransaction();
  for (const { slot, value } of slots) state.setStorage(VALIDATOR_SET_ADDRESS, slot, value);
  state.endTransaction();
}

function isPort(port: number): boolean {
  return Number.isSafeInteger(port) && port >= 1 && port <= MAX_PORT;
}
