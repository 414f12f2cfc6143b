import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, createRandom, hashFromWord, wordToBytes, ZERO_ADDRESS } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type JournaledState, MemoryState, type StateChanges, StateOverlay } from "@ostrom/state";
import { applyTransaction, type TransactionEnvironment } from "./apply-transaction.ts";
import { addressOfSecretKey } from "./signature.ts";
import { signTransaction } from "./transaction.ts";
import type { SignedTransaction } from "./types.ts";

const KEYS = Array.from({ length: 4 }, (_, index) => hashFromWord(BigInt(index + 1)));
const BASE_FEE = 7n;

function stranger(index: number): Address {
  return keccak256(wordToBytes(BigInt(index))).slice(12) as Address;
}

function environmentOf(
  state: JournaledState,
  coinbase: Address,
  gasCharge: TransactionEnvironment["gasCharge"],
): TransactionEnvironment {
  return {
    fork: "osaka",
    block: {
      number: 1n,
      timestamp: 1n,
      coinbase,
      gasLimit: 30_000_000n,
      baseFeePerGas: BASE_FEE,
      prevRandao: hashFromWord(0n),
      blobBaseFee: 1n,
      chainId: 1n,
      blockHash: () => undefined,
    },
    state,
    gasCharge,
    room: { gas: 30_000_000n, blobGas: 0n },
  };
}

/** The same state without the step that does a transfer at once. */
function stepByStep(state: StateOverlay): JournaledState {
  return new Proxy(state, {
    get: (target, name) => {
      if (name === "settleTransfer") return undefined;
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function run(
  transactions: readonly SignedTransaction[],
  coinbase: Address,
  gasCharge: TransactionEnvironment["gasCharge"],
  wrap: (state: StateOverlay) => JournaledState,
): { readonly results: unknown; readonly changes: StateChanges } {
  const below = MemoryState.of([
    ...KEYS.map((key) => ({
      address: addressOfSecretKey(key),
      balance: 10n ** 18n,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
    // Accounts as only a genesis can have them: empty, and removed when they are touched.
    ...[100, 101].map((index) => ({
      address: stranger(index),
      balance: 0n,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
  ]);
  const overlay = new StateOverlay(below);
  const state = wrap(overlay);
  const results = transactions.map((transaction) =>
    applyTransaction(environmentOf(state, coinbase, gasCharge), transaction),
  );
  return { results, changes: overlay.changes() };
}

for (const gasCharge of ["used", "used-or-half-limit"] as const) {
  test(`a transfer in one step leaves what it leaves step by step (gas charge: ${gasCharge})`, () => {
    const random = createRandom(5);
    const owners = KEYS.map(addressOfSecretKey);
    const places = [
      ...owners,
      ...[1, 2, 100, 101].map(stranger),
      ZERO_ADDRESS,
      wordToBytes(4n).slice(12) as Address,
    ];
    const any = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
    for (let round = 0; round < 40; round++) {
      const nonces = KEYS.map(() => 0n);
      const transactions = Array.from({ length: 12 }, () => {
        const sender = random.below(KEYS.length);
        const tip = any([0n, 3n]);
        return signTransaction(
          {
            chainId: 1n,
            nonce: nonces[sender]!++,
            to: any(places),
            value: any([0n, 1n, 5_000n, 10n ** 18n]),
            data: new Uint8Array(random.below(3)).fill(random.below(2)),
            gasLimit: 60_000n,
            maxFeePerGas: BASE_FEE + tip,
            maxPriorityFeePerGas: tip,
          },
          KEYS[sender]!,
        );
      });
      const coinbase = any(places);
      const atOnce = run(transactions, coinbase, gasCharge, (state) => state);
      assert.deepEqual(atOnce, run(transactions, coinbase, gasCharge, stepByStep));
    }
  });
}
