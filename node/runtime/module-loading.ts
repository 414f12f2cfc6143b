import { type ChainModule, installModules } from "@ostrom/execution";
import { FORKS } from "@ostrom/vm";
import type { Installed } from "./chain-needs.ts";
import type { ModuleManifest, ServiceModule } from "./module-face.ts";

const NAME_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;

/** A module that is not what its manifest says: the program is put together wrongly. Code: `module/invalid`. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
  readonly code = "module/invalid";
}

/** What a program has for the rules of chains, as it crosses threads. */
export type ProgramParts = {
  /** Addresses of the modules' chain packages. */
  readonly chainModules: readonly string[];
  /** Ethereum rule sets. */
  readonly forks: readonly string[];
};

/** Of a program without modules. */
export const BARE_PARTS: ProgramParts = { chainModules: [], forks: FORKS };

/** Loads what the parts name. Each thread that executes does it for itself. @throws ModuleError. */
export async function loadProgram({ chainModules, forks }: ProgramParts): Promise<Installed> {
  return { modules: installModules(await importChainModules(chainModules)), forks };
}

/** The versions of all modules, from the addresses of their chain packages.
 * @throws ModuleError. */
export async function importChainModules(addresses: readonly string[]): Promise<readonly ChainModule[]> {
  const found = await Promise.all(
    addresses.map(async (address) => {
      const { chainModules } = (await import(address)) as { readonly chainModules?: unknown };
      if (!Array.isArray(chainModules)) throw new ModuleError(`${address} exports no list "chainModules"`);
      return chainModules as readonly ChainModule[];
    }),
  );
  return found.flat();
}

/** What modules have beside the chain, in the order of the manifests; those without a service package are left out.
 * @throws ModuleError. */
export async function importServiceModules(
  manifests: readonly Pick<ModuleManifest, "name" | "service">[],
): Promise<readonly ServiceModule[]> {
  const found = await Promise.all(
    manifests.map(({ name, service }) =>
      service === undefined ? undefined : importServiceModule(name, service),
    ),
  );
  return found.filter((module) => module !== undefined);
}

/** @param name of the manifest. @throws ModuleError. */
export async function importServiceModule(name: string, address: string): Promise<ServiceModule> {
  const { serviceModule } = (await import(address)) as { readonly serviceModule?: ServiceModule };
  if (serviceModule?.name !== name || !NAME_PATTERN.test(name))
    throw new ModuleError(`${address} exports no "serviceModule" of the name "${name}"`);
  const foreign = serviceModule.rpc?.find((method) => !method.name.startsWith(`${name}_`));
  if (foreign !== undefined)
    throw new ModuleError(`${address}: the method ${foreign.name} must begin with ${name}_`);
  return serviceModule;
}
