import { Address, toHex, wordToBytes } from "@ostrom/base";
import { MODULE_NAME_PATTERN } from "./installed-modules.ts";
import {
  inconsistent,
  type Place,
  readAmount,
  readChoice,
  readCount,
  readHex,
  readObject,
  readText,
} from "./json-reader.ts";

/** Who decides which validators the next epoch has. The contracts are in languages/solidity/validator-sets. */
export type ValidatorSets =
  /** Genesis, for good. */
  | { readonly kind: "fixed" }
  /** An owner, by transactions; each validator may change its own keys. */
  | { readonly kind: "managed"; readonly owner: Address }
  | WorkValidatorSets
  /** A module that is active from genesis on, until it hands over to another (the port ValidatorSets of chain-module.ts). */
  | { readonly kind: "module"; readonly name: string };

/** Recent work: miners submit tickets, and those with the most of them are the next set. */
export type WorkValidatorSets = {
  readonly kind: "work";
  /** A ticket's hash, as a number of 256 bits, must be below it; it is adjusted once an epoch. */
  readonly initialTarget: bigint;
  /** How many tickets of all miners together an epoch should have. */
  readonly ticketsPerEpoch: number;
  /** Tickets count for so many epochs. */
  readonly windowEpochs: number;
  /** With fewer miners, the set before goes on. */
  readonly minValidators: number;
  readonly maxValidators: number;
};

/** As in genesis.json: the owner and the target as hex. */
export type ValidatorSetsJson =
  | { readonly kind: "fixed" }
  | { readonly kind: "managed"; readonly owner: string }
  | (Omit<WorkValidatorSets, "initialTarget"> & { readonly initialTarget: string })
  | { readonly kind: "module"; readonly name: string };

/** The contract counts the tickets of each epoch of the window in one word. */
export const MAX_WORK_WINDOW_EPOCHS = 8;
/** So that the contract can write a whole set within the gas of one system call. */
export const MAX_WORK_VALIDATORS = 64;
/** So that the contract can go through all miners within the gas of one system call. */
export const MAX_WORK_MINERS = 512;
const KINDS = ["fixed", "managed", "work", "module"] as const;
const MAX_TARGET = 2n ** 256n - 1n;

export function readValidatorSets(place: Place): ValidatorSets {
  const kind = readChoice(readObject(place, ["kind"], ALL_SETTINGS).kind, KINDS);
  switch (kind) {
    case "fixed":
      readObject(place, ["kind"]);
      return { kind };
    case "managed": {
      const { owner } = readObject(place, ["kind", "owner"]);
      return { kind, owner: Address(readHex(owner, { min: 20, max: 20 })) };
    }
    case "work":
      return readWork(place);
    case "module": {
      const { name } = readObject(place, ["kind", "name"]);
      return { kind, name: readText(name, MODULE_NAME_PATTERN, "the name of a module in modules.active") };
    }
    default:
      return kind satisfies never;
  }
}

const WORK_SETTINGS = [
  "initialTarget",
  "ticketsPerEpoch",
  "windowEpochs",
  "minValidators",
  "maxValidators",
] as const;
const ALL_SETTINGS = ["owner", "name", ...WORK_SETTINGS] as const;

function readWork(place: Place): WorkValidatorSets {
  const fields = readObject(place, ["kind", ...WORK_SETTINGS]);
  const sets: WorkValidatorSets = {
    kind: "work",
    initialTarget: readAmount(fields.initialTarget, 1n, MAX_TARGET),
    ticketsPerEpoch: readCount(fields.ticketsPerEpoch, 1, MAX_WORK_MINERS),
    windowEpochs: readCount(fields.windowEpochs, 1, MAX_WORK_WINDOW_EPOCHS),
    minValidators: readCount(fields.minValidators, 1, MAX_WORK_VALIDATORS),
    maxValidators: readCount(fields.maxValidators, 1, MAX_WORK_VALIDATORS),
  };
  if (sets.maxValidators < sets.minValidators) {
    throw inconsistent(fields.maxValidators, `must be at least minValidators, ${sets.minValidators}`);
  }
  if (sets.ticketsPerEpoch * sets.windowEpochs > MAX_WORK_MINERS) {
    throw inconsistent(
      fields.ticketsPerEpoch,
      `times windowEpochs must not exceed ${MAX_WORK_MINERS}, the miners that there is room for`,
    );
  }
  return sets;
}

export function formatValidatorSets(sets: ValidatorSets): ValidatorSetsJson {
  switch (sets.kind) {
    case "fixed":
      return { kind: sets.kind };
    case "managed":
      return { kind: sets.kind, owner: toHex(sets.owner) };
    case "module":
      return { kind: sets.kind, name: sets.name };
    case "work":
      return {
        kind: sets.kind,
        initialTarget: toHex(wordToBytes(sets.initialTarget)),
        ticketsPerEpoch: sets.ticketsPerEpoch,
        windowEpochs: sets.windowEpochs,
        minValidators: sets.minValidators,
        maxValidators: sets.maxValidators,
      };
    default:
      return sets satisfies never;
  }
}
