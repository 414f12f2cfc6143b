import { Address, Hash } from "@ostrom/base";
import type { GenesisModule, GenesisModules } from "./chain-module.ts";
import { type CryptographicSuite, isPostQuantumSuite } from "./genesis-suites.ts";
import type { ValidatorSets } from "./genesis-validator-sets.ts";
import { MAX_MODULE_VERSION, MODULE_NAME_PATTERN } from "./installed-modules.ts";
import {
  duplicate,
  inconsistent,
  type Place,
  readCount,
  readHex,
  readList,
  readObject,
  readText,
} from "./json-reader.ts";
import { SORTITION_MODULE } from "./module-addresses.ts";
import { MAX_MODULES, MAX_SETTINGS_BYTES } from "./module-registry.ts";

/** Reads what genesis says of modules. Which of them this program has is another question (`missingActivations`). */
export function readGenesisModules(place: Place): GenesisModules {
  const { authority, active } = readObject(place, ["authority", "active"]);
  const entries = readList(active);
  if (entries.length > MAX_MODULES)
    throw inconsistent(active, `must name at most ${MAX_MODULES} modules; found ${entries.length}`);
  const seen = new Set<string>();
  return {
    authority: authority.value === null ? undefined : Address(readHex(authority, { min: 20, max: 20 })),
    active: entries.map((entry) => {
      const module = readModule(entry);
      if (seen.has(module.name)) throw duplicate(entry, "a chain begins with one version of a module");
      seen.add(module.name);
      return module;
    }),
  };
}

/** Where a module decides who validates, it must be there. */
export function checkPortHolder(
  places: Readonly<Record<"validatorSets" | "modules", Place>>,
  sets: ValidatorSets,
  modules: GenesisModules,
): void {
  if (sets.kind !== "module" || modules.active.some(({ name }) => name === sets.name)) return;
  throw inconsistent(places.validatorSets, `names the module ${sets.name}, which modules.active lacks`);
}

/** A post-quantum chain's validators must not be drawn by an elliptic curve: whoever breaks it would know each draw beforehand. */
export function checkSortition(
  places: Readonly<Record<"modules", Place>>,
  modules: GenesisModules,
  suite: CryptographicSuite,
): void {
  if (!isPostQuantumSuite(suite)) return;
  if (!modules.active.some(({ name }) => name === SORTITION_MODULE)) return;
  throw inconsistent(
    places.modules,
    `must not name ${SORTITION_MODULE}, which draws validators by ECVRF, where suite.consensus is ${suite.consensus}`,
  );
}

function readModule(place: Place): GenesisModule {
  const fields = readObject(place, ["name", "version", "codeHash", "settings"]);
  return {
    name: readText(fields.name, MODULE_NAME_PATTERN, "1 to 31 lower-case letters and hyphens"),
    version: readCount(fields.version, 1, MAX_MODULE_VERSION),
    codeHash: Hash(readHex(fields.codeHash, { min: 32, max: 32 })),
    settings: readHex(fields.settings, { min: 0, max: MAX_SETTINGS_BYTES }),
  };
}
