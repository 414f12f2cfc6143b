import { type Address, addressFromWord, type Bytes } from "@ostrom/base";
import { arraySlot } from "@ostrom/execution";
import {
  COUNTERS,
  entrySlot,
  type Field,
  field,
  type MembershipState,
  readBytes,
  readNumbers,
  readWord,
  SLOTS,
} from "./layout.ts";
import {
  MAX_OPEN_PROPOSALS_OF_ORGANISATION,
  MAX_PROPOSAL_BYTES,
  MAX_PROPOSAL_CALLS,
  MAX_TITLE_BYTES,
} from "./limits.ts";
import { isActive, organisationIds } from "./organisations.ts";

export type ProposedCall = { readonly target: Address; readonly value: bigint; readonly data: Bytes };

export type Proposal = {
  readonly id: number;
  /** That proposed it. */
  readonly organisation: number;
  readonly openedAt: number;
  /** The last block in which it can be executed. */
  readonly expiresAt: number;
  /** An open one may have expired. */
  readonly state: "open" | "executed" | "withdrawn";
  /** UTF-8, as its proposer gave it: not for a terminal as it is. */
  readonly title: Bytes;
  readonly calls: readonly ProposedCall[];
  /** Organisations that are for it; those suspended or removed do not count. */
  readonly supporters: readonly number[];
  /** Of those, who counts now. */
  readonly votes: number;
  /** How many votes it needs now. */
  readonly needed: number;
};

const STATES = [undefined, "open", "executed", "withdrawn"] as const;
const ORGANISATION: Field = [0, 32];
const OPENED_AT: Field = [32, 64];
const EXPIRES_AT: Field = [96, 64];
const NEEDED: Field = [160, 16];
const STATE: Field = [176, 8];
const TITLE_OFFSET = 1n;
const CALLS_OFFSET = 2n;
const SUPPORTERS_OFFSET = 3n;
const SLOTS_OF_A_CALL = 3n;
const BITS_IN_A_WORD = 256;

/** @returns undefined if there was never such a proposal. */
export function readProposal(state: MembershipState, id: number): Proposal | undefined {
  const at = entrySlot(id, SLOTS.proposals);
  const head = readWord(state, at);
  const kind = STATES[field(head, STATE)];
  if (kind === undefined) return undefined;
  const supporters = organisationIds(state).filter((organisation) => {
    const word = entrySlot(Math.floor(organisation / BITS_IN_A_WORD), at + SUPPORTERS_OFFSET);
    return field(readWord(state, word), [organisation % BITS_IN_A_WORD, 1]) === 1;
  });
  return {
    id,
    organisation: field(head, ORGANISATION),
    openedAt: field(head, OPENED_AT),
    expiresAt: field(head, EXPIRES_AT),
    state: kind,
    title: readBytes(state, at + TITLE_OFFSET, MAX_TITLE_BYTES),
    calls: readCalls(state, at + CALLS_OFFSET),
    supporters,
    votes: supporters.filter((organisation) => isActive(state, organisation)).length,
    needed: Math.max(field(head, NEEDED), votesNeeded(state)),
  };
}

/** Those that can still be voted on in the block after `height`, in the order of their ids. */
export function readOpenProposals(state: MembershipState, height: number): readonly Proposal[] {
  return organisationIds(state)
    .flatMap((organisation) =>
      readNumbers(state, entrySlot(organisation, SLOTS.openProposals), MAX_OPEN_PROPOSALS_OF_ORGANISATION),
    )
    .sort((a, b) => a - b)
    .map((id) => readProposal(state, id))
    .filter((proposal) => proposal !== undefined)
    .filter((proposal) => proposal.state === "open" && proposal.expiresAt > height);
}

/** Of the organisations that are members and not suspended now: the threshold's share, rounded up. */
export function votesNeeded(state: MembershipState): number {
  const counters = readWord(state, SLOTS.counters);
  const percent = field(counters, COUNTERS.thresholdPercent);
  return Math.ceil((field(counters, COUNTERS.activeOrganisations) * percent) / 100);
}

function readCalls(state: MembershipState, slot: bigint): readonly ProposedCall[] {
  const count = Math.min(Number(readWord(state, slot)), MAX_PROPOSAL_CALLS);
  return Array.from({ length: count }, (_, index) => {
    const at = arraySlot(slot) + SLOTS_OF_A_CALL * BigInt(index);
    return {
      target: addressFromWord(readWord(state, at)),
      value: readWord(state, at + 1n),
      data: readBytes(state, at + 2n, MAX_PROPOSAL_BYTES),
    };
  });
}
