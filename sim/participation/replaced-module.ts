import type { ChainModule } from "@ostrom/execution";
import type { Installed } from "@ostrom/runtime";
import { programWith } from "./modules.ts";

/** The same program with one module changed, as state cannot tell it: for planted bugs. */
export function replaceModule(
  { modules, forks }: Installed,
  name: string,
  change: (module: ChainModule) => Partial<ChainModule>,
): Installed {
  const all = modules.all.map((module) => (module.name === name ? { ...module, ...change(module) } : module));
  return { ...programWith(all), forks };
}
