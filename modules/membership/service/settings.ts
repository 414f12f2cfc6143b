import { type Address, addressFromHex, type Failure, fail, ok, type Result, toHexDigits } from "@ostrom/base";
import { MAX_SETTINGS_BYTES } from "@ostrom/execution";
import {
  encodeSettings,
  type Limits,
  MAX_ACCOUNTS_OF_ORGANISATION,
  MAX_CERTIFICATE_BYTES,
  MAX_OBSERVERS_OF_ORGANISATION,
  MAX_PROPOSAL_BLOCKS,
  MAX_VALIDATORS_OF_ORGANISATION,
  MAX_WEIGHT_OF_ORGANISATION,
  type MembershipSettings,
  MIN_PROPOSAL_BLOCKS,
  MIN_THRESHOLD_PERCENT,
  type OrganisationSettings,
  ROLES,
} from "@ostrom/membership-chain";
import type { ModuleParticipant, ModuleSettings, ModuleSettingsRequest } from "@ostrom/runtime";

export type SettingsCode = "membership/option" | "membership/participants";

/** More than half, and at 250 ms a block some two days to decide. */
const DEFAULT_THRESHOLD_PERCENT = 51;
const DEFAULT_PROPOSAL_BLOCKS = 600_000;
const DEFAULT_VALIDATORS = 4;
const DEFAULT_OBSERVERS = 8;
const DEFAULT_ACCOUNTS = 1_000;
const MAX_USERS = 64;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** What a person may choose by `--set membership.NAME=VALUE`. */
type Options = {
  readonly threshold: number;
  readonly proposalBlocks: number;
  /** Decides alone; none: the members vote. */
  readonly owner: Address | undefined;
  readonly open: boolean;
  /** Limits of each organisation. */
  readonly validators: number;
  readonly observers: number;
  readonly accounts: number;
  /** Of each organisation's validators together; none: what they have at the beginning. */
  readonly weight: number | undefined;
  /** Accounts that may send and deploy besides those of the validators; the first organisation's. */
  readonly users: readonly Address[];
};

/** What membership is activated with: an organisation for each that the validators are of, administered by the account of its first one,
 * which has all roles. Errors: `membership/option` (unknown, or a value that cannot be), `membership/participants`. */
export function membershipSettings(
  request: ModuleSettingsRequest,
): Result<ModuleSettings, Failure<SettingsCode>> {
  const options = readOptions(request.options);
  if (!options.ok) return options;
  if (request.validators.length === 0)
    return fail("membership/participants", "an alliance begins with its members' validators: there are none");
  const organisations = groupByOrganisation(request.validators);
  const problem = findProblem(organisations, options.value);
  if (problem !== undefined) return fail("membership/participants", problem);
  const { threshold, proposalBlocks, owner, open } = options.value;
  const settings: MembershipSettings = {
    owner,
    thresholdPercent: threshold,
    proposalBlocks,
    openToAll: open,
    organisations: [...organisations].map(([name, nodes], index) =>
      describeOrganisation(name, nodes, options.value, index === 0 ? options.value.users : []),
    ),
  };
  const encoded = encodeSettings(settings);
  if (encoded.length > MAX_SETTINGS_BYTES)
    return fail(
      "membership/participants",
      `${request.validators.length} validators need more than the ${MAX_SETTINGS_BYTES} bytes that settings may have: begin with some, who admit the others`,
    );
  return ok({ settings: encoded });
}

type Group = readonly ModuleParticipant[];

function groupByOrganisation(participants: readonly ModuleParticipant[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const participant of participants)
    groups.set(participant.organisation, [...(groups.get(participant.organisation) ?? []), participant]);
  return groups;
}

function findProblem(organisations: ReadonlyMap<string, Group>, options: Options): string | undefined {
  const admins = new Map<string, string>();
  for (const [name, nodes] of organisations) {
    if (nodes.length > MAX_VALIDATORS_OF_ORGANISATION)
      return `${name} has ${nodes.length} validators; an organisation has at most ${MAX_VALIDATORS_OF_ORGANISATION}`;
    const weight = weightOf(nodes);
    if (weight > (options.weight ?? MAX_WEIGHT_OF_ORGANISATION))
      return `${name}: its validators' weight of ${weight} is more than an organisation may have`;
    const admin = toHexDigits(nodes[0]!.account);
    const other = admins.get(admin);
    if (other !== undefined)
      return `${other} and ${name} have one account, 0x${admin}: each organisation needs an administrator of its own`;
    admins.set(admin, name);
    const tooLong = nodes.find(
      ({ certificateAuthority }) => (certificateAuthority?.length ?? 0) > MAX_CERTIFICATE_BYTES,
    );
    if (tooLong !== undefined)
      return `${name}: its certificate authority has more than ${MAX_CERTIFICATE_BYTES} bytes`;
    if (authoritiesOf(nodes).length > 1)
      return `${name}: its machines name different certificate authorities; begin with one`;
  }
  return undefined;
}

