import { type Address, addressFromHex } from "@ostrom/base";
import type { ChainModule, ValidatorSets } from "@ostrom/execution";
import {
  importChainModules,
  importServiceModules,
  type NetworkModules,
  type ServiceModule,
} from "@ostrom/runtime";
import { type CommandInput, type Flag, readList, UsageError } from "./command.ts";
import type { Program } from "./program.ts";
import { readAddress, showCoins } from "./units.ts";

/** Which module decides on the validators of a chain of a profile. */
const HOLDERS: Readonly<Record<ModuleProfile, string>> = { alliance: "membership", public: "staking" };

export type ModuleProfile = "alliance" | "public";

/** Wei at genesis for each account that a module's service sends from: enough for a hundred thousand transactions. */
const SERVICE_ACCOUNT_FUNDS = 100n * 10n ** 18n;

/** The flags of commands that make networks with modules. */
export const MODULE_FLAGS: readonly Flag[] = [
  {
    name: "set",
    kind: "list",
    placeholder: "MODULE.NAME=VALUE",
    help: "a setting of a module of the profile; repeat",
  },
];

/** What `provisionNetwork` takes of a profile with modules. */
export type ProfileModules = {
  readonly modules: NetworkModules;
  readonly validatorSets: ValidatorSets;
};

/** The modules that a chain of a profile begins with.
 * @param owner the chain's authority, where the profile's module is none itself. @throws UsageError. */
export async function planModules(
  profile: ModuleProfile,
  program: Program,
  input: Pick<CommandInput, "values">,
  owner: Address | undefined,
): Promise<ProfileModules> {
  const holder = HOLDERS[profile];
  const services = await importServiceModules(program.modules);
  const service = services.find(({ name }) => name === holder);
  const options = readModuleOptions(input);
  const foreign = [...options.keys()].find((name) => name !== holder);
  if (foreign !== undefined)
    throw new UsageError(
      `--set: a chain of profile ${profile} begins with the module ${holder}, not ${foreign}`,
    );
  if (service?.authority !== undefined && owner !== undefined)
    throw new UsageError(`--owner: the members of ${holder} decide, by vote`);
  return {
    modules: {
      authority: service?.authority?.address ?? owner,
      active: [
        {
          module: await newestVersion(program, holder),
          settings: service?.settings,
          options: options.get(holder) ?? {},
        },
      ],
      keys: keysOf(services),
      accountFunds: SERVICE_ACCOUNT_FUNDS,
    },
    validatorSets: { kind: "module", name: holder },
  };
}

/** What a person should know of coins that nobody has asked for. */
export function describeServiceAccounts(modules: NetworkModules | undefined): readonly string[] {
  const names = modules?.keys.filter(({ isAccount }) => isAccount === true).map(({ name }) => name) ?? [];
  if (modules === undefined || names.length === 0) return [];
  const coins = showCoins(modules.accountFunds);
  return [
    `Each validator's account of keys/${names.join(".key and keys/")}.key begins with ${coins} coins, for the gas of its service.`,
  ];
}

/** The keys that the machine of a validator makes for modules: of all that the program has, since a chain may take them up later. */
export function keysOf(services: readonly ServiceModule[]): NetworkModules["keys"] {
  return services.flatMap(({ keys = [] }) => keys);
}

/** @throws UsageError if the program has no such module, or not that version. */
export async function newestVersion(program: Program, name: string, version?: number): Promise<ChainModule> {
  const installed = await importChainModules(program.modules.map(({ chain }) => chain));
  const versions = installed.filter((module) => module.name === name);
  const found =
    version === undefined
      ? versions.toSorted((a, b) => b.version - a.version)[0]
      : versions.find((module) => module.version === version);
  if (found !== undefined) return found;
  const has = versions.map((module) => module.version).join(", ");
  throw new UsageError(
    versions.length === 0
      ? `this program has no module ${name}: see ostrom modules`
      : `this program has module ${name} in version ${has}, not ${version}`,
  );
}

/** `--set MODULE.NAME=VALUE`, by module. @throws UsageError. */
export function readModuleOptions({
  values,
}: Pick<CommandInput, "values">): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const options = new Map<string, Record<string, string>>();
  for (const entry of readList(values["set"])) {
    const match = /^([a-z][a-z-]*)\.([A-Za-z][A-Za-z0-9-]*)=(.*)$/.exec(entry);
    if (match === null) throw new UsageError(`--set: expected MODULE.NAME=VALUE, found "${entry}"`);
    const [, module = "", name = "", value = ""] = match;
    const ofModule = options.get(module) ?? Object.create(null);
    if (name in ofModule) throw new UsageError(`--set: ${module}.${name} is given twice`);
    ofModule[name] = value;
    options.set(module, ofModule);
  }
  return options;
}

/** @throws UsageError. */
export function readOwner({ values }: Pick<CommandInput, "values">): Address | undefined {
  const owner = values["owner"];
  return owner === undefined ? undefined : addressFromHex(readAddress(String(owner), "--owner"));
}
