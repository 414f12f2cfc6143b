import type { RestSignatures, RestSource } from "@ostrom/indexer";
import type { Abi, AbiEvent, AbiFunction, AbiParameter, Hex } from "viem";
import { rest } from "./rest.ts";
import { KNOWN_EVENTS, KNOWN_SELECTORS } from "./selectors.ts";

/** A call, an event or an error in words. */
export type Decoded = {
  /** transfer */
  readonly name: string;
  /** transfer(address,uint256) */
  readonly signature: string;
  readonly values: readonly DecodedValue[];
  /** From the verified source of the contract, rather than guessed from a well-known signature. */
  readonly isVerified: boolean;
};

export type DecodedValue = { readonly name: string; readonly type: string; readonly value: unknown };

/** The ABI of a contract whose source was verified; `undefined` where nobody verified it or there is no index. */
export async function verifiedAbi(address: string): Promise<Abi | undefined> {
  try {
    return (await rest<RestSource>(`/contracts/${address}/source`)).abi as Abi;
  } catch {
    return undefined;
  }
}

/** Signatures of verified contracts that have this selector or topic; none where there is no index. */
export async function signaturesOf(selector: string): Promise<readonly string[]> {
  try {
    return (await rest<RestSignatures>(`/signatures/${selector}`)).signatures;
  } catch {
    return [];
  }
}

/** What a call's input says, by the contract's ABI or by well-known signatures. */
export async function decodeCall(
  input: string,
  abi: Abi | undefined,
  signatures: readonly string[] = [],
): Promise<Decoded | undefined> {
  const { decodeFunctionData, getAbiItem, parseAbiItem } = await import("viem");
  const data = input as Hex;
  const selector = data.slice(0, 10);
  for (const { candidate, isVerified } of candidates(
    abi,
    "function",
    KNOWN_SELECTORS[selector],
    signatures,
  )) {
    try {
      const parsed = typeof candidate === "string" ? [parseAbiItem(candidate) as AbiFunction] : candidate;
      const { functionName, args = [] } = decodeFunctionData({ abi: parsed, data });
      const item = getAbiItem({ abi: parsed, name: functionName, args }) as AbiFunction | undefined;
      return describe(functionName, item?.inputs ?? [], args, isVerified);
    } catch {
      // Another function has the same four bytes, or the input is none of it: the next candidate.
    }
  }
  return undefined;
}

/** What a log says. */
export async function decodeLog(
  log: { readonly topics: readonly string[]; readonly data: string },
  abi: Abi | undefined,
): Promise<Decoded | undefined> {
  const { decodeEventLog, parseAbiItem } = await import("viem");
  const topics = log.topics as [Hex, ...Hex[]];
  const known = KNOWN_EVENTS[topics[0] ?? ""];
  const forms = known === undefined ? [] : indexedForms(known, topics.length - 1);
  for (const { candidate, isVerified } of candidates(abi, "event", undefined, forms)) {
    try {
      const parsed = typeof candidate === "string" ? [parseAbiItem(candidate) as AbiEvent] : candidate;
      const { eventName, args } = decodeEventLog({ abi: parsed, topics, data: log.data as Hex });
      const item = (parsed as Abi).find(
        (each): each is AbiEvent => each.type === "event" && each.name === eventName,
      );
      return describe(eventName ?? "", item?.inputs ?? [], args, isVerified);
    } catch {
      // As above.
    }
  }
  return undefined;
}

/** What revert data says: an error of the contract, a reason, a panic. */
export async function decodeError(data: string, abi: Abi | undefined): Promise<Decoded | undefined> {
  const { decodeErrorResult, parseAbiItem } = await import("viem");
  const known = KNOWN_SELECTORS[data.slice(0, 10)];
  for (const { candidate, isVerified } of candidates(abi, "error", known, [])) {
    try {
      const parsed = typeof candidate === "string" ? ([parseAbiItem(candidate)] as Abi) : candidate;
      const { errorName, args, abiItem } = decodeErrorResult({ abi: parsed, data: data as Hex });
      const inputs = "inputs" in abiItem ? abiItem.inputs : [];
      return describe(errorName, inputs, args ?? [], isVerified);
    } catch {
      // As above.
    }
  }
  return undefined;
}

type Candidate = { readonly candidate: Abi | string; readonly isVerified: boolean };

function candidates(
  abi: Abi | undefined,
  kind: "function" | "event" | "error",
  known: string | undefined,
  signatures: readonly string[],
): readonly Candidate[] {
  const texts = [...(known === undefined ? [] : [known]), ...signatures];
  return [
    ...(abi === undefined ? [] : [{ candidate: abi, isVerified: true }]),
    ...texts.map((text) => ({ candidate: `${kind} ${text}`, isVerified: false })),
  ];
}

/** An event's signature does not say which parameters are indexed: the first ones, as many as there are topics. */
function indexedForms(signature: string, indexed: number): readonly string[] {
  const [name = "", rest = ""] = signature.split("(");
  const types = rest.replace(")", "").split(",");
  if (indexed > types.length) return [];
  const parameters = types.map((type, index) => (index < indexed ? `${type} indexed` : type));
  return [`${name}(${parameters.join(", ")})`];
}

function describe(
  name: string,
  inputs: readonly AbiParameter[],
  args: unknown,
  isVerified: boolean,
): Decoded {
  const byPosition = Array.isArray(args);
  const values = inputs.map(({ name: parameter = "", type }, index) => ({
    name: parameter,
    type,
    value: byPosition ? args[index] : (args as Record<string, unknown> | undefined)?.[parameter],
  }));
  return { name, signature: `${name}(${inputs.map(({ type }) => type).join(",")})`, values, isVerified };
}
