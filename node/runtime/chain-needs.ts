import {
  type InstalledModules,
  type MissingActivation,
  type ModuleRegistry,
  missingActivations,
  NO_MODULES,
} from "@ostrom/execution";
import { FORKS } from "@ostrom/vm";

/** What a program brings for the rules of chains. */
export type Installed = {
  readonly modules: InstalledModules;
  /** Ethereum rule sets: all of core/vm, or fewer in a program that is put together so. */
  readonly forks: readonly string[];
};

/** Of a program without modules. */
export const BARE_PROGRAM: Installed = { modules: NO_MODULES, forks: FORKS };

/** What state says of modules and rule sets, for the threads that do not execute. */
export type RegistryNews = {
  /** Names of modules that are active or scheduled. */
  readonly modules: readonly string[];
  /** What this program lacks, soonest first: the node stops before the block of the first one. */
  readonly missing: readonly MissingActivation[];
};

/** A node whose program lacks what the chain needs. Codes: `chain/module-missing`, `chain/fork-missing`. */
export class ChainNeedError extends Error {
  override readonly name = "ChainNeedError";
  readonly code: MissingActivation["code"];
  constructor(code: MissingActivation["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** @param registry of the newest state. @param height of the next block. */
export function readNews(
  registry: ModuleRegistry | undefined,
  { modules, forks }: Installed,
  height: number,
): RegistryNews {
  if (registry === undefined) return { modules: [], missing: [] };
  const left = registry.forks
    .filter(({ fork }) => FORKS.some((known) => known === fork) && !forks.includes(fork))
    .map(({ fork, height: from }): MissingActivation => {
      const message = `from block ${from} on the chain follows the rule set ${fork}; this program has ${forks.join(", ")}: install a release that has it`;
      return { code: "chain/fork-missing", height: from, message };
    });
  const missing = [...missingActivations(registry, modules, height), ...left];
  return {
    modules: registry.modules.map(({ name }) => name),
    missing: missing.sort((a, b) => a.height - b.height),
  };
}

/** @throws ChainNeedError if the block of this height needs what the program lacks. */
export function assertCanExecute({ missing }: RegistryNews, height: number): void {
  const need = missing[0];
  if (need === undefined || need.height > height) return;
  const { code, message } = need;
  throw new ChainNeedError(
    code,
    `${message}, and start it in this folder. All through block ${height - 1} is kept`,
  );
}
