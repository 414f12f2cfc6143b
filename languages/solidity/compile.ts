import { createRequire } from "node:module";

/** Sources by the names that they import each other by. */
export type Sources = Readonly<Record<string, { readonly content: string }>>;

export type CompiledContract = {
  readonly abi: readonly unknown[];
  /** Of the runtime code. */
  readonly evm: { readonly deployedBytecode: { readonly object: string } };
  readonly storageLayout: unknown;
};

type SolcOutput = {
  readonly errors?: readonly { readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>;
};

const DIGITS_PER_LINE = 96;

/** Compiles contracts of the chain itself. Their code has no metadata at its end, so that it depends on the compiler and on what the
 * sources mean alone. Throws Error with the compiler's own messages, warnings included.
 * @returns by source, then by name. */
export function compileSources(sources: Sources): SolcOutput["contracts"] {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources,
    settings: {
      // The first rule set that a chain can begin with.
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 200 },
      viaIR: true,
      metadata: { appendCBOR: false, bytecodeHash: "none" },
      outputSelection: { "*": { "*": ["abi", "evm.deployedBytecode.object", "storageLayout"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const problems = output.errors ?? [];
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  return output.contracts;
}

export type CodeConstant = {
  readonly name: string;
  /** The source that it is the runtime code of, for the reader. */
  readonly source: string;
  /** Hex digits. */
  readonly code: string;
};

/** The text of a file that exports runtime code as constants.
 * @param writtenBy path of the script that writes it. @param digitsPerLine more where the file would be too long otherwise. */
export function codeSource(
  constants: readonly CodeConstant[],
  writtenBy: string,
  digitsPerLine: number = DIGITS_PER_LINE,
): string {
  const written = constants.map(({ name, source, code }) => {
    const lines = code.match(new RegExp(`.{1,${digitsPerLine}}`, "g")) ?? [];
    const digits = lines.map((line) => `    "${line}",`).join("\n");
    return `/** Runtime code of ${source}. */
export const ${name}: Bytes = hex(
  [
${digits}
  ].join(""),
);
`;
  });
  return `import { type Bytes, hex } from "@ostrom/base";

// Written by ${writtenBy}; a test compares it with what the sources compile to.

${written.join("\n")}`;
}
