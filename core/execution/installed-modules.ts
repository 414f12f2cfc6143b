import { type Address, addressToWord, assert, type Bytes, type Hash, toHexDigits, utf8 } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { MAX_CODE_SIZE } from "@ostrom/vm";
import type { ChainModule, GenesisModule } from "./chain-module.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS, SYSTEM_ADDRESS } from "./system-contracts.ts";
import { VALIDATOR_SET_ADDRESS } from "./validator-set.ts";

/** What a name of a module, as in `modules/<name>`, may be. It fits in one word. */
export const MODULE_NAME_PATTERN: RegExp = /^[a-z][a-z-]{0,30}$/;
export const MAX_MODULE_VERSION: number = 2 ** 32 - 1;

const RESERVED: readonly Address[] = [
  MODULE_REGISTRY_ADDRESS,
  VALIDATOR_SET_ADDRESS,
  SYSTEM_ADDRESS,
  HISTORY_STORAGE_ADDRESS,
  BEACON_ROOTS_ADDRESS,
];
/** Ethereum's precompiles are below, those to come too. */
const LAST_OF_ETHEREUM = 0xffffn;

/** The modules that this program has, in all versions. */
export type InstalledModules = {
  readonly all: readonly ChainModule[];
  /** What the chain's state names. @returns undefined if the program lacks it. */
  readonly find: (wanted: ModuleVersion) => ChainModule | undefined;
};

/** How state names one version of a module. */
export type ModuleVersion = {
  readonly name: string;
  readonly version: number;
  readonly codeHash: Hash;
};

/** Completes a module by its code hash. */
export function defineModule(parts: Omit<ChainModule, "codeHash">): ChainModule {
  return { ...parts, codeHash: moduleCodeHash(parts) };
}

/** keccak256(rlp([name, version, [[address, code], ...], [precompile address, ...]])): what of a module state can name. What its hooks
 * and precompiles compute is TypeScript: it is the version that must go up with it. */
export function moduleCodeHash(
  module: Pick<ChainModule, "name" | "version" | "contracts" | "precompiles">,
): Hash {
  const contracts = module.contracts.map(({ address, code }) => [address, code]);
  const precompiles = (module.precompiles ?? []).map(({ address }) => address);
  return keccak256(encodeRlp([utf8(module.name), versionBytes(module.version), contracts, precompiles]));
}

/** A module as genesis names it. @param settings ABI arguments as the module documents them; it is activated with them in block 1. */
export function genesisModule(module: ChainModule, settings: Bytes): GenesisModule {
  const { name, version, codeHash } = module;
  return { name, version, codeHash, settings };
}

/** Makes a program's modules findable. Throws where they contradict each other: it is the program that is wrong then. */
export function installModules(modules: readonly ChainModule[]): InstalledModules {
  const byVersion = new Map<string, ChainModule>();
  const owners = new Map(RESERVED.map((address) => [toHexDigits(address), "the platform"]));
  for (const module of modules) {
    const { name, version, codeHash } = module;
    assert(MODULE_NAME_PATTERN.test(name), `a module must have a name of lower-case letters and -: ${name}`);
    assert(
      Number.isSafeInteger(version) && version >= 1 && version <= MAX_MODULE_VERSION,
      `${name}: versions are 1 or more`,
    );
    assert(
      toHexDigits(codeHash) === toHexDigits(moduleCodeHash(module)),
      `${name} ${version}: the code hash must be that of its code`,
    );
    const key = keyOf(module);
    assert(!byVersion.has(key), `${name} ${version} is installed twice`);
    byVersion.set(key, module);
    const longest = Math.max(0, ...module.contracts.map(({ code }) => code.length));
    assert(
      longest <= MAX_CODE_SIZE,
      `${name} ${version}: a contract must have at most ${MAX_CODE_SIZE} bytes (EIP-170)`,
    );
    for (const address of addressesOf(module)) {
      const digits = toHexDigits(address);
      const owner = owners.get(digits) ?? name;
      assert(owner === name, `${owner} and ${name} have one address: 0x${digits}`);
      assert(addressToWord(address) > LAST_OF_ETHEREUM, `${name}: 0x${digits} is for Ethereum's precompiles`);
      owners.set(digits, name);
    }
  }
  return { all: [...modules], find: (wanted) => byVersion.get(keyOf(wanted)) };
}

/** Of a program without modules. */
export const NO_MODULES: InstalledModules = installModules([]);

function keyOf({ name, version, codeHash }: ModuleVersion): string {
  return `${name}/${version}/${toHexDigits(codeHash)}`;
}

function addressesOf({ contracts, precompiles = [] }: ChainModule): readonly Address[] {
  return [...contracts, ...precompiles].map(({ address }) => address);
}

function versionBytes(version: number): Bytes {
  return Uint8Array.of(version >>> 24, version >>> 16, version >>> 8, version);
}
