import { type Address, type Bytes, toHex } from "@ostrom/base";
import { type JsonObject, quantity, word } from "@ostrom/rpc-schema";
import { EMPTY_CODE_HASH } from "@ostrom/state";
import type { At } from "./light-client.ts";
import type { LocalCall } from "./local-call.ts";
import { PROVIDER_ERROR, ProviderError, throwUnlessSucceeded } from "./provider-error.ts";
import {
  blockChoice,
  orThrow,
  type ProvedMethod,
  type ProviderContext,
  readParameter,
  UNPROVED,
} from "./provider-method.ts";
import { readAddress, readArray, readWord } from "./read-json.ts";
import {
  readAccountOverrides,
  readBlockOverride,
  readCallRequest,
  readParameters,
} from "./rpc-parameters.ts";
import type { ProvedAccount } from "./state-proof.ts";

/** Keys in one eth_getProof. */
const MAX_KEYS = 1_024;

/** Reads at a certified block; what is asked of the pool nobody can prove. */
function stateRead(
  blockIndex: number,
  read: (context: ProviderContext, params: readonly unknown[], at: At) => Promise<unknown>,
): ProvedMethod {
  return async (context, params) => {
    const choice = blockChoice(params, blockIndex);
    return choice.kind === "pending" ? UNPROVED : read(context, params, choice.at);
  };
}

const account = (params: readonly unknown[]): Address => readParameter(params, 0, readAddress);

export const stateMethods: Readonly<Record<string, ProvedMethod>> = {
  eth_getBalance: stateRead(1, async ({ client }, params, at) =>
    quantity(orThrow(await client.account(account(params), at))?.balance ?? 0n),
  ),
  eth_getTransactionCount: async ({ client, own }, params) => {
    const choice = blockChoice(params, 1);
    const address = account(params);
    const at = choice.kind === "pending" ? "latest" : choice.at;
    const nonce = orThrow(await client.account(address, at))?.nonce ?? 0n;
    return quantity(choice.kind === "pending" ? own.nextNonce(address, nonce) : nonce);
  },
  eth_getCode: stateRead(1, async ({ client }, params, at) =>
    toHex(orThrow(await client.code(account(params), at))),
  ),
  eth_getStorageAt: stateRead(2, async ({ client }, params, at) =>
    word(orThrow(await client.storage(account(params), readParameter(params, 1, readWord), at))),
  ),
  eth_getProof: stateRead(2, async ({ client }, params, at) => {
    const keys = readParameter(params, 1, (value, what) => readArray(value, what, MAX_KEYS));
    const slots = readParameters(() => keys.map((key) => readWord(key, "key")));
    const proved = orThrow(await client.proof(account(params), slots, at));
    return proofJson(account(params), keys.map(String), proved);
  }),
  eth_call: async ({ client }, params) => {
    const asked = readCall(params);
    if (asked === undefined) return UNPROVED;
    const outcome = orThrow(await client.call(asked.call, asked.at));
    throwUnlessSucceeded(outcome);
    return toHex(outcome.output);
  },
  eth_estimateGas: async ({ client }, params) => {
    const asked = readCall(params);
    if (asked === undefined) return UNPROVED;
    const estimate = orThrow(await client.estimateGas(asked.call, asked.at));
    if (estimate.kind === "estimated") return quantity(estimate.gas);
    throwUnlessSucceeded(estimate.outcome);
    throw new ProviderError(PROVIDER_ERROR.server, "gas estimation failed");
  },
};

function readCall(params: readonly unknown[]): { readonly call: LocalCall; readonly at: At } | undefined {
  const request = readParameter(params, 0, readCallRequest);
  const choice = blockChoice(params, 1);
  if (choice.kind === "pending") return undefined;
  return readParameters(() => ({
    at: choice.at,
    call: {
      request,
      accountOverrides: readAccountOverrides(params[2]),
      blockOverride: readBlockOverride(params[3]),
    },
  }));
}

/** As eth_getProof has it: keys come back as they were asked, in hex. */
function proofJson(
  address: Address,
  keys: readonly string[],
  { account: found, storageRoot, accountProof, slots, slotProofs }: ProvedAccount,
): JsonObject {
  const nodes = (proof: readonly Bytes[] | undefined): readonly string[] => (proof ?? []).map(toHex);
  return {
    address: toHex(address),
    accountProof: nodes(accountProof),
    balance: quantity(found?.balance ?? 0n),
    codeHash: toHex(found?.codeHash ?? EMPTY_CODE_HASH),
    nonce: quantity(found?.nonce ?? 0n),
    storageHash: toHex(storageRoot),
    storageProof: slots.map((value, index) => ({
      key: keys[index]!,
      value: quantity(value),
      proof: nodes(slotProofs[index]),
    })),
  };
}
