import { equalBytes, Hash, wordToBytes } from "@ostrom/base";
import type {
  AccessListEntry,
  AccountOverride,
  Authorization,
  BlockOverride,
  CallRequest,
} from "@ostrom/execution";
import {
  address,
  type Decoder,
  data,
  decodePart,
  hash,
  listOf,
  objectOf,
  optionalField,
  quantity64,
  quantity256,
  requiredField,
  storageKey,
  storageWord,
  ValueError,
} from "./decode.ts";
import { isGiven, isParsedObject, own, type ParsedObject } from "./json.ts";

/** Entries of an access list, keys of one entry, authorizations, blob hashes: each list of a call at most this long. */
const MAX_CALL_LIST = 4_096;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Leaves out the keys whose value is undefined, as exact optional properties want it. */
function compact<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) result[key] = value;
  return result as T;
}

const slotHash: Decoder<Hash> = {
  type: storageKey.type,
  decode: (value) => Hash(wordToBytes(storageKey.decode(value))),
};

const accessListEntry: Decoder<AccessListEntry> = objectOf("{address, storageKeys}", (entry) => ({
  address: requiredField(entry, "address", address),
  storageKeys: optionalField(entry, "storageKeys", listOf(slotHash, MAX_CALL_LIST)) ?? [],
}));

const authorization: Decoder<Authorization> = objectOf(
  "{chainId, address, nonce, yParity, r, s}",
  (entry) => ({
    chainId: requiredField(entry, "chainId", quantity256),
    address: requiredField(entry, "address", address),
    nonce: requiredField(entry, "nonce", quantity64),
    yParity: requiredField(entry, "yParity", quantity64),
    r: requiredField(entry, "r", signatureNumber),
    s: requiredField(entry, "s", signatureNumber),
  }),
);

/** Clients write r and s as quantities or as 32 bytes with leading zeros. */
const signatureNumber: Decoder<bigint> = { type: "quantity", decode: storageKey.decode };

/** A transaction as eth_call describes it; every field may be missing. */
export const callRequest: Decoder<CallRequest> = objectOf(
  "call {from, to, gas, gasPrice, maxFeePerGas, maxPriorityFeePerGas, value, data or input, nonce, accessList, ...}",
  (object) => {
    const request = compact<Mutable<CallRequest>>({
      from: optionalField(object, "from", address),
      to: optionalField(object, "to", address),
      gas: optionalField(object, "gas", quantity64),
      gasPrice: optionalField(object, "gasPrice", quantity256),
      maxFeePerGas: optionalField(object, "maxFeePerGas", quantity256),
      maxPriorityFeePerGas: optionalField(object, "maxPriorityFeePerGas", quantity256),
      blobVersionedHashes: optionalField(object, "blobVersionedHashes", listOf(hash, MAX_CALL_LIST)),
      value: optionalField(object, "value", quantity256),
      data: readInput(object),
      accessList: optionalField(object, "accessList", listOf(accessListEntry, MAX_CALL_LIST)),
      authorizations: optionalField(object, "authorizationList", listOf(authorization, MAX_CALL_LIST)),
    });
    // Checked like the rest, though a simulation has no use for them.
    optionalField(object, "type", quantity64);
    optionalField(object, "nonce", quantity64);
    optionalField(object, "maxFeePerBlobGas", quantity256);
    checkFees(request);
    return request;
  },
);

/** The chain that a call names, to be compared with ours; undefined if it names none. */
export function callChainId(object: unknown): bigint | undefined {
  return isParsedObject(object) ? optionalField(object, "chainId", quantity256) : undefined;
}

function readInput(object: ParsedObject): CallRequest["data"] {
  const input = optionalField(object, "input", data);
  const older = optionalField(object, "data", data);
  if (input !== undefined && older !== undefined && !equalBytes(input, older)) {
    throw new ValueError(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    );
  }
  return input ?? older;
}

function checkFees({ gasPrice, maxFeePerGas, maxPriorityFeePerGas }: CallRequest): void {
  if (gasPrice !== undefined && (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined)) {
    throw new ValueError("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
  }
  if (
    maxFeePerGas !== undefined &&
    maxPriorityFeePerGas !== undefined &&
    maxFeePerGas < maxPriorityFeePerGas
  ) {
    throw new ValueError(`maxFeePerGas (${maxFeePerGas}) < maxPriorityFeePerGas (${maxPriorityFeePerGas})`);
  }
}

/** A state override set: {address: {nonce, balance, code, state or stateDiff}}.
 * @param maxEntries accounts and slots together. */
export function stateOverrides(maxEntries: number): Decoder<readonly AccountOverride[]> {
  return objectOf("state overrides {address: {nonce, balance, code, state, stateDiff}}", (object) => {
    const budget = { left: maxEntries };
    return Object.entries(object).map(([key, value]) => {
      spend(budget, 1, maxEntries);
      const account = decodePart(address, key, "key");
      return decodePart(accountOverride(account, budget, maxEntries), value, key);
    });
  });
}

type Budget = { left: number };

function spend(budget: Budget, amount: number, limit: number): void {
  budget.left -= amount;
  if (budget.left < 0) throw new ValueError(`more than ${limit} overridden accounts and slots`);
}

function accountOverride(
  account: AccountOverride["address"],
  budget: Budget,
  limit: number,
): Decoder<AccountOverride> {
  return objectOf("{nonce, balance, code, state, stateDiff}", (object) => {
    const slots: Decoder<readonly (readonly [bigint, bigint])[]> = objectOf("{slot: value}", (entries) => {
      const keys = Object.keys(entries);
      spend(budget, keys.length, limit);
      return keys.map((key) => [storageKey.decode(key), decodePart(storageWord, entries[key], key)] as const);
    });
    const storage = optionalField(object, "state", slots);
    const storageDiff = optionalField(object, "stateDiff", slots);
    if (storage !== undefined && storageDiff !== undefined) {
      throw new ValueError("both 'state' and 'stateDiff' are set");
    }
    if (isGiven(own(object, "movePrecompileToAddress"))) {
      throw new ValueError("movePrecompileToAddress is not supported here");
    }
    return compact<Mutable<AccountOverride>>({
      address: account,
      nonce: optionalField(object, "nonce", quantity64),
      balance: optionalField(object, "balance", quantity256),
      code: optionalField(object, "code", data),
      storage,
      storageDiff,
    });
  });
}

/** A block override set; geth's older names (coinbase, random, baseFee) are read too. */
export const blockOverride: Decoder<BlockOverride> = objectOf(
  "block overrides {number, time, gasLimit, feeRecipient, prevRandao, baseFeePerGas, blobBaseFee}",
  (object) => {
    const either = <T>(key: string, older: string, decoder: Decoder<T>): T | undefined =>
      optionalField(object, key, decoder) ?? optionalField(object, older, decoder);
    return compact<Mutable<BlockOverride>>({
      number: optionalField(object, "number", quantity64),
      timestamp: either("time", "timestamp", quantity64),
      gasLimit: optionalField(object, "gasLimit", quantity64),
      coinbase: either("feeRecipient", "coinbase", address),
      prevRandao: either("prevRandao", "random", hash),
      baseFeePerGas: either("baseFeePerGas", "baseFee", quantity256),
      blobBaseFee: optionalField(object, "blobBaseFee", quantity256),
    });
  },
);
