import { type Address, type Failure, type Hash, toHex, toHexDigits } from "@ostrom/base";
import { cryptographyPrecompiles, FORKS, type Fork, forkPrecompiles, type PrecompileSet } from "@ostrom/vm";
import type { ChainModule, ModulePrecompile, ModuleState } from "./chain-module.ts";
import { forkAt } from "./fees.ts";
import { type InstalledModules, NO_MODULES } from "./installed-modules.ts";
import { ECVRF_VERIFY_ADDRESS } from "./module-addresses.ts";
import {
  activeVersion,
  type ModuleActivation,
  type ModuleRegistry,
  type RegisteredModule,
  readModuleRegistry,
} from "./module-registry.ts";
import type { ChainRules } from "./types.ts";

/** What modules mean for one block. */
export type ModulePlan = {
  readonly height: number;
  /** As of the state that the plan was made from; undefined on a chain without one. */
  readonly registry: ModuleRegistry | undefined;
  /** Active in the block, in the registry's order. */
  readonly active: readonly ActiveModule[];
  /** What the block needs and the program lacks: if there is any, the block cannot be computed. */
  readonly missing: readonly MissingActivation[];
};

export type ActiveModule = { readonly module: ChainModule; readonly activation: ModuleActivation };

/** What the chain uses, or is about to, and this program does not have. The message says what to do. */
export type MissingActivation = Failure<"chain/module-missing" | "chain/fork-missing"> & {
  /** Of the first block that cannot be executed without it. */
  readonly height: number;
};

/** Which modules are active in a block. @param state that the block begins with, or after it: the registry has both. */
export function planModules(
  state: ModuleState,
  installed: InstalledModules | undefined,
  height: number,
): ModulePlan {
  const registry = readModuleRegistry(state);
  if (registry === undefined) return { height, registry, active: [], missing: [] };
  const { find } = installed ?? NO_MODULES;
  const active = registry.modules.flatMap((registered) => {
    const activation = activeVersion(registered, height);
    const module = activation === undefined ? undefined : find(activation);
    return activation === undefined || module === undefined ? [] : [{ module, activation }];
  });
  const missing = missingActivations(registry, installed, height).filter((each) => each.height <= height);
  return { height, registry, active, missing };
}

/** What a program lacks for the blocks from a height on, the soonest first: if something is missing at that height, it must not execute
 * the block; what is missing later, its operator should hear of now.
 * @param height of the next block. */
export function missingActivations(
  registry: ModuleRegistry | undefined,
  installed: InstalledModules | undefined,
  height: number,
): readonly MissingActivation[] {
  if (registry === undefined) return [];
  const lacking = registry.modules
    .flatMap((registered) => neededVersions(registered, height))
    .filter((activation) => (installed ?? NO_MODULES).find(activation) === undefined)
    .map((activation) => missingModule(activation, installed ?? NO_MODULES));
  const unknown = registry.forks
    .filter(({ fork }) => !FORKS.some((known) => known === fork))
    .map(missingFork);
  return [...lacking, ...unknown].sort((a, b) => a.height - b.height);
}

/** The rule set of the plan's block. @param timestamp in seconds. */
export function plannedFork(rules: Pick<ChainRules, "forks">, timestamp: number, plan: ModulePlan): Fork {
  const { registry, height } = plan;
  return forkAt(rules, timestamp, registry === undefined ? undefined : { forks: registry.forks, height });
}

/** A post-quantum chain verifies no ECVRF. */
const ECVRF_DIGITS = toHexDigits(ECVRF_VERIFY_ADDRESS);

/** The fork's precompiles, those of signature schemes where accounts have key sets, and the modules'.
 * @returns undefined if there are none but the fork's. */
export function plannedPrecompiles(
  fork: Fork,
  { active }: ModulePlan,
  { hasKeySets, refusesSortition }: Pick<ChainRules, "hasKeySets" | "refusesSortition"> = {},
): PrecompileSet | undefined {
  const chain = hasKeySets === true ? cryptographyPrecompiles(fork) : undefined;
  const own = new Map<string, ModulePrecompile>();
  for (const { module } of active) {
    for (const precompile of module.precompiles ?? []) own.set(toHexDigits(precompile.address), precompile);
  }
  if (own.size === 0) return chain;
  const below = chain ?? forkPrecompiles(fork);
  const isBelow = new Set(below.addresses.map(toHexDigits));
  const added: readonly Address[] = [...own.values()].map(({ address }) => address);
  return {
    addresses: [...below.addresses, ...added],
    call: (address, input, gasLimit) => {
      const digits = toHexDigits(address);
      const precompile = isBelow.has(digits) ? undefined : own.get(digits);
      if (precompile === undefined) return below.call(address, input, gasLimit);
      if (refusesSortition === true && digits === ECVRF_DIGITS) return { ok: false };
      const gasUsed = precompile.gas(input);
      if (gasUsed > gasLimit) return { ok: false };
      const output = precompile.run(input);
      return output === undefined ? { ok: false } : { ok: true, gasUsed, output };
    },
  };
}

function neededVersions(registered: RegisteredModule, height: number): readonly ModuleActivation[] {
  const active = activeVersion(registered, height);
  const later = [registered.current, registered.scheduled].filter(
    (version) => version !== undefined && version.height > height,
  ) as readonly ModuleActivation[];
  return active === undefined ? later : [active, ...later];
}

function missingModule(activation: ModuleActivation, { all }: InstalledModules): MissingActivation {
  const { name, version, codeHash, height } = activation;
  const others = all.filter((module) => module.name === name);
  return {
    code: "chain/module-missing",
    height,
    message:
      `from block ${height} on the chain uses the module ${name} in version ${version} with the code hash ${toHex(codeHash)}; ` +
      `this program has ${others.length === 0 ? "no such module" : others.map(describeInstalled).join(", ")}: install a release that has it`,
  };
}

function describeInstalled({
  version,
  codeHash,
}: {
  readonly version: number;
  readonly codeHash: Hash;
}): string {
  return `version ${version} (${toHex(codeHash)})`;
}

function missingFork({
  fork,
  height,
}: {
  readonly fork: string;
  readonly height: number;
}): MissingActivation {
  return {
    code: "chain/fork-missing",
    height,
    message:
      `from block ${height} on the chain follows the rule set ${fork}; this program has ${FORKS.join(", ")}: ` +
      "install a release that has it",
  };
}