function describeOrganisation(
  name: string,
  nodes: Group,
  options: Options,
  users: readonly Address[],
): OrganisationSettings {
  const own = new Map(nodes.map(({ account }) => [toHexDigits(account), account]));
  const others = users.filter((user) => !own.has(toHexDigits(user)));
  return {
    name,
    admin: nodes[0]!.account,
    limits: limitsOf(nodes, options, own.size + others.length),
    filter: [],
    certificates: authoritiesOf(nodes),
    nodes: nodes.map((node) => ({ ...node, role: "validator", filter: [] })),
    accounts: [
      ...[...own.values()].map((address) => ({ address, roles: ROLES })),
      ...others.map((address) => ({ address, roles: ["sender", "deployer"] as const })),
    ],
  };
}

/** What is there at the beginning is never beyond the limits. */
function limitsOf(nodes: Group, options: Options, accounts: number): Limits {
  return {
    validators: Math.max(options.validators, nodes.length),
    observers: options.observers,
    accounts: Math.max(options.accounts, accounts),
    weight: options.weight ?? weightOf(nodes),
  };
}

function weightOf(nodes: Group): number {
  return nodes.reduce((sum, { weight }) => sum + weight, 0);
}

function authoritiesOf(nodes: Group): readonly Uint8Array[] {
  const authorities = new Map<string, Uint8Array>();
  for (const { certificateAuthority } of nodes)
    if (certificateAuthority !== undefined)
      authorities.set(toHexDigits(certificateAuthority), certificateAuthority);
  return [...authorities.values()];
}

type Reader<T> = {
  readonly standard: T;
  readonly read: (text: string) => T | undefined;
  readonly expected: string;
};

const count = (least: number, most: number, standard: number): Reader<number> => ({
  standard,
  expected: `a whole number from ${least} to ${most}`,
  read: (text) => {
    const value = Number(text);
    return /^\d{1,16}$/.test(text) && value >= least && value <= most ? value : undefined;
  },
});

const READERS: { readonly [Name in keyof Options]: Reader<Options[Name]> } = {
  threshold: count(MIN_THRESHOLD_PERCENT, 100, DEFAULT_THRESHOLD_PERCENT),
  proposalBlocks: count(MIN_PROPOSAL_BLOCKS, MAX_PROPOSAL_BLOCKS, DEFAULT_PROPOSAL_BLOCKS),
  owner: { standard: undefined, expected: "an address", read: (text) => readAddresses(text, 1)?.[0] },
  open: {
    standard: false,
    expected: "true or false",
    read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  },
  validators: count(0, MAX_VALIDATORS_OF_ORGANISATION, DEFAULT_VALIDATORS),
  observers: count(0, MAX_OBSERVERS_OF_ORGANISATION, DEFAULT_OBSERVERS),
  accounts: count(0, MAX_ACCOUNTS_OF_ORGANISATION, DEFAULT_ACCOUNTS),
  weight: { ...count(1, MAX_WEIGHT_OF_ORGANISATION, 1), standard: undefined },
  users: {
    standard: [],
    expected: `up to ${MAX_USERS} addresses with commas between`,
    read: (text) => readAddresses(text, MAX_USERS),
  },
};

function readAddresses(text: string, most: number): readonly Address[] | undefined {
  const parts = text.split(",");
  if (parts.length > most || !parts.every((part) => ADDRESS.test(part))) return undefined;
  return parts.map((part) => addressFromHex(part));
}

function readOptions(given: Readonly<Record<string, string>>): Result<Options, Failure<"membership/option">> {
  const chosen: Record<string, unknown> = {};
  for (const [name, { standard }] of Object.entries(READERS)) chosen[name] = standard;
  for (const [name, text] of Object.entries(given)) {
    if (!Object.hasOwn(READERS, name))
      return fail(
        "membership/option",
        `membership has no setting "${name}" (known: ${Object.keys(READERS).join(", ")})`,
      );
    const reader = READERS[name as keyof Options];
    const value = reader.read(text);
    if (value === undefined)
      return fail("membership/option", `membership.${name}: expected ${reader.expected}, found "${text}"`);
    chosen[name] = value;
  }
  return ok(chosen as Options);
}
