import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Address, type Bytes, bigintToBytes, createRandom, EMPTY_BYTES, type Hash } from "@ostrom/base";
import {
  commitOperations,
  commitState,
  createCodeCache,
  EMPTY_TRIE_ROOT,
  type GenesisAccount,
  genesisChanges,
  StateOverlay,
  storeReader,
  storeState,
} from "@ostrom/state";
import { openLevelStore, type Store } from "@ostrom/storage";
import { CODE_CACHE_BYTES } from "../../node/runtime/executor.ts";

/** A database with many accounts, slots and contracts, so that what a program has not touched lies on disk (or in the system's
 * cache of it), as in a chain that has lived for a while. */
export const FILLED = { accounts: 200_000, slots: 200_000, contracts: 600, randomContracts: 600 } as const;

/** Multiplying by these scatters what counts up: a program reaches the n-th of each with one MUL. All odd. */
export const SCATTER_ACCOUNTS = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834_1082_276dn;
export const SCATTER_SLOTS = 0xbf58_476d_1ce4_e5b9_94d0_49bb_1331_11eb_9e37_79b9_7f4a_7c15n;
const ADDRESS_MASK = 2n ** 160n - 1n;
const WORD_MASK = 2n ** 256n - 1n;
const MAX_CODE = 24_576;
const ACCOUNTS_A_BATCH = 20_000;

export const SUBJECT: Address = Address(bigintToBytes(0xc0den, 20));
export const SENDER: Address = Address(bigintToBytes(0xca11n, 20));

export function scatteredAddress(number: bigint): Address {
  return Address(bigintToBytes((number * SCATTER_ACCOUNTS) & ADDRESS_MASK, 20));
}

/** Numbers of contracts follow those of accounts. */
export const FIRST_CONTRACT: bigint = BigInt(FILLED.accounts) + 1n;
export const FIRST_RANDOM_CONTRACT: bigint = FIRST_CONTRACT + BigInt(FILLED.contracts);

/** JUMPDESTs to the end: the most work to analyse. Differs by its number. */
function longCode(number: number): Bytes {
  const code = new Uint8Array(MAX_CODE).fill(0x5b);
  // STOP, so that running it costs nothing beyond getting there.
  code.set([0x00, 0x61, number >> 8, number & 0xff]);
  return code;
}

const PUSH1 = 0x60;
const JUMPDEST = 0x5b;
const INVALID = 0x0c;

/** Nothing that follows from what came before. */
function randomCode(number: number): Bytes {
  const random = createRandom(number);
  const code = Uint8Array.from({ length: MAX_CODE }, () => [PUSH1, JUMPDEST, INVALID][random.below(3)]!);
  code[0] = 0x00;
  return code;
}

function* filledAccounts(): Generator<GenesisAccount> {
  for (let i = 1n; i < FIRST_CONTRACT; i++)
    yield { address: scatteredAddress(i), nonce: 1n, balance: i, code: EMPTY_BYTES, storage: [] };
  for (let i = 0; i < FILLED.contracts + FILLED.randomContracts; i++) {
    const address = scatteredAddress(FIRST_CONTRACT + BigInt(i));
    const code = i < FILLED.contracts ? longCode(i) : randomCode(i);
    yield { address, nonce: 1n, balance: 1n, code, storage: [] };
  }
}

export type FilledState = {
  /** A fresh overlay of a block on the stored state; SUBJECT has the code. */
  readonly open: (code: Bytes) => StateOverlay;
  /** What ends a block: roots and records of all changes (not the disk's sync). */
  readonly commit: (state: StateOverlay) => void;
  readonly close: () => Promise<void>;
};

export async function createFilledState(): Promise<FilledState> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-worst-gas-"));
  const store = await openLevelStore(folder);
  const stateRoot = await fill(store);
  return {
    open: (code) => {
      // Nothing stays cached from run to run but what the node's own caches would keep.
      const state = new StateOverlay(createCodeCache(CODE_CACHE_BYTES).reader(storeReader(store)));
      state.beginTransaction();
      state.setCode(SUBJECT, code);
      return state;
    },
    commit: (state) => {
      commitOperations(commitState({ ...storeState(store), stateRoot }, state.changes()), undefined);
    },
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function fill(store: Store): Promise<Hash> {
  let stateRoot: Hash = EMPTY_TRIE_ROOT;
  const write = async (accounts: readonly GenesisAccount[]): Promise<void> => {
    const commit = commitState({ ...storeState(store), stateRoot }, genesisChanges(accounts));
    ({ stateRoot } = commit);
    await store.write(commitOperations(commit, undefined), { sync: false });
  };
  const slots = Array.from({ length: FILLED.slots }, (_, i) => ({
    slot: (BigInt(i + 1) * SCATTER_SLOTS) & WORD_MASK,
    value: BigInt(i + 1),
  }));
  const rich = 10n ** 24n;
  await write([
    { address: SUBJECT, nonce: 1n, balance: rich, code: Uint8Array.of(0), storage: slots },
    { address: SENDER, nonce: 1n, balance: rich, code: EMPTY_BYTES, storage: [] },
  ]);
  let batch: GenesisAccount[] = [];
  for (const account of filledAccounts()) {
    batch.push(account);
    if (batch.length < ACCOUNTS_A_BATCH) continue;
    await write(batch);
    batch = [];
  }
  await write(batch);
  return stateRoot;
}
