import { addressFromHex } from "@ostrom/base";
import { MAX_WORK_VALIDATORS, type ValidatorSets } from "@ostrom/execution";
import { readChoice } from "./choice.ts";
import { type CommandInput, type Flag, UsageError } from "./command.ts";
import type { ConsensusChoice } from "./consensus-choice.ts";
import { readAddress } from "./units.ts";

const KINDS = ["fixed", "managed", "work"] as const;
/** Some seconds of one machine; the contract adjusts it from epoch to epoch. */
const FIRST_TARGET = 2n ** 256n / 2n ** 22n;
const TICKETS_PER_EPOCH = 128;
const WINDOW_EPOCHS = 4;
const FEWEST_VALIDATORS = 4;
const MIN_EPOCH_LENGTH = 2;
const MAX_EPOCH_LENGTH = 1_000_000_000;

/** The flags of `ostrom init` that say who decides on validators. */
export const VALIDATOR_SET_FLAGS: readonly Flag[] = [
  {
    name: "validator-sets",
    kind: "text",
    placeholder: "KIND",
    help: "later validators: fixed, managed (by an owner), work (by mining); else as --profile says",
    choices: KINDS,
  },
  {
    name: "owner",
    kind: "text",
    placeholder: "ADDRESS",
    help: "with --validator-sets managed: who decides; with --profile public: who schedules upgrades",
  },
  { name: "epoch-length", kind: "number", help: "blocks for which a set validates (default 100000)" },
];

/** What `provisionNetwork` takes of it. @throws UsageError */
export function readValidatorSets(
  { values, given }: CommandInput,
  { engine }: ConsensusChoice,
  validators: number,
): { readonly epochLength: number | undefined; readonly validatorSets: ValidatorSets } {
  const kind = readChoice("--validator-sets", values["validatorSets"] ?? "fixed", KINDS);
  if (engine === "pow" && kind !== "fixed")
    throw new UsageError("--validator-sets: where blocks are mined (--consensus pow) nobody votes");
  if (given.has("owner") !== (kind === "managed"))
    throw new UsageError("--owner ADDRESS belongs to --validator-sets managed, or --profile public");
  const epochLength = readEpochLength(values["epochLength"]);
  return { epochLength, validatorSets: setsOf(kind, values["owner"], validators) };
}

/** @throws UsageError */
export function readEpochLength(value: unknown): number | undefined {
  const epochLength = value as number | undefined;
  if (epochLength === undefined || (epochLength >= MIN_EPOCH_LENGTH && epochLength <= MAX_EPOCH_LENGTH))
    return epochLength;
  throw new UsageError(
    `--epoch-length: choose ${MIN_EPOCH_LENGTH} to ${MAX_EPOCH_LENGTH}, found ${epochLength}`,
  );
}

function setsOf(kind: (typeof KINDS)[number], owner: unknown, validators: number): ValidatorSets {
  switch (kind) {
    case "fixed":
      return { kind };
    case "managed":
      return { kind, owner: addressFromHex(readAddress(String(owner), "--owner")) };
    case "work":
      if (validators > MAX_WORK_VALIDATORS)
        throw new UsageError(`--validators: work elects ${MAX_WORK_VALIDATORS} at most, found ${validators}`);
      return {
        kind,
        initialTarget: FIRST_TARGET,
        ticketsPerEpoch: TICKETS_PER_EPOCH,
        windowEpochs: WINDOW_EPOCHS,
        minValidators: Math.min(FEWEST_VALIDATORS, validators),
        maxValidators: MAX_WORK_VALIDATORS,
      };
    default:
      return kind satisfies never;
  }
}
