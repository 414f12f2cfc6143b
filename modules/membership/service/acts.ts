import { toHex } from "@ostrom/base";
import { MEMBERSHIP_ADDRESS } from "@ostrom/execution";
import type { Json } from "@ostrom/runtime";
import { decodeEventLog, type Hex } from "viem";
import { ABI } from "./contract.ts";

/** One act: an event of the contract. They are the on-chain half of the operators' log. */
export type Act = {
  /** Numbers as hex quantities. */
  readonly block: string;
  readonly transaction: string;
  readonly logIndex: string;
  /** Name of the event. */
  readonly act: string;
  /** Its arguments by name, numbers in decimal text. `by` is who did it: the contract itself where the members or the owner decided. */
  readonly details: Readonly<Record<string, Json>>;
};

type ToldLog = {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: string;
  readonly transactionHash: string;
  readonly logIndex: string;
};

/** Reads what eth_getLogs answers. Logs of other contracts, and events that this version does not know, are passed over. */
export function readActs(logs: Json): readonly Act[] {
  if (!Array.isArray(logs)) return [];
  return (logs as unknown as readonly ToldLog[]).flatMap((log) => {
    if (log.address.toLowerCase() !== toHex(MEMBERSHIP_ADDRESS)) return [];
    const decoded = decode(log);
    if (decoded === undefined) return [];
    const { blockNumber: block, transactionHash: transaction, logIndex } = log;
    return [{ block, transaction, logIndex, ...decoded }];
  });
}

function decode({ topics, data }: ToldLog): Pick<Act, "act" | "details"> | undefined {
  try {
    const { eventName, args } = decodeEventLog({ abi: ABI, topics: topics as [Hex, ...Hex[]], data });
    if (eventName === undefined) return undefined;
    const values = Object.entries((args ?? {}) as unknown as Readonly<Record<string, unknown>>);
    return {
      act: eventName,
      details: Object.fromEntries(values.map(([name, value]) => [name, plain(value)])),
    };
  } catch {
    return undefined;
  }
}

function plain(value: unknown): Json {
  if (typeof value === "bigint" || typeof value === "number") return value.toString();
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return null;
}
