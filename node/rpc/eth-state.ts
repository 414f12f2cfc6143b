import { type Address, type Bytes, EMPTY_BYTES, equalBytes, type Hash, toHex } from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import { quantity, word } from "@ostrom/rpc-schema";
import { EMPTY_CODE_HASH, emptyTrieRoot, type StateReader } from "@ostrom/state";
import type { StateProof } from "./backend.ts";
import { blockParameter, LATEST } from "./block-parameter.ts";
import { stateUnavailable } from "./block-reader.ts";
import { address, type Decoder, decodePart, listOf, objectOf, storageKey } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { defineMethod, type Method, optional, required } from "./method.ts";
import { invalidParams, limitExceeded } from "./rpc-error.ts";

const block = optional("block", blockParameter, LATEST);

/** Reads an account's code; the empty bytes for an account without. */
function codeOf(reader: StateReader, account: Address): Bytes {
  const found = reader.account(account);
  const isCodeless = found === undefined || equalBytes(found.codeHash, EMPTY_CODE_HASH);
  return isCodeless ? EMPTY_BYTES : reader.code(found.codeHash);
}

const accountReads: readonly Method[] = [
  defineMethod({
    name: "eth_getBalance",
    summary: "An account's balance.",
    parameters: [required("address", address), block],
    returns: "quantity (wei)",
    run: ({ blocks }, account, parameter) =>
      blocks.withOneRead(parameter, (reader) => quantity(reader.account(account)?.balance ?? 0n)),
  }),
  defineMethod({
    name: "eth_getTransactionCount",
    summary: "An account's nonce. With the tag pending, its runnable transactions in this node's pool count.",
    parameters: [required("address", address), block],
    returns: "quantity",
    run: async ({ blocks, backend }, account, parameter) => {
      if (parameter.kind === "tag" && parameter.tag === "pending") {
        return quantity(await backend.pool.pendingNonce(account));
      }
      return blocks.withOneRead(parameter, (reader) => quantity(reader.account(account)?.nonce ?? 0n));
    },
  }),
  defineMethod({
    name: "eth_getCode",
    summary: "An account's code, or its EIP-7702 delegation.",
    parameters: [required("address", address), block],
    returns: "data",
    run: ({ blocks }, account, parameter) =>
      blocks.withOneRead(parameter, (reader) => toHex(codeOf(reader, account))),
  }),
  defineMethod({
    name: "eth_getStorageAt",
    summary: "One slot of an account's storage.",
    parameters: [required("address", address), required("slot", storageKey), block],
    returns: "data (32 bytes)",
    run: ({ blocks }, account, slot, parameter) =>
      blocks.withOneRead(parameter, (reader) => word(reader.storage(account, slot))),
  }),
];

/** A key of eth_getProof's list, with the form in which the answer repeats it. */
type ProofKey = { readonly slot: bigint; readonly form: string };

/** "0x" and 64 digits. */
const WORD_TEXT_LENGTH = 66;

const proofKey: Decoder<ProofKey> = {
  type: storageKey.type,
  decode: (value) => {
    const slot = storageKey.decode(value);
    // Whole words come back as words, short keys as quantities: verifiers compare them as text.
    const isWord = typeof value === "string" && value.length === WORD_TEXT_LENGTH;
    return { slot, form: isWord ? word(slot) : quantity(slot) };
  },
};

/** Longer lists than any limit is set to are cut off here; the limit itself answers with its name. */
const MAX_KEY_LIST = 65_536;

type StorageRequest = readonly {
  readonly account: Address;
  readonly form: string;
  readonly slots: readonly bigint[];
}[];

const storageRequest: Decoder<StorageRequest> = objectOf("{address: [slots]}", (object) =>
  Object.entries(object).map(([key, value]) => ({
    account: decodePart(address, key, "key"),
    form: key.toLowerCase(),
    slots: decodePart(listOf(storageKey, MAX_KEY_LIST), value, key),
  })),
);

const storageReads: readonly Method[] = [
  defineMethod({
    name: "eth_getStorageValues",
    summary: "Slots of several accounts at once.",
    parameters: [required("slots", storageRequest), block],
    returns: "{address: [values]}",
    run: ({ blocks, limits }, request, parameter) => {
      const total = request.reduce((sum, { slots }) => sum + slots.length, 0);
      if (total === 0) throw invalidParams("empty request");
      if (total > limits.storageKeys)
        throw limitExceeded(`too many slots (max ${limits.storageKeys})`, limits.storageKeys);
      return blocks.withState(parameter, ({ reader }) =>
        Object.fromEntries(
          request.map(({ account, form, slots }) => [
            form,
            slots.map((slot) => word(reader.storage(account, slot))),
          ]),
        ),
      );
    },
  }),
  defineMethod({
    name: "eth_getProof",
    summary:
      "Merkle proofs of an account and of some of its slots, against the block's state root (EIP-1186).",
    parameters: [required("address", address), required("slots", listOf(proofKey, MAX_KEY_LIST)), block],
    returns: "{address, accountProof, balance, codeHash, nonce, storageHash, storageProof}",
    run: ({ backend, blocks, limits }, account, keys, parameter) => {
      if (keys.length > limits.storageKeys) {
        throw limitExceeded(`too many keys (max ${limits.storageKeys})`, limits.storageKeys);
      }
      return blocks.withState(parameter, (view, blockNumber): Json => {
        const slots = keys.map(({ slot }) => slot);
        const proof = view.prove(account, slots);
        if (!proof.ok) throw stateUnavailable(proof.error.code, blockNumber);
        return proofJson(account, keys, proof.value, emptyTrieRoot(chainHash(backend.info.rules)));
      });
    },
  }),
];

function proofJson(
  account: Address,
  keys: readonly ProofKey[],
  proof: StateProof,
  emptyRoot: Hash,
): JsonObject {
  return {
    address: toHex(account),
    accountProof: proof.accountProof.map(toHex),
    balance: quantity(proof.account?.balance ?? 0n),
    codeHash: toHex(proof.account?.codeHash ?? EMPTY_CODE_HASH),
    nonce: quantity(proof.account?.nonce ?? 0n),
    storageHash: toHex(proof.account?.storageRoot ?? emptyRoot),
    storageProof: proof.storage.map(({ value, proof: nodes }, i) => ({
      key: keys[i]!.form,
      value: quantity(value),
      proof: nodes.map(toHex),
    })),
  };
}

export const ethStateMethods: readonly Method[] = [...accountReads, ...storageReads];
