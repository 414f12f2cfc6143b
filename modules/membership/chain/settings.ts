import {
  type Address,
  addressFromWord,
  addressToWord,
  type Bytes,
  equalBytes,
  type Failure,
  fail,
  ok,
  type Result,
  utf8,
} from "@ostrom/base";
import { type AbiValue, ADDRESS, arrayOf, BYTES, decodeAbi, encodeAbi, NUMBER, tupleOf } from "./abi.ts";
import { type Role, rolesFromBits, rolesToBits } from "./roles.ts";

/** How much an organisation may do by itself. */
export type Limits = {
  readonly validators: number;
  readonly observers: number;
  readonly accounts: number;
  /** In consensus, whole, however many validators it has; also how far their shares may be divided. */
  readonly weight: number;
};

export type NodeRole = "validator" | "observer";

/** A machine of an organisation. An observer has no consensus key, proof or weight: empty bytes and 0. */
export type NodeSettings = {
  readonly role: NodeRole;
  readonly name: string;
  /** Receives the fees of the blocks that it proposes. */
  readonly account: Address;
  /** Its share of the organisation's weight. */
  readonly weight: number;
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  readonly transportKey: Bytes;
  readonly host: string;
  readonly port: number;
  /** Of an observer: accounts that it wants to follow; empty: all that its organisation may see. */
  readonly filter: readonly Address[];
};

export type OrganisationSettings = {
  /** Letters, digits, `.`, `_`, `-` and spaces. */
  readonly name: string;
  readonly admin: Address;
  readonly limits: Limits;
  /** What its observers may see at most; empty: all. */
  readonly filter: readonly Address[];
  /** DER, two at most. */
  readonly certificates: readonly Bytes[];
  readonly nodes: readonly NodeSettings[];
  readonly accounts: readonly { readonly address: Address; readonly roles: readonly Role[] }[];
};

/** What membership is activated with. */
export type MembershipSettings = {
  /** Decides alone; undefined: the members vote. */
  readonly owner: Address | undefined;
  /** Of the members that are not suspended, 51 to 100. */
  readonly thresholdPercent: number;
  /** For how many blocks a proposal can be voted on and executed. */
  readonly proposalBlocks: number;
  /** Whether accounts need no role to send transactions and create contracts. */
  readonly openToAll: boolean;
  readonly organisations: readonly OrganisationSettings[];
};

export type SettingsFailure = Failure<"membership/settings">;

/** Roles of nodes as the contract has them. */
export const NODE_ROLES: Readonly<Record<NodeRole, number>> = { validator: 1, observer: 2 };

const LIMITS = tupleOf(NUMBER, NUMBER, NUMBER, NUMBER);
const KEYS = tupleOf(ADDRESS, NUMBER, NUMBER, BYTES, BYTES, BYTES, BYTES, BYTES);
const NODE = tupleOf(NUMBER, KEYS, arrayOf(ADDRESS));
const ORGANISATION = tupleOf(
  BYTES,
  ADDRESS,
  LIMITS,
  arrayOf(ADDRESS),
  arrayOf(BYTES),
  arrayOf(NODE),
  arrayOf(tupleOf(ADDRESS, NUMBER)),
);
const SETTINGS = tupleOf(ADDRESS, NUMBER, NUMBER, NUMBER, arrayOf(ORGANISATION));

/** The argument of the contract's `activate(bytes)`: abi.encode(Settings). */
export function encodeSettings(settings: MembershipSettings): Bytes {
  const { owner, thresholdPercent, proposalBlocks, openToAll, organisations } = settings;
  return encodeAbi(SETTINGS, [
    owner ?? addressFromWord(0n),
    BigInt(thresholdPercent),
    BigInt(proposalBlocks),
    openToAll ? 1n : 0n,
    organisations.map(organisationValue),
  ]);
}

function organisationValue(organisation: OrganisationSettings): AbiValue {
  const { name, admin, limits, filter, certificates, nodes, accounts } = organisation;
  return [
    utf8(name),
    admin,
    [limits.validators, limits.observers, limits.accounts, limits.weight].map(BigInt),
    filter,
    certificates,
    nodes.map((node) => [BigInt(NODE_ROLES[node.role]), keysValue(node), node.filter]),
    accounts.map(({ address, roles }) => [address, BigInt(rolesToBits(roles))]),
  ];
}

function keysValue(node: NodeSettings): AbiValue {
  return [
    node.account,
    BigInt(node.weight),
    BigInt(node.port),
    node.consensusKey,
    node.proofOfPossession,
    node.transportKey,
    utf8(node.name),
    utf8(node.host),
  ];
}

/** Reads settings as `encodeSettings` writes them. Whether they can be is for the contract to say.
 * Errors: `membership/settings`. */
export function decodeSettings(bytes: Bytes): Result<MembershipSettings, SettingsFailure> {
  const decoded = decodeAbi(SETTINGS, bytes);
  if (!decoded.ok) return fail("membership/settings", decoded.error.message);
  const [owner, thresholdPercent, proposalBlocks, openToAll, organisations] = list(decoded.value);
  const settings = {
    owner: addressToWord(owner as Address) === 0n ? undefined : (owner as Address),
    thresholdPercent: Number(thresholdPercent),
    proposalBlocks: Number(proposalBlocks),
    openToAll: openToAll === 1n,
    organisations: list(organisations).map(readOrganisation),
  };
  return equalBytes(encodeSettings(settings), bytes)
    ? ok(settings)
    : fail("membership/settings", "a number, role or text cannot be");
}

function readOrganisation(value: AbiValue): OrganisationSettings {
  const [name, admin, limits, filter, certificates, nodes, accounts] = list(value);
  const [validators, observers, accountLimit, weight] = list(limits).map(Number);
  return {
    name: toText(name as Bytes),
    admin: admin as Address,
    limits: {
      validators: validators ?? 0,
      observers: observers ?? 0,
      accounts: accountLimit ?? 0,
      weight: weight ?? 0,
    },
    filter: list(filter) as Address[],
    certificates: list(certificates) as Bytes[],
    nodes: list(nodes).map(readNode),
    accounts: list(accounts).map((account) => {
      const [address, roles] = list(account);
      return { address: address as Address, roles: rolesFromBits(Number(roles)) };
    }),
  };
}

function readNode(value: AbiValue): NodeSettings {
  const [role, keys, filter] = list(value);
  const [account, weight, port, consensusKey, proofOfPossession, transportKey, name, host] = list(keys);
  return {
    role: role === BigInt(NODE_ROLES.observer) ? "observer" : "validator",
    name: toText(name as Bytes),
    account: account as Address,
    weight: Number(weight),
    consensusKey: consensusKey as Bytes,
    proofOfPossession: proofOfPossession as Bytes,
    transportKey: transportKey as Bytes,
    host: toText(host as Bytes),
    port: Number(port),
    filter: list(filter) as Address[],
  };
}

/** Of a value that has been decoded as a tuple or an array. */
function list(value: AbiValue | undefined): readonly AbiValue[] {
  return Array.isArray(value) ? value : [];
}

/** Names and hosts are ASCII. */
function toText(bytes: Bytes): string {
  return Array.from(bytes, (code) => String.fromCharCode(code)).join("");
}
