import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Abi, Hex } from "viem";

const require = createRequire(import.meta.url);

export type CompiledContract = { readonly abi: Abi; readonly bytecode: Hex };

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<
    string,
    Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
  >;
};
type Solc = {
  readonly compile: (
    input: string,
    callbacks: {
      readonly import: (path: string) => { readonly contents: string } | { readonly error: string };
    },
  ) => string;
};

/** Compiles one contract of a Solidity file beside this one with npm's solc; imports come from node_modules.
 * @throws Error with the compiler's own messages. */
export function compileContract(fileName: string, contractName: string): CompiledContract {
  const solc = require("solc") as Solc;
  const input = {
    language: "Solidity",
    sources: { [fileName]: { content: readFileSync(join(import.meta.dirname, fileName), "utf8") } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as SolcOutput;
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  const contract = output.contracts[fileName]?.[contractName];
  if (contract === undefined) throw new Error(`${fileName} has no contract ${contractName}`);
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}

function readImport(path: string): { readonly contents: string } | { readonly error: string } {
  try {
    return { contents: readFileSync(require.resolve(path), "utf8") };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
