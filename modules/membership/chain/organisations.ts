import { type Address, addressFromWord, type Bytes } from "@ostrom/base";
import { arraySlot } from "@ostrom/execution";
import {
  COUNTERS,
  entrySlot,
  type Field,
  field,
  type MembershipState,
  readAddresses,
  readBytes,
  readNumbers,
  readText,
  readWord,
  SLOTS,
} from "./layout.ts";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_CERTIFICATES,
  MAX_FILTER_ADDRESSES,
  MAX_OBSERVERS_OF_ORGANISATION,
  MAX_ORGANISATION_NAME_BYTES,
  MAX_ORGANISATIONS,
  MAX_VALIDATORS_OF_ORGANISATION,
} from "./limits.ts";
import type { Limits } from "./settings.ts";

export type Standing = "active" | "suspended" | "removed";

/** A member, or one that was. */
export type Organisation = {
  /** By which the contract names it; from 1. */
  readonly id: number;
  readonly name: string;
  readonly standing: Standing;
  /** undefined if it is removed. */
  readonly admin: Address | undefined;
  /** To whom the admin has offered its place. */
  readonly pendingAdmin: Address | undefined;
  readonly limits: Limits;
  readonly validators: number;
  readonly observers: number;
  /** The shares of its validators together: how `limits.weight` is divided. */
  readonly weight: number;
  /** What its observers may see; empty: all. */
  readonly filter: readonly Address[];
  /** DER of its certificate authority; two while one replaces the other; none: it has no authority. Nobody has checked them. */
  readonly certificates: readonly Bytes[];
  readonly nodeIds: readonly number[];
  readonly accountCount: number;
};

/** What holds for all. */
export type MembershipRules = {
  /** Of the contract; 0 before the module was ever active. */
  readonly version: number;
  /** Decides alone; undefined: the members vote. */
  readonly owner: Address | undefined;
  readonly thresholdPercent: number;
  readonly proposalBlocks: number;
  readonly openToAll: boolean;
  /** Ids go from 1 to this one. */
  readonly lastOrganisation: number;
  readonly activeOrganisations: number;
  readonly validatorNodes: number;
  /** Of organisations that are not suspended. */
  readonly liveValidators: number;
  readonly lastProposal: number;
};

const STANDINGS: readonly (Standing | undefined)[] = [undefined, "active", "suspended", "removed"];

/** Slots of `struct Organisation`, after its first, and fields of those that are shared. */
export const ORGANISATION_SLOTS = {
  limits: 1n,
  weight: 2n,
  name: 3n,
  filter: 4n,
  certificates: 5n,
  nodes: 6n,
  accounts: 7n,
} as const;
const STANDING: Field = [160, 8];
const VALIDATORS: Field = [168, 16];
const OBSERVERS: Field = [184, 16];
const LIMIT_FIELDS = {
  validators: [0, 16],
  observers: [16, 16],
  accounts: [32, 32],
  weight: [64, 64],
} as const;
const WEIGHT: Field = [0, 64];
const PENDING_ADMIN_OFFSET = 64n;
const LAST_PROPOSAL: Field = [160, 32];
const BITS_IN_A_WORD = 256;

/** Reads what holds for all. */
export function readRules(state: MembershipState): MembershipRules {
  const counters = readWord(state, SLOTS.counters);
  const ownerWord = readWord(state, SLOTS.owner);
  return {
    version: field(counters, COUNTERS.version),
    owner: addressOrNone(ownerWord),
    thresholdPercent: field(counters, COUNTERS.thresholdPercent),
    proposalBlocks: field(counters, COUNTERS.proposalBlocks),
    openToAll: field(counters, COUNTERS.openToAll) === 1,
    lastOrganisation: Math.min(field(counters, COUNTERS.lastOrganisation), MAX_ORGANISATIONS),
    activeOrganisations: field(counters, COUNTERS.activeOrganisations),
    validatorNodes: field(counters, COUNTERS.validatorNodes),
    liveValidators: field(counters, COUNTERS.liveValidators),
    lastProposal: field(ownerWord, LAST_PROPOSAL),
  };
}

