import {
  type Address,
  addressFromWord,
  addressToWord,
  type Bytes,
  EMPTY_BYTES,
  wordToBytes,
} from "@ostrom/base";
import {
  arraySlot,
  MEMBERSHIP_ADDRESS,
  type ModuleState,
  mappingSlot,
  readStoredBytes,
} from "@ostrom/execution";

// Where contracts/MembershipState.sol keeps what; a test compares with the compiler's own layout.

/** State as of one block: `StateReader`, `ModuleState`, or a journal. */
export type MembershipState = Pick<ModuleState, "storage">;

/** Slots of the contract's variables. */
export const SLOTS = {
  counters: 0n,
  owner: 1n,
  organisations: 2n,
  nodes: 3n,
  holderOf: 4n,
  organisationOfAdmin: 5n,
  active: 6n,
  grants: 7n,
  places: 8n,
  proposals: 9n,
  openProposals: 10n,
} as const;

/** Bits from the right, and how many, of what shares a word. */
export const COUNTERS = {
  version: [0, 32],
  thresholdPercent: [32, 8],
  openToAll: [40, 8],
  proposalBlocks: [48, 64],
  lastOrganisation: [112, 32],
  lastNode: [144, 32],
  activeOrganisations: [176, 16],
  validatorNodes: [192, 16],
  liveValidators: [208, 16],
} as const;

export type Field = readonly [number, number];

export function field(word: bigint, [offset, bits]: Field): number {
  return Number((word >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n));
}

export function readWord(state: MembershipState, slot: bigint): bigint {
  return state.storage(MEMBERSHIP_ADDRESS, slot);
}

/** Of a mapping from a number. */
export function entrySlot(key: number | bigint, slot: bigint): bigint {
  return mappingSlot(wordToBytes(BigInt(key)), slot);
}

/** Of a mapping from an address. */
export function addressEntrySlot(key: Address, slot: bigint): bigint {
  return mappingSlot(wordToBytes(addressToWord(key)), slot);
}

/** Empty if there are more than `maxBytes`, which the contract never writes. */
export function readBytes(state: MembershipState, slot: bigint, maxBytes: number): Bytes {
  return readStoredBytes((at) => readWord(state, at), slot, maxBytes) ?? EMPTY_BYTES;
}

/** Of what the contract has checked to be ASCII. */
export function readText(state: MembershipState, slot: bigint, maxBytes: number): string {
  return Array.from(readBytes(state, slot, maxBytes), (code) => String.fromCharCode(code)).join("");
}

/** An `address[]`, `maxEntries` at most. */
export function readAddresses(
  state: MembershipState,
  slot: bigint,
  maxEntries: number,
  from = 0,
): readonly Address[] {
  const length = Number(readWord(state, slot));
  const count = Math.max(0, Math.min(length - from, maxEntries));
  const start = arraySlot(slot) + BigInt(from);
  return Array.from({ length: count }, (_, index) => addressFromWord(readWord(state, start + BigInt(index))));
}

const NUMBERS_IN_A_WORD = 8;
const NUMBER_BITS = 32;

/** A `uint32[]`, eight in a word. */
export function readNumbers(state: MembershipState, slot: bigint, maxEntries: number): readonly number[] {
  const count = Math.min(Number(readWord(state, slot)), maxEntries);
  const start = arraySlot(slot);
  return Array.from({ length: count }, (_, index) => {
    const word = readWord(state, start + BigInt(Math.floor(index / NUMBERS_IN_A_WORD)));
    return field(word, [(index % NUMBERS_IN_A_WORD) * NUMBER_BITS, NUMBER_BITS]);
  });
}
