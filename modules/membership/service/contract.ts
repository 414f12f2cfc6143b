import { type Address, addressFromHex, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import { MEMBERSHIP_ABI } from "@ostrom/membership-chain";
import type { ModuleAuthority, ModuleCall } from "@ostrom/runtime";
import {
  type Abi,
  decodeErrorResult,
  decodeFunctionData,
  encodeFunctionData,
  type Hex,
  hexToString,
  parseAbi,
} from "viem";

export const ABI: Abi = parseAbi(MEMBERSHIP_ABI) as Abi;

/** What proposals call of languages/solidity/modules/ModuleRegistry.sol: those who vote must see what they vote on. */
const REGISTRY_ABI: Abi = parseAbi([
  "function schedule(bytes32 name, uint32 version, bytes32 codeHash, uint64 height, bytes settings)",
  "function cancel(bytes32 name, uint64 height)",
  "function scheduleFork(bytes32 fork, uint64 height)",
  "function cancelFork(bytes32 fork)",
  "function handOver(bytes32 moduleName, uint64 fromEpoch)",
  "function cancelHandOver()",
  "function transferAuthority(address to)",
]);
const ALL_FUNCTIONS: Abi = [...ABI, ...REGISTRY_ABI];

/** A call of the membership contract. */
export function contractCall(functionName: string, args: readonly unknown[]): ModuleCall {
  const data = encodeFunctionData({ abi: ABI, functionName, args });
  return { to: MEMBERSHIP_ADDRESS, data: unwrap(fromHex(data)) };
}

/** The call by which an organisation's admin proposes, or the owner decides. */
export function proposeCall(calls: readonly ModuleCall[], title: string): ModuleCall {
  const entries = calls.map(({ to, data, value = 0n }) => ({ target: toHex(to), value, data: toHex(data) }));
  return contractCall("propose", [title, entries]);
}

/** How the members of a chain decide. */
export const membershipAuthority: ModuleAuthority = {
  address: MEMBERSHIP_ADDRESS,
  propose: proposeCall,
  openToAll: () => [contractCall("setOpenToAll", [true])],
};

/** A call in words: `suspend(4)`; its target besides where that is no contract of the platform. */
export function describeCall(target: Address, value: bigint, data: Bytes): string {
  const coins = value === 0n ? "" : ` with ${value} wei`;
  try {
    const { functionName, args = [] } = decodeFunctionData({ abi: ALL_FUNCTIONS, data: toHex(data) });
    const isOwn = toHex(target) === toHex(MEMBERSHIP_ADDRESS);
    const isRegistry = REGISTRY_ABI.some((item) => "name" in item && item.name === functionName);
    const where = isOwn || isRegistry ? "" : ` of ${toHex(target)}`;
    return `${functionName}(${args.map(describeValue).join(", ")})${where}${coins}`;
  } catch {
    return `${data.length} bytes ${toHex(data).slice(0, 10)} to ${toHex(target)}${coins}`;
  }
}

const LONGEST_SHOWN = 66;

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(describeValue).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${describeValue(inner)}`)
      .join(", ")}}`;
  const text = plainText(String(value));
  const name = /^0x[0-9a-f]{64}$/.test(text) ? nameOfWord(text as Hex) : undefined;
  if (name !== undefined) return name;
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}

/** Names of modules and rule sets are words of letters and zeros. */
function nameOfWord(word: Hex): string | undefined {
  const text = hexToString(word).replace(/\0+$/, "");
  return /^[a-z][a-z0-9-]{0,30}$/.test(text) ? text : undefined;
}

/** For a terminal: who wrote it may be anybody. */
export function plainText(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/** Why the contract refuses a call, in words. @returns undefined for what is none of its errors. */
export function describeRefusal(data: Hex): string | undefined {
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: ABI, data });
    if (errorName === "CallFailed") {
      const [index, reason] = args as readonly [bigint, Hex];
      return `call ${index + 1n} of the proposal fails: ${describeRefusal(reason) ?? reason}`;
    }
    const explain = REFUSALS[errorName];
    return explain === undefined ? errorName : explain(...args.map((value) => describeValue(value)));
  } catch {
    return undefined;
  }
}

const REFUSALS: Readonly<Record<string, (...args: readonly string[]) => string>> = {
  NotTheMembers: () => "only the members can decide that, by vote: ostrom membership propose-...",
  NotAnAdmin: (who) => `${who} is not the administrator of any organisation`,
  NotItsAdmin: (who, id) => `${who} is not the administrator of organisation ${id}`,
  OrganisationIsSuspended: (id) => `organisation ${id} is suspended`,
  UnknownOrganisation: (id) => `there is no organisation ${id} (any more)`,
  UnknownNode: (id) => `there is no node ${id} (any more)`,
  UnknownProposal: (id) => `there is no proposal ${id}`,
  ProposalIsClosed: (id) => `proposal ${id} is executed, withdrawn or expired`,
  NotEnoughVotes: (votes, needed) => `it has ${votes} votes and needs ${needed}`,
  NotItsProposer: (id) => `proposal ${id} is another organisation's`,
  OwnerDecides: () => "this chain's owner decides alone; the members do not vote",
  NotWhileExecuting: () => "a decision is being carried out",
  TooMany: () => "that is more than the organisation's limits, or the contract's, allow",
  TooMuchWeight: () => "its validators together would have more weight than the organisation may have",
  KeyTaken: (key) => `another node has, or another organisation had, the key ${key}`,
  LastValidator: () => "the chain would be left without a validator",
  AlreadyAnAdmin: (who) => `${who} administers an organisation already, or cannot`,
  NoContract: (target) => `there is no contract at ${target}`,
  NoCalls: () => "a proposal needs a call",
  WrongStanding: () => "the organisation is suspended already, or is not",
  WrongCertificate: () => "the certificate is there already, is not there, or is too long",
  WrongRules: () => "the threshold is 51 to 100 percent, and proposals live for 10 to 1,000,000,000 blocks",
  WrongName: () =>
    "a name has 1 to 64 letters, digits, dots, underscores or hyphens; a title at most 200 bytes",
  WrongRole: () => "a node of that role has no such thing, or there is no such role",
};

export function addressOf(text: string): Address {
  return addressFromHex(text);
}
