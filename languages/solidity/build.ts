import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<
    string,
    Record<
      string,
      {
        readonly abi: readonly unknown[];
        readonly evm: { readonly deployedBytecode: { readonly object: string } };
      }
    >
  >;
};

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
const ROOT = join(import.meta.dirname, "../..");
const DIGITS_PER_LINE = 96;

/** The contracts of `validator-sets/`. */
export function buildValidatorSets(): readonly BuiltContract[] {
  return compileFolder(VALIDATOR_SETS.folder);
}

/** The contracts of `modules/`. */
export function buildModuleContracts(): readonly BuiltContract[] {
  return compileFolder(MODULES.folder);
}

/** Compiles the Solidity sources of a folder. Their code has no metadata at its end, so that it depends on the compiler and on what
 * the sources mean alone. Throws Error with the compiler's own messages, warnings included.
 * @param folder from the repository's root, as all others.
 * @param imported folders whose files these import by their bare names. */
export function compileFolder(folder: string, imported: readonly string[] = []): readonly BuiltContract[] {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const own = sourcesOf(folder);
  const input = {
    language: "Solidity",
    sources: Object.assign({}, ...imported.map(sourcesOf), own),
    settings: {
      // The first rule set that a chain can begin with.
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 200 },
      viaIR: true,
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["abi", "evm.deployedBytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const problems = output.errors ?? [];
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  return Object.entries(output.contracts)
    .filter(([file]) => Object.hasOwn(own, file))
    .flatMap(([, contracts]) => Object.entries(contracts))
    .map(([name, { abi, evm }]) => ({ name, abi, code: evm.deployedBytecode.object }))
    .filter(({ code }) => code !== "");
}

function sourcesOf(folder: string): Readonly<Record<string, { readonly content: string }>> {
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
  const constants = contracts.map(({ name, code }) => {
    const constant = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    const lines = code.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, "g")) ?? [];
    const digits = lines.map((line) => `    "${line}",`).join("\n");
    return `/** Runtime code of ${folder}/${name}.sol. */
export const ${constant}_CODE: Bytes = hex(
  [
${digits}
  ].join(""),
);
`;
  });
  return `import { type Bytes, hex } from "@ostrom/base";

// Written by ${writtenBy}; a test compares it with what the sources compile to.

${constants.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  for (const { folder, generated } of [VALIDATOR_SETS, MODULES]) {
    writeFileSync(generated, generatedSource(compileFolder(folder), folder));
  }
}
