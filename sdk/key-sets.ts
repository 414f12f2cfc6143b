import { type Bytes, hex, toHex } from "@ostrom/base";
import { signatureScheme } from "@ostrom/crypto";
import { type AccountKey, KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "@ostrom/execution";
import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeFunctionResult,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
  type Hex,
} from "viem";
import { KEY_SETS_ABI } from "./key-sets-abi.ts";

/** Where the key sets of accounts are, on chains that have them. */
export const KEY_SETS_CONTRACT: Hex = toHex(KEY_SETS_ADDRESS);
/** What accounts delegate to whose own secp256k1 key alone may do nothing: they sign type 0x60. */
export const KEYED_ACCOUNT_CONTRACT: Hex = toHex(KEYED_ACCOUNT_ADDRESS);

/** Reads of a chain: `eth_call` of a contract at its newest block. Over a verified transport they are proved. */
export type ContractCall = (to: Hex, data: Hex) => Promise<Hex>;

/** Which keys sign for an account. */
export type OnChainKeys = {
  readonly version: number;
  /** How many keys must sign. */
  readonly threshold: number;
  readonly keys: readonly AccountKey[];
  /** Elliptic curves are declared broken: only post-quantum keys count. */
  readonly isBroken?: boolean;
};

/** Reads an account's newest key set. @returns undefined if it has none. */
export type KeySetReader = (account: Hex) => Promise<OnChainKeys | undefined>;

/** The keys that an account is to have. */
export type KeySetPlan = {
  /** 1: any key alone; as many as there are keys: all together. */
  readonly threshold: number;
  readonly keys: readonly AccountKey[];
  /** How long a later change waits. */
  readonly timelockSeconds: number;
  /** May cancel changes; signs nothing else. */
  readonly guardian?: AccountKey | undefined;
};

export type KeySetVersion = KeySetPlan & {
  readonly version: number;
  /** Post-quantum keys authorized it: it stays when elliptic curves are declared broken. */
  readonly isPostQuantum: boolean;
  /** Accepts the account's own secp256k1 key alone: Ethereum's transaction types go on. */
  readonly isOpen: boolean;
  /** Unix seconds; 0: not yet. */
  readonly appliedAt: number;
};

/** What a chain knows of an account's keys. Times are unix seconds, 0 where there is none. */
export type AccountKeys = {
  readonly newestVersion: number;
  /** The one that signs for the account now. */
  readonly governing: KeySetVersion | undefined;
  readonly proposal:
    | {
        readonly number: number;
        readonly hash: Hex;
        readonly set: KeySetVersion;
        readonly readyAt: number;
        readonly isApproved: boolean;
      }
    | undefined;
  /** How many proposals there were. */
  readonly proposalCount: number;
  /** Until then the guardian must approve of proposals. */
  readonly blockedUntil: number;
  readonly commitment: { readonly hash: Hex; readonly since: number; readonly changes: number } | undefined;
  readonly isBroken: boolean;
};

const KEY_SET_CONTEXT: Bytes = new TextEncoder().encode("ostrom/keyset");
const NO_CONTEXT: Bytes = new Uint8Array(0);
const NO_HASH = `0x${"00".repeat(32)}`;

/** What ML-DSA and SLH-DSA sign for KeySets under; nothing for other schemes. */
export function keySetContext(schemeId: number): Bytes {
  return signatureScheme(schemeId)?.takesContext === true ? KEY_SET_CONTEXT : NO_CONTEXT;
}

/** Reads all that a chain knows of an account's keys. */
export async function readAccountKeys(call: ContractCall, account: Hex): Promise<AccountKeys> {
  const [state, governingVersion, isBroken] = await Promise.all([
    ask(call, "accountOf", [account]),
    ask(call, "governingVersion", [account]),
    ask(call, "isBroken", []),
  ]);
  const [governing, proposed] = await Promise.all([
    governingVersion === 0 ? undefined : readVersion(call, account, governingVersion),
    state.readyAt === 0n ? undefined : readVersion(call, account, state.version + 1),
  ]);
  return {
    newestVersion: state.version,
    governing,
    proposal: proposed && {
      number: state.proposals,
      hash: state.proposalHash,
      set: proposed,
      readyAt: Number(state.readyAt),
      isApproved: state.isApproved,
    },
    proposalCount: state.proposals,
    blockedUntil: Number(state.blockedUntil),
    commitment:
      state.commitment === NO_HASH
        ? undefined
        : {
            hash: state.commitment,
            since: Number(state.committedSince),
            changes: state.commitments,
          },
    isBroken,
  };
}