export function organisationSlot(id: number): bigint {
  return entrySlot(id, SLOTS.organisations);
}

/** Reads an organisation. @returns undefined if there was never one with this id. */
export function readOrganisation(state: MembershipState, id: number): Organisation | undefined {
  const at = organisationSlot(id);
  const head = readWord(state, at);
  const standing = STANDINGS[field(head, STANDING)];
  if (standing === undefined) return undefined;
  const weight = readWord(state, at + ORGANISATION_SLOTS.weight);
  return {
    id,
    name: readText(state, at + ORGANISATION_SLOTS.name, MAX_ORGANISATION_NAME_BYTES),
    standing,
    admin: addressOrNone(head),
    pendingAdmin: addressOrNone(weight >> PENDING_ADMIN_OFFSET),
    limits: readLimits(state, id),
    validators: field(head, VALIDATORS),
    observers: field(head, OBSERVERS),
    weight: field(weight, WEIGHT),
    filter: readAddresses(state, at + ORGANISATION_SLOTS.filter, MAX_FILTER_ADDRESSES),
    certificates: readCertificates(state, id),
    nodeIds: readNodeIds(state, id),
    accountCount: Number(readWord(state, at + ORGANISATION_SLOTS.accounts)),
  };
}

/** All that are or were members, in the order of their ids. @param ids of these alone. */
export function readOrganisations(
  state: MembershipState,
  ids: readonly number[] = organisationIds(state),
): readonly Organisation[] {
  return ids.map((id) => readOrganisation(state, id)).filter((organisation) => organisation !== undefined);
}

/** Of all that were ever admitted. */
export function organisationIds(state: MembershipState): readonly number[] {
  const count = field(readWord(state, SLOTS.counters), COUNTERS.lastOrganisation);
  return Array.from({ length: Math.min(count, MAX_ORGANISATIONS) }, (_, index) => index + 1);
}

/** Words of one bit for each organisation. */
const WORD_COUNT = Math.floor(MAX_ORGANISATIONS / BITS_IN_A_WORD) + 1;
/** Computed once: they are read for each transaction. */
const ACTIVE_SLOTS: readonly bigint[] = Array.from({ length: WORD_COUNT }, (_, word) =>
  entrySlot(word, SLOTS.active),
);

/** Which of 256 organisations, from `word * 256` on, are members and not suspended. */
export function readActiveWord(state: MembershipState, word: number): bigint {
  const slot = ACTIVE_SLOTS[word];
  return slot === undefined ? 0n : readWord(state, slot);
}

/** Whether an organisation is a member and not suspended. */
export function isActive(state: MembershipState, id: number): boolean {
  const word = readActiveWord(state, Math.floor(id / BITS_IN_A_WORD));
  return field(word, [id % BITS_IN_A_WORD, 1]) === 1;
}

export function readLimits(state: MembershipState, id: number): Limits {
  const limits = readWord(state, organisationSlot(id) + ORGANISATION_SLOTS.limits);
  return {
    validators: field(limits, LIMIT_FIELDS.validators),
    observers: field(limits, LIMIT_FIELDS.observers),
    accounts: field(limits, LIMIT_FIELDS.accounts),
    weight: field(limits, LIMIT_FIELDS.weight),
  };
}

export function readNodeIds(state: MembershipState, id: number): readonly number[] {
  const slot = organisationSlot(id) + ORGANISATION_SLOTS.nodes;
  return readNumbers(state, slot, MAX_VALIDATORS_OF_ORGANISATION + MAX_OBSERVERS_OF_ORGANISATION);
}

export function readCertificates(state: MembershipState, id: number): readonly Bytes[] {
  const slot = organisationSlot(id) + ORGANISATION_SLOTS.certificates;
  const count = Math.min(Number(readWord(state, slot)), MAX_CERTIFICATES);
  const start = arraySlot(slot);
  return Array.from({ length: count }, (_, index) =>
    readBytes(state, start + BigInt(index), MAX_CERTIFICATE_BYTES),
  );
}

export function addressOrNone(word: bigint): Address | undefined {
  const low = word & ((1n << 160n) - 1n);
  return low === 0n ? undefined : addressFromWord(low);
}
