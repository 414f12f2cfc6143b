import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeSource, compileSources, type Sources } from "./compile.ts";

export type BuiltContract = {
  readonly name: string;
  readonly abi: readonly unknown[];
  readonly code: string;
};

/** A folder of sources and the file that their code is generated into. */
type Target = { readonly folder: string; readonly generated: string };

const EXECUTION = join(import.meta.dirname, "../../core/execution");
const VALIDATOR_SETS: Target = {
  folder: "languages/solidity/validator-sets",
  generated: join(EXECUTION, "validator-set-code.ts"),
};
const MODULES: Target = {
  folder: "languages/solidity/modules",
  generated: join(EXECUTION, "module-registry-code.ts"),
};
const KEYS: Target = {
  folder: "languages/solidity/keys",
  generated: join(EXECUTION, "key-sets-code.ts"),
};
const CHECKPOINTS: Target = {
  folder: "languages/solidity/checkpoints",
  generated: join(EXECUTION, "checkpoint-keys-code.ts"),
};
const ROOT = join(import.meta.dirname, "../..");

/** The contracts of `validator-sets/`. */
export function buildValidatorSets(): readonly BuiltContract[] {
  return compileFolder(VALIDATOR_SETS.folder);
}

/** The contracts of `modules/`. */
export function buildModuleContracts(): readonly BuiltContract[] {
  return compileFolder(MODULES.folder);
}

/** The contracts of `keys/`. */
export function buildKeyContracts(): readonly BuiltContract[] {
  return compileFolder(KEYS.folder);
}

/** The contract of `checkpoints/`. */
export function buildCheckpointContracts(): readonly BuiltContract[] {
  return compileFolder(CHECKPOINTS.folder);
}

/** Compiles the Solidity sources of a folder.
 * @param folder from the repository's root, as all others.
 * @param imported folders whose files these import by their bare names. */
export function compileFolder(folder: string, imported: readonly string[] = []): readonly BuiltContract[] {
  const own = sourcesOf(folder);
  return Object.entries(compileSources(Object.assign({}, ...imported.map(sourcesOf), own)))
    .filter(([file]) => Object.hasOwn(own, file))
    .flatMap(([, contracts]) => Object.entries(contracts))
    .map(([name, { abi, evm }]) => ({ name, abi, code: evm.deployedBytecode.object }))
    .filter(({ code }) => code !== "");
}

function sourcesOf(folder: string): Sources {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".sol"));
  return Object.fromEntries(
    names.sort().map((name) => [name, { content: readFileSync(join(ROOT, folder, name), "utf8") }]),
  );
}

/** The text of a file that exports the contracts' runtime code as `NAME_CODE`.
 * @param writtenBy path of the script that writes it. */
export function generatedSource(
  contracts: readonly BuiltContract[],
  folder: string,
  writtenBy = "languages/solidity/build.ts",
): string {
  const constants = contracts.map(({ name, code }) => ({
    name: `${name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()}_CODE`,
    source: `${folder}/${name}.sol`,
    code,
  }));
  return codeSource(constants, writtenBy);
}

if (process.argv[1] === import.meta.filename) {
  for (const { folder, generated } of [VALIDATOR_SETS, MODULES, KEYS, CHECKPOINTS]) {
    writeFileSync(generated, generatedSource(compileFolder(folder), folder));
  }
}
