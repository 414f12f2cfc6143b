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

const SOURCES = join(import.meta.dirname, "validator-sets");
const GENERATED = join(import.meta.dirname, "../../core/execution/validator-set-code.ts");
const DIGITS_PER_LINE = 96;

/** Compiles the contracts of `validator-sets/`. Their code has no metadata at its end, so that it depends on the compiler and on what
 * the sources mean alone. Throws Error with the compiler's own messages, warnings included. */
export function buildValidatorSets(): readonly BuiltContract[] {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const names = readdirSync(SOURCES).sort();
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(
      names.map((name) => [name, { content: readFileSync(join(SOURCES, name), "utf8") }]),
    ),
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
  return Object.values(output.contracts)
    .flatMap((contracts) => Object.entries(contracts))
    .map(([name, { abi, evm }]) => ({ name, abi, code: evm.deployedBytecode.object }))
    .filter(({ code }) => code !== "");
}

/** The text of core/execution/validator-set-code.ts. */
export function generatedSource(contracts: readonly BuiltContract[]): string {
  const constants = contracts.map(({ name, code }) => {
    const constant = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    const lines = code.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, "g")) ?? [];
    const digits = lines.map((line) => `    "${line}",`).join("\n");
    return `/** Runtime code of languages/solidity/validator-sets/${name}.sol. */
export const ${constant}_CODE: Bytes = hex(
  [
${digits}
  ].join(""),
);
`;
  });
  return `import { type Bytes, hex } from "@ostrom/base";

// Written by languages/solidity/build.ts; a test compares it with what the sources compile to.

${constants.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(GENERATED, generatedSource(buildValidatorSets()));
