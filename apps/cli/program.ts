import type { ModuleManifest } from "@ostrom/runtime";
import type { Fork } from "@ostrom/vm";

/** What an `ostrom` program is put together from: the composition root (main.ts) says it, all else is given it. */
export type Program = {
  /** Path of the script that is this program, for the processes that it starts. */
  readonly main: string;
  /** All modules that it has, whether or not a chain uses them. */
  readonly modules: readonly ModuleManifest[];
  /** Ethereum rule sets that it has; all that core/vm has where it is undefined. */
  readonly forks?: readonly Fork[] | undefined;
};
