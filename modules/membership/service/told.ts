import { type Address, addressFromHex } from "@ostrom/base";
import { type ModuleTerminal, UsageError } from "@ostrom/runtime";
import { isAddress } from "viem";

// What the methods of this module answer, as commands read it.

export type ToldLimits = {
  readonly validators: string;
  readonly observers: string;
  readonly accounts: string;
  readonly weight: string;
};

export type ToldOrganisation = {
  readonly id: string;
  readonly name: string;
  readonly standing: "active" | "suspended" | "removed";
  readonly admin: string | null;
  readonly pendingAdmin: string | null;
  readonly limits: ToldLimits;
  readonly validators: string;
  readonly observers: string;
  readonly accounts: string;
  readonly weight: string;
  readonly filter: readonly string[];
  readonly certificates: readonly { readonly hash: string; readonly der: string }[];
};

export type ToldNode = {
  readonly id: string;
  readonly organisation: string;
  readonly isActive: boolean;
  readonly role: string;
  readonly name: string;
  readonly weight: string;
  readonly consensusKey: string;
  readonly transportKey: string;
  readonly host: string;
  readonly port: string;
  readonly filter: readonly string[] | null;
};

export type ToldRules = {
  readonly owner: string | null;
  readonly thresholdPercent: string;
  readonly proposalBlocks: string;
  readonly openToAll: boolean;
  readonly activeOrganisations: string;
  readonly validators: string;
};

export type ToldProposal = {
  readonly id: string;
  readonly organisation: string;
  readonly state: string;
  readonly title: string;
  readonly lastBlock: string;
  readonly votes: string;
  readonly needed: string;
  readonly supporters: readonly string[];
  readonly calls: readonly { readonly meaning: string }[];
};

export const askRules = (terminal: ModuleTerminal): Promise<ToldRules> => terminal.ask("membership_rules");
/** All organisations that are or were members. */
export async function askOrganisations(terminal: ModuleTerminal): Promise<readonly ToldOrganisation[]> {
  const all: ToldOrganisation[] = [];
  for (let from = 1; ; from = Number(all.at(-1)?.id) + 1) {
    const page = await terminal.ask<readonly ToldOrganisation[]>("membership_organisations", [
      "latest",
      quantityText(from),
    ]);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** The nodes of these organisations. */
export async function askNodes(
  terminal: ModuleTerminal,
  organisations: readonly ToldOrganisation[],
): Promise<readonly ToldNode[]> {
  const all: ToldNode[] = [];
  const last = Number(organisations.at(-1)?.id ?? 0);
  for (let from = 1; from <= last; from += ORGANISATIONS_PAGE)
    all.push(
      ...(await terminal.ask<readonly ToldNode[]>("membership_nodes", ["latest", quantityText(from)])),
    );
  return all.sort((a, b) => Number(a.id) - Number(b.id));
}

/** As the node answers them. */
const ORGANISATIONS_PAGE = 64;

function quantityText(value: number): string {
  return `0x${value.toString(16)}`;
}

export const askProposals = (terminal: ModuleTerminal): Promise<readonly ToldProposal[]> =>
  terminal.ask("membership_proposals");

/** A member by its number or its name. @throws UsageError if there is none, or more than one of that name. */
export async function findOrganisation(
  terminal: ModuleTerminal,
  text: string | undefined,
): Promise<ToldOrganisation> {
  if (text === undefined) throw new UsageError("say which organisation: its number or its name");
  const members = (await askOrganisations(terminal)).filter(({ standing }) => standing !== "removed");
  const found = members.filter(({ id, name }) => String(Number(id)) === text || name === text);
  const [organisation] = found;
  if (organisation === undefined) {
    const known = members.map(({ id, name }) => `${Number(id)} ${name}`).join(", ");
    throw new UsageError(`no member is called "${text}" (members: ${known})`);
  }
  if (found.length > 1) throw new UsageError(`"${text}" means more than one member: give the number`);
  return organisation;
}

/** The organisation that the signing account administers. @throws UsageError if there is none. */
export async function ownOrganisation(terminal: ModuleTerminal): Promise<ToldOrganisation> {
  const account = addressText(await terminal.account());
  const organisations = await askOrganisations(terminal);
  const own = organisations.find(({ admin }) => admin?.toLowerCase() === account);
  if (own === undefined)
    throw new UsageError(
      `${account} administers no organisation of this chain: name its admin's key with --key-file`,
    );
  return own;
}

function addressText(address: Address): string {
  return `0x${Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function readAddress(text: string | undefined, what: string): Address {
  if (text === undefined || !isAddress(text, { strict: false }))
    throw new UsageError(`${what}: expected an address (0x and 40 hex digits), found "${text ?? "nothing"}"`);
  if (/[a-f]/.test(text.slice(2)) && /[A-F]/.test(text.slice(2)) && !isAddress(text))
    throw new UsageError(`${what}: the capitals of ${text} are no checksum of it: a digit is wrong`);
  return addressFromHex(text);
}

export function readCount(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text === undefined || !/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new UsageError(`${what}: expected a whole number, found "${text ?? "nothing"}"`);
  return value;
}

/** One of a few words. */
export function readWord<const Word extends string>(
  text: string | undefined,
  words: readonly Word[],
  what: string,
): Word {
  const found = words.find((word) => word === text);
  if (found === undefined)
    throw new UsageError(`${what}: expected ${words.join(", ")}, found "${text ?? "nothing"}"`);
  return found;
}
