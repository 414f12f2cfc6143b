import { type Address, bytesToBigint, equalBytes, type Hash, hashFromWord } from "@ostrom/base";
import type {
  AccessListEntry,
  AccountOverride,
  Authorization,
  BlockOverride,
  CallRequest,
} from "@ostrom/execution";
import { Refusal } from "./failure.ts";
import type { At } from "./light-client.ts";
import { invalidParams } from "./provider-error.ts";
import {
  type JsonFields,
  readAddress,
  readArray,
  readCount,
  readData,
  readFields,
  readHash,
  readQuantity,
  readWord,
} from "./read-json.ts";
import type { LogCriteria } from "./reads.ts";

/** Entries of any list of a call. */
const MAX_CALL_LIST = 4_096;
const MAX_TOPICS = 4;
const HASH_TEXT = /^0x[0-9a-fA-F]{64}$/;

/** Reads an application's parameters; what cannot be read throws -32602. */
export function readParameters<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw invalidParams(error.failure.message);
    throw error;
  }
}

/** A block that is asked for: a certified one, or the unproved `pending`. Of tags, `latest`, `safe` and `finalized` are the newest
 * verified block. */
export type BlockChoice = { readonly kind: "certified"; readonly at: At } | { readonly kind: "pending" };

export function readBlockChoice(value: unknown): BlockChoice {
  if (value === undefined || value === null) return { kind: "certified", at: "latest" };
  if (typeof value === "object") {
    const fields = readFields(value, "block");
    const given = fields.blockHash ?? fields.blockNumber;
    if (given === undefined) throw invalidParams("expected blockNumber or blockHash");
    return readBlockChoice(given);
  }
  if (value === "pending") return { kind: "pending" };
  if (value === "latest" || value === "safe" || value === "finalized")
    return { kind: "certified", at: "latest" };
  if (value === "earliest") return { kind: "certified", at: 0 };
  if (typeof value === "string" && HASH_TEXT.test(value))
    return { kind: "certified", at: readHash(value, "block") };
  return { kind: "certified", at: readCount(value, "block") };
}

function optional<T>(
  fields: JsonFields,
  key: string,
  read: (value: unknown, what: string) => T,
): T | undefined {
  const value = fields[key];
  return value === undefined || value === null ? undefined : read(value, key);
}

function listOf<T>(
  read: (value: unknown, what: string) => T,
): (value: unknown, what: string) => readonly T[] {
  return (value, what) => readArray(value, what, MAX_CALL_LIST).map((entry) => read(entry, what));
}

type Given<T> = { [K in keyof T]: T[K] | undefined };

/** Leaves out what is undefined, as exact optional properties want it. */
function compact<T extends object>(fields: Given<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

export function readCallRequest(value: unknown): CallRequest {
  const fields = readFields(value, "call");
  const data = optional(fields, "data", readData);
  const input = optional(fields, "input", readData);
  if (data !== undefined && input !== undefined && !equalBytes(data, input)) {
    throw invalidParams('both "data" and "input" are set and not equal');
  }
  return compact<CallRequest>({
    from: optional(fields, "from", readAddress),
    to: optional(fields, "to", readAddress),
    gas: optional(fields, "gas", readQuantity),
    gasPrice: optional(fields, "gasPrice", readQuantity),
    maxFeePerGas: optional(fields, "maxFeePerGas", readQuantity),
    maxPriorityFeePerGas: optional(fields, "maxPriorityFeePerGas", readQuantity),
    blobVersionedHashes: optional(fields, "blobVersionedHashes", listOf(readHash)),
    value: optional(fields, "value", readQuantity),
    data: input ?? data,
    accessList: optional(fields, "accessList", listOf(readAccessListEntry)),
    authorizations: optional(fields, "authorizationList", listOf(readAuthorization)),
  });
}

function readAccessListEntry(value: unknown): AccessListEntry {
  const fields = readFields(value, "access list");
  const storageKeys = optional(fields, "storageKeys", listOf(readWord)) ?? [];
  return { address: readAddress(fields.address, "address"), storageKeys: storageKeys.map(hashFromWord) };
}

function readAuthorization(value: unknown): Authorization {
  const fields = readFields(value, "authorization");
  return {
    chainId: readQuantity(fields.chainId, "chainId"),
    address: readAddress(fields.address, "address"),
    nonce: readQuantity(fields.nonce, "nonce"),
    yParity: readQuantity(fields.yParity, "yParity"),
    r: readWord(fields.r, "r"),
    s: readWord(fields.s, "s"),
  };
}

/** {address: {nonce, balance, code, state or stateDiff}}. */
export function readAccountOverrides(value: unknown): readonly AccountOverride[] {
  if (value === undefined || value === null) return [];
  return Object.entries(readFields(value, "state overrides")).map(([key, entry]) => {
    const fields = readFields(entry, "state override");
    return compact<AccountOverride>({
      address: readAddress(key, "address"),
      nonce: optional(fields, "nonce", readQuantity),
      balance: optional(fields, "balance", readQuantity),
      code: optional(fields, "code", readData),
      storage: optional(fields, "state", readSlots),
      storageDiff: optional(fields, "stateDiff", readSlots),
    });
  });
}

function readSlots(value: unknown): readonly (readonly [bigint, bigint])[] {
  return Object.entries(readFields(value, "slots")).map(
    ([slot, entry]) => [readWord(slot, "slot"), bytesToBigint(readData(entry, "slot value"))] as const,
  );
}

export function readBlockOverride(value: unknown): BlockOverride {
  if (value === undefined || value === null) return {};
  const fields = readFields(value, "block overrides");
  return compact<BlockOverride>({
    number: optional(fields, "number", readQuantity),
    timestamp: optional(fields, "time", readQuantity) ?? optional(fields, "timestamp", readQuantity),
    gasLimit: optional(fields, "gasLimit", readQuantity),
    coinbase: optional(fields, "feeRecipient", readAddress) ?? optional(fields, "coinbase", readAddress),
    prevRandao: optional(fields, "prevRandao", readHash),
    baseFeePerGas: optional(fields, "baseFeePerGas", readQuantity),
    blobBaseFee: optional(fields, "blobBaseFee", readQuantity),
  });
}

export type LogQuery = {
  readonly criteria: LogCriteria;
  readonly from: BlockChoice;
  readonly to: BlockChoice;
};

/** {fromBlock, toBlock} or {blockHash}, address (one or several), topics (each null, one or several). */
export function readLogQuery(value: unknown): LogQuery {
  const fields = readFields(value, "log filter");
  const topics = (optional(fields, "topics", listOf(readTopic)) ?? []).slice(0, MAX_TOPICS + 1);
  if (topics.length > MAX_TOPICS) throw invalidParams("more than four topics");
  const addresses = optional(fields, "address", oneOrMany(readAddress));
  const wanted: readonly Address[] | undefined = addresses?.length === 0 ? undefined : addresses;
  const single = fields.blockHash ?? undefined;
  return {
    criteria: { addresses: wanted, topics },
    from: readBlockChoice(single ?? fields.fromBlock),
    to: readBlockChoice(single ?? fields.toBlock),
  };
}

function readTopic(value: unknown): readonly Hash[] | undefined {
  if (value === null || value === undefined) return undefined;
  const topics = oneOrMany(readHash)(value, "topic");
  return topics.length === 0 ? undefined : topics;
}

function oneOrMany<T>(
  read: (value: unknown, what: string) => T,
): (value: unknown, what: string) => readonly T[] {
  return (value, what) => (Array.isArray(value) ? listOf(read)(value, what) : [read(value, what)]);
}
