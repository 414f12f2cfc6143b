import {
  type Address,
  addressFromWord,
  addressToWord,
  assert,
  type Bytes,
  bytesToBigint,
  hashFromWord,
  must,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import type { GenesisAccount, SlotChange, StateReader } from "@ostrom/state";
import type { GenesisModules, ModuleState } from "./chain-module.ts";
import type { ValidatorSets } from "./genesis-validator-sets.ts";
import type { ModuleVersion } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { MODULE_REGISTRY_CODE } from "./module-registry-code.ts";
import { arraySlot, bytesStorage, type ReadWord, readStoredBytes } from "./solidity-storage.ts";

// The storage of languages/solidity/modules/ModuleRegistry.sol:
//   address authority;        slot 0
//   Module[] modules;         slot 1; { bytes32 name; Version current; Version scheduled; }, seven slots each
//   Fork[] forks;             slot 2; { bytes32 name; uint64 height; }
//   bytes32 holder;           slot 3: who holds the port ValidatorSets
//   bytes32 nextHolder;       slot 4
//   uint64 fromEpoch;         slot 5
//   struct Version { uint32 version; uint64 height; bytes32 codeHash; bytes settings; }, three slots

/** A version of a module and when it becomes, or became, active. */
export type ModuleActivation = ModuleVersion & {
  readonly height: number;
  /** Where its settings stand: they are long, and wanted once. */
  readonly settingsSlot: bigint;
};

/** One module of the registry. */
export type RegisteredModule = {
  readonly name: string;
  /** undefined if no version was ever active, or none but `scheduled`. */
  readonly current: ModuleActivation | undefined;
  /** In place of `current` from its height on, which may be past. */
  readonly scheduled: ModuleActivation | undefined;
};

/** A rule set that holds from a height on. */
export type ScheduledFork = { readonly fork: string; readonly height: number };

/** What the registry says. */
export type ModuleRegistry = {
  readonly authority: Address | undefined;
  /** In the order in which hooks are called. */
  readonly modules: readonly RegisteredModule[];
  readonly forks: readonly ScheduledFork[];
  /** The port ValidatorSets. */
  readonly port: ValidatorSetsPort;
};

export type ValidatorSetsPort = {
  /** undefined: genesis, or the contract at VALIDATOR_SET_ADDRESS. */
  readonly holder: string | undefined;
  /** Who holds it next: in the first epoch from this one on for which it has a valid set. */
  readonly handOver: { readonly to: string; readonly fromEpoch: bigint } | undefined;
};

/** Limits of the contract, which bound what reading it costs. */
export const MAX_MODULES = 32;
export const MAX_SCHEDULED_FORKS = 16;
export const MAX_SETTINGS_BYTES: number = 64 * 1024;
/** What is scheduled is this many blocks ahead at least. */
export const MIN_NOTICE_BLOCKS = 10;

const AUTHORITY_SLOT = 0n;
const MODULES_SLOT = 1n;
const FORKS_SLOT = 2n;
const HOLDER_SLOT = 3n;
const NEXT_HOLDER_SLOT = 4n;
const FROM_EPOCH_SLOT = 5n;
const SLOTS_OF_A_MODULE = 7n;
const SLOTS_OF_A_FORK = 2n;
const CURRENT_OFFSET = 1n;
const SCHEDULED_OFFSET = 4n;
const CODE_HASH_OFFSET = 1n;
const SETTINGS_OFFSET = 2n;
const VERSION_BITS = 32n;
const HEIGHT_BITS = 64n;
const GENESIS_MODULES_HEIGHT = 1n;
const FIRST_MODULE_SLOT = arraySlot(MODULES_SLOT);
const FIRST_FORK_SLOT = arraySlot(FORKS_SLOT);

/** Whether a chain with this genesis has a registry. */
export function hasRegistry({ authority, active }: GenesisModules): boolean {
  return authority !== undefined || active.length > 0;
}

/** The registry's account in genesis: all modules active from block 1. @returns undefined for a chain without one. */
export function moduleRegistryAccount(
  modules: GenesisModules,
  sets: ValidatorSets,
): GenesisAccount | undefined {
  if (!hasRegistry(modules)) return undefined;
  const { authority, active } = modules;
  assert(active.length <= MAX_MODULES, `a chain has at most ${MAX_MODULES} modules`);
  const storage: SlotChange[] = [
    { slot: MODULES_SLOT, value: BigInt(active.length) },
    { slot: AUTHORITY_SLOT, value: authority === undefined ? 0n : addressToWord(authority) },
    { slot: HOLDER_SLOT, value: sets.kind === "module" ? wordOfName(sets.name) : 0n },
  ];
  active.forEach(({ name, version, codeHash, settings }, index) => {
    assert(
      settings.length <= MAX_SETTINGS_BYTES,
      `settings of ${name} must have at most ${MAX_SETTINGS_BYTES} bytes`,
    );
    const at = moduleSlot(index);
    const current = at + CURRENT_OFFSET;
    storage.push(
      { slot: at, value: wordOfName(name) },
      { slot: current, value: BigInt(version) | (GENESIS_MODULES_HEIGHT << VERSION_BITS) },
      { slot: current + CODE_HASH_OFFSET, value: bytesToBigint(codeHash) },
      ...bytesStorage(current + SETTINGS_OFFSET, settings),
    );
  });
  return { address: MODULE_REGISTRY_ADDRESS, nonce: 1n, balance: 0n, code: MODULE_REGISTRY_CODE, storage };
}

/** Reads the registry. @returns undefined on a chain without one. */
export function readModuleRegistry(state: ModuleState): ModuleRegistry | undefined {
  if (state.account(MODULE_REGISTRY_ADDRESS) === undefined) return undefined;
  const word: ReadWord = (slot) => state.storage(MODULE_REGISTRY_ADDRESS, slot);
  const authority = word(AUTHORITY_SLOT);
  return {
    authority: authority === 0n ? undefined : addressFromWord(authority),
    modules: readArray(word(MODULES_SLOT), MAX_MODULES, (index) => readModule(word, moduleSlot(index))),
    forks: readArray(word(FORKS_SLOT), MAX_SCHEDULED_FORKS, (index) => {
      const at = FIRST_FORK_SLOT + SLOTS_OF_A_FORK * BigInt(index);
      return { fork: nameOfWord(word(at)), height: heightOf(word(at + 1n)) };
    }),
    port: readValidatorSetsPort(state),
  };
}

/** Who holds the port ValidatorSets, on a chain with a registry. */
export function readValidatorSetsPort(state: Pick<StateReader, "storage">): ValidatorSetsPort {
  const word: ReadWord = (slot) => state.storage(MODULE_REGISTRY_ADDRESS, slot);
  const holder = word(HOLDER_SLOT);
  const next = word(NEXT_HOLDER_SLOT);
  return {
    holder: holder === 0n ? undefined : nameOfWord(holder),
    handOver: next === 0n ? undefined : { to: nameOfWord(next), fromEpoch: word(FROM_EPOCH_SLOT) },
  };
}

/** The version of a module that is active at a height, if one is. */
export function activeVersion(
  { current, scheduled }: RegisteredModule,
  height: number,
): ModuleActivation | undefined {
  if (scheduled !== undefined && scheduled.height <= height) return scheduled;
  return current !== undefined && current.height <= height ? current : undefined;
}

/** What a module is activated with. */
export function readModuleSettings(
  state: Pick<StateReader, "storage">,
  { settingsSlot }: ModuleActivation,
): Bytes {
  const word: ReadWord = (slot) => state.storage(MODULE_REGISTRY_ADDRESS, slot);
  return must(
    readStoredBytes(word, settingsSlot, MAX_SETTINGS_BYTES),
    "the registry must hold readable settings",
  );
}

/** What the registry becomes when a module takes the port over. */
export function portTaken(holder: string): readonly SlotChange[] {
  return [
    { slot: HOLDER_SLOT, value: wordOfName(holder) },
    { slot: NEXT_HOLDER_SLOT, value: 0n },
    { slot: FROM_EPOCH_SLOT, value: 0n },
  ];
}

/** A name as the registry's functions take it: `bytes32`, its letters first. */
export function moduleNameBytes(name: string): Bytes {
  return wordToBytes(wordOfName(name));
}

function readModule(word: ReadWord, at: bigint): RegisteredModule {
  const name = nameOfWord(word(at));
  return {
    name,
    current: readVersion(word, name, at + CURRENT_OFFSET),
    scheduled: readVersion(word, name, at + SCHEDULED_OFFSET),
  };
}

function readVersion(word: ReadWord, name: string, at: bigint): ModuleActivation | undefined {
  const packed = word(at);
  if (packed === 0n) return undefined;
  return {
    name,
    version: Number(BigInt.asUintN(Number(VERSION_BITS), packed)),
    height: heightOf(packed >> VERSION_BITS),
    codeHash: hashFromWord(word(at + CODE_HASH_OFFSET)),
    settingsSlot: at + SETTINGS_OFFSET,
  };
}

function readArray<T>(count: bigint, most: number, read: (index: number) => T): readonly T[] {
  assert(count <= BigInt(most), "the registry must keep its limits");
  return Array.from({ length: Number(count) }, (_, index) => read(index));
}

function moduleSlot(index: number): bigint {
  return FIRST_MODULE_SLOT + SLOTS_OF_A_MODULE * BigInt(index);
}

function heightOf(word: bigint): number {
  const height = Number(BigInt.asUintN(Number(HEIGHT_BITS), word));
  assert(Number.isSafeInteger(height), "the registry must keep heights below 2^53");
  return height;
}

const NAME_BYTES = 32;

function wordOfName(name: string): bigint {
  const bytes = utf8(name);
  assert(bytes.length < NAME_BYTES, "a name in the registry must have at most 31 bytes");
  const word = new Uint8Array(NAME_BYTES);
  word.set(bytes);
  return bytesToBigint(word);
}

/** The contract admits no other letters than those of names. */
function nameOfWord(word: bigint): string {
  const bytes = wordToBytes(word);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}
