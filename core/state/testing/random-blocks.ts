import { Address, hashFromWord, type Random, toHexDigits, utf8 } from "@ostrom/base";
import {
  type GenesisAccount,
  MemoryState,
  type StateChanges,
  StateOverlay,
  type StateReader,
} from "../index.ts";

export const ADDRESSES: readonly Address[] = Array.from({ length: 24 }, (_, index) =>
  Address(hashFromWord(BigInt(index + 1) << 200n).subarray(0, 20)),
);
export const SLOTS: readonly bigint[] = [0n, 1n, 2n, 3n, 1n << 64n, (1n << 256n) - 1n];

const VALUES: readonly bigint[] = [0n, 1n, 0x80n, 1n << 128n, (1n << 256n) - 1n];

export const GENESIS: readonly GenesisAccount[] = ADDRESSES.slice(0, 10).map((address, index) => ({
  address,
  nonce: BigInt(index),
  balance: BigInt(index) * 10n ** 18n + 1n,
  code: utf8(index % 3 === 0 ? "" : `code ${index % 4}`),
  storage:
    index % 2 === 0 ? [] : SLOTS.map((slot) => ({ slot, value: slot + BigInt(index) })).slice(0, index % 6),
}));

function randomValue(random: Random): bigint {
  return VALUES[random.below(VALUES.length)]!;
}

/** What a block of random transactions does to the state below. */
export function randomBlock(random: Random, below: StateReader): StateChanges {
  const state = new StateOverlay(below);
  for (let transaction = random.below(6); transaction >= 0; transaction--) {
    state.beginTransaction();
    for (let step = random.below(8); step >= 0; step--) {
      const checkpoint = state.checkpoint();
      doSomething(random, state, ADDRESSES[random.below(ADDRESSES.length)]!);
      if (random.chance(1, 5)) state.revertTo(checkpoint);
    }
    state.endTransaction();
  }
  return state.changes();
}

function doSomething(random: Random, state: StateOverlay, address: Address): void {
  switch (random.below(6)) {
    case 0:
      state.setBalance(address, randomValue(random));
      return;
    case 1:
      state.setNonce(address, state.nonce(address) + 1n);
      return;
    case 2:
      state.touch(address);
      return;
    case 3:
      create(random, state, address);
      return;
    default:
      if (state.nonce(address) === 0n) state.setNonce(address, 1n);
      state.setStorage(address, SLOTS[random.below(SLOTS.length)]!, randomValue(random) % (1n << 256n));
  }
}

/** Creates where the rules allow it, and half of the time destroys what it created. */
function create(random: Random, state: StateOverlay, address: Address): void {
  if (!state.isEmpty(address) || state.hasStorage(address)) return;
  state.markCreated(address);
  state.setNonce(address, 1n);
  state.setCode(address, utf8(`code ${random.below(5)}`));
  state.setStorage(address, SLOTS[random.below(SLOTS.length)]!, randomValue(random));
  if (random.chance(1, 2)) state.markSelfDestructed(address);
}

/** All that a state says of the addresses and slots above, as text. */
export function describeState(reader: StateReader): string {
  const lines = ADDRESSES.map((address) => {
    const account = reader.account(address);
    const slots = SLOTS.map((slot) => reader.storage(address, slot).toString(16));
    if (account === undefined) return `${toHexDigits(address)} none ${slots}`;
    const code = toHexDigits(reader.code(account.codeHash));
    const { nonce, balance, storageRoot } = account;
    return `${toHexDigits(address)} ${nonce} ${balance} ${toHexDigits(storageRoot)} ${code} ${slots}`;
  });
  return lines.join("\n");
}

/** The same state made from nothing. */
export function rebuild(reader: StateReader): MemoryState {
  return MemoryState.of(
    ADDRESSES.flatMap((address) => {
      const account = reader.account(address);
      if (account === undefined) return [];
      const storage = SLOTS.map((slot) => ({ slot, value: reader.storage(address, slot) }));
      return [
        {
          address,
          nonce: account.nonce,
          balance: account.balance,
          code: reader.code(account.codeHash),
          storage,
        },
      ];
    }),
  );
}
