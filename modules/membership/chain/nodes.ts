import { type Address, addressFromWord, type Bytes, equalBytes, fromHex, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { mappingSlot, TRANSPORT_KEY_LENGTHS } from "@ostrom/execution";
import {
  entrySlot,
  type Field,
  field,
  type MembershipState,
  readAddresses,
  readBytes,
  readText,
  readWord,
  SLOTS,
} from "./layout.ts";
import { MAX_FILTER_ADDRESSES } from "./limits.ts";
import {
  isActive,
  ORGANISATION_SLOTS,
  organisationIds,
  organisationSlot,
  readCertificates,
  readNodeIds,
} from "./organisations.ts";
import { NODE_ROLES, type NodeRole } from "./settings.ts";

/** A machine of a member. */
export type MemberNode = {
  /** By which the contract names it. */
  readonly id: number;
  readonly organisation: number;
  /** False while its organisation is suspended. It may still be in the validator set of the epoch that runs: until that ends, whoever
   * decides on links has to ask that set too, or the chain may lose its quorum before the next set begins. */
  readonly isActive: boolean;
  readonly role: NodeRole;
  readonly name: string;
  /** Receives the fees of its blocks. */
  readonly account: Address;
  /** Its share of its organisation's weight, against those of the other nodes; 0 for an observer, which has no consensus key either. */
  readonly weight: number;
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  /** Raw public key of its links; its hex digits are the node's name on the network. */
  readonly transportKey: Bytes;
  readonly host: string;
  readonly port: number;
  /** The accounts whose data it may be sent; undefined: all. A validator needs all. */
  readonly filter: readonly Address[] | undefined;
};

const CONSENSUS_KEY_OFFSET = 1n;
const PROOF_OFFSET = 2n;
const TRANSPORT_KEY_OFFSET = 3n;
const NAME_OFFSET = 4n;
const HOST_OFFSET = 5n;
const PLACE_OFFSET = 6n;
const FILTER_OFFSET = 7n;
/** A proof of possession of ML-DSA-65; all other keys and proofs are shorter. */
const MAX_KEY_BYTES = 3309;
const MAX_NAME_BYTES = 64;
const MAX_HOST_BYTES = 253;

const WEIGHT: Field = [160, 64];
const PORT: Field = [224, 16];
const ORGANISATION: Field = [0, 32];
const ROLE: Field = [32, 8];
const HOLDING_NODE: Field = [0, 32];

/** The nodes of all members, suspended ones too, in the order of their ids.
 * @param organisations of these alone. */
export function readNodes(
  state: MembershipState,
  organisations: readonly number[] = organisationIds(state),
): readonly MemberNode[] {
  return organisations
    .flatMap((organisation) => readNodesOf(state, organisation))
    .sort((a, b) => a.id - b.id);
}

/** The nodes of one organisation. */
export function readNodesOf(state: MembershipState, organisation: number): readonly MemberNode[] {
  return readNodeIds(state, organisation)
    .map((id) => readNode(state, id))
    .filter((node) => node !== undefined);
}

/** @returns undefined if there is no such node (any more). */
export function readNode(state: MembershipState, id: number): MemberNode | undefined {
  const at = entrySlot(id, SLOTS.nodes);
  const place = readWord(state, at + PLACE_OFFSET);
  const organisation = field(place, ORGANISATION);
  if (organisation === 0) return undefined;
  const head = readWord(state, at);
  const role = field(place, ROLE) === NODE_ROLES.observer ? "observer" : "validator";
  return {
    id,
    organisation,
    isActive: isActive(state, organisation),
    role,
    name: readText(state, at + NAME_OFFSET, MAX_NAME_BYTES),
    account: addressFromWord(head),
    weight: field(head, WEIGHT),
    consensusKey: readBytes(state, at + CONSENSUS_KEY_OFFSET, MAX_KEY_BYTES),
    proofOfPossession: readBytes(state, at + PROOF_OFFSET, MAX_KEY_BYTES),
    transportKey: readBytes(state, at + TRANSPORT_KEY_OFFSET, MAX_KEY_BYTES),
    host: readText(state, at + HOST_OFFSET, MAX_HOST_BYTES),
    port: field(head, PORT),
    filter: role === "observer" ? readFilter(state, at + FILTER_OFFSET, organisation) : undefined,
  };
}

/** Who has a transport key. @param peerId the raw key in hex digits, as node/network names peers. */
export function readNodeOfPeer(state: MembershipState, peerId: string): MemberNode | undefined {
  const id = nodeIdOfPeer(state, peerId);
  return id === undefined ? undefined : readNode(state, id);
}

/** Which organisation has a transport key. */
export function readOrganisationOfPeer(state: MembershipState, peerId: string): number | undefined {
  const id = nodeIdOfPeer(state, peerId);
  if (id === undefined) return undefined;
  return field(readWord(state, entrySlot(id, SLOTS.nodes) + PLACE_OFFSET), ORGANISATION);
}

/** DER of the authorities of a peer's organisation: one of them must have issued the peer's certificate. Empty: it needs none.
 * @returns undefined for a peer that is nobody's node. */
export function certificateAuthoritiesOf(
  state: MembershipState,
  peerId: string,
): readonly Bytes[] | undefined {
  const organisation = readOrganisationOfPeer(state, peerId);
  return organisation === undefined ? undefined : readCertificates(state, organisation);
}

function nodeIdOfPeer(state: MembershipState, peerId: string): number | undefined {
  const key = fromHex(peerId);
  if (!key.ok || !TRANSPORT_KEY_LENGTHS.includes(key.value.length)) return undefined;
  const id = field(readWord(state, mappingSlot(keccak256(key.value), SLOTS.holderOf)), HOLDING_NODE);
  if (id === 0) return undefined;
  // Consensus keys have a holder too, and may be as long: they name no peer.
  const transportKey = readBytes(state, entrySlot(id, SLOTS.nodes) + TRANSPORT_KEY_OFFSET, MAX_KEY_BYTES);
  return equalBytes(transportKey, key.value) ? id : undefined;
}

/** What an observer may be sent: what it wants of what its organisation may see. */
function readFilter(
  state: MembershipState,
  slot: bigint,
  organisation: number,
): readonly Address[] | undefined {
  const wanted = readAddresses(state, slot, MAX_FILTER_ADDRESSES);
  const allowedSlot = organisationSlot(organisation) + ORGANISATION_SLOTS.filter;
  const allowed = readAddresses(state, allowedSlot, MAX_FILTER_ADDRESSES);
  if (allowed.length === 0) return wanted.length === 0 ? undefined : wanted;
  if (wanted.length === 0) return allowed;
  const allowedKeys = new Set(allowed.map(toHexDigits));
  return wanted.filter((address) => allowedKeys.has(toHexDigits(address)));
}