/** For `toAgileAccount`: the newest key set of an account, at each transaction anew. */
export function keySetReader(call: ContractCall): KeySetReader {
  return async (account) => {
    const [version, isBroken] = await Promise.all([
      ask(call, "governingVersion", [account]),
      ask(call, "isBroken", []),
    ]);
    if (version === 0) return undefined;
    const { threshold, keys } = await readVersion(call, account, version);
    const counting = keys.filter((key) => !isBroken || isPostQuantumKey(key)).length;
    return { version, threshold: Math.min(threshold, counting), keys, isBroken };
  };
}

/** The least timelock that a key set may have on this chain, in seconds. */
export async function readTimelockMinimum(call: ContractCall): Promise<number> {
  return ask(call, "timelockMinimum", []);
}

/** The keys that may declare elliptic curves broken, and how many of them must. */
export async function readBreakers(
  call: ContractCall,
): Promise<{ readonly threshold: number; readonly keys: readonly AccountKey[]; readonly since: number }> {
  const [threshold, count, since] = await Promise.all([
    ask(call, "breakThreshold", []),
    ask(call, "breakerCount", []),
    ask(call, "brokenSince", []),
  ]);
  const indices = Array.from({ length: Number(count) }, (_, index) => BigInt(index));
  const keys = await Promise.all(indices.map((index) => ask(call, "breakerAt", [index])));
  return { threshold, keys: keys.map(readKey), since: Number(since) };
}

/** The call data of a function of KeySets. */
export function encodeKeySetsCall<const Name extends ContractFunctionName<typeof KEY_SETS_ABI>>(
  functionName: Name,
  args: ContractFunctionArgs<typeof KEY_SETS_ABI, "nonpayable" | "view", Name>,
): Hex {
  const parameters = { abi: KEY_SETS_ABI, functionName, args };
  return encodeFunctionData(parameters as unknown as EncodeFunctionDataParameters);
}

/** As KeySets has a set that is to come. */
export function newSetArgument({ threshold, keys, timelockSeconds, guardian }: KeySetPlan): {
  readonly threshold: number;
  readonly keys: readonly { readonly schemeId: number; readonly publicKey: Hex }[];
  readonly timelock: number;
  readonly guardian: { readonly schemeId: number; readonly publicKey: Hex };
} {
  return {
    threshold,
    keys: keys.map(keyArgument),
    timelock: timelockSeconds,
    guardian: guardian === undefined ? { schemeId: 0, publicKey: "0x" } : keyArgument(guardian),
  };
}

export function keyArgument({ schemeId, publicKey }: AccountKey): {
  readonly schemeId: number;
  readonly publicKey: Hex;
} {
  return { schemeId, publicKey: toHex(publicKey) };
}

/** For messages to people: "ml-dsa-44 0x1234...cdef". */
export function describeKey({ schemeId, publicKey }: AccountKey): string {
  const digits = toHex(publicKey);
  return `${signatureScheme(schemeId)?.name ?? `scheme ${schemeId}`} ${digits.slice(0, 10)}...${digits.slice(-8)}`;
}

async function readVersion(call: ContractCall, account: Hex, version: number): Promise<KeySetVersion> {
  const [set, keys, guardian] = await ask(call, "setOf", [account, version]);
  return {
    version,
    threshold: set.threshold,
    keys: keys.map(readKey),
    timelockSeconds: set.timelock,
    guardian: guardian.schemeId === 0 ? undefined : readKey(guardian),
    isPostQuantum: set.isPostQuantum,
    isOpen: set.isOpen,
    appliedAt: Number(set.appliedAt),
  };
}

export function isPostQuantumKey({ schemeId }: Pick<AccountKey, "schemeId">): boolean {
  return signatureScheme(schemeId)?.isPostQuantum === true;
}

function readKey({
  schemeId,
  publicKey,
}: {
  readonly schemeId: number;
  readonly publicKey: Hex;
}): AccountKey {
  return { schemeId, publicKey: hex(publicKey) };
}

async function ask<const Name extends ContractFunctionName<typeof KEY_SETS_ABI, "view">>(
  call: ContractCall,
  functionName: Name,
  args: ContractFunctionArgs<typeof KEY_SETS_ABI, "view", Name>,
): Promise<ContractFunctionReturnType<typeof KEY_SETS_ABI, "view", Name>> {
  const data = await call(KEY_SETS_CONTRACT, encodeKeySetsCall(functionName, args));
  const read = { abi: KEY_SETS_ABI, functionName, data };
  return decodeFunctionResult(
    read as Parameters<typeof decodeFunctionResult>[0],
  ) as ContractFunctionReturnType<typeof KEY_SETS_ABI, "view", Name>;
}
