import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, hex, must } from "@ostrom/base";
import solc from "solc";
import type { Abi } from "viem";

export type SolidityContract = { readonly abi: Abi; readonly initCode: Bytes };

/** By the names of the contracts. */
export type SolidityFile = ReadonlyMap<string, SolidityContract>;

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<
    string,
    Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
  >;
};

/** Compiles all contracts of a Solidity file beside this one, by their names.
 * Throws Error with the compiler's own messages. */
export function compileSolidity(fileName: string): SolidityFile {
  const input = {
    language: "Solidity",
    sources: { [fileName]: { content: readFileSync(join(import.meta.dirname, fileName), "utf8") } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const errors = (output.errors ?? []).filter((error) => error.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join("\n"));
  return new Map(
    Object.entries(output.contracts[fileName] ?? {}).map(([name, { abi, evm }]) => [
      name,
      { abi, initCode: hex(evm.bytecode.object) },
    ]),
  );
}

export function contractIn(file: SolidityFile, name: string): SolidityContract {
  return must(file.get(name), `the file must have the contract ${name}`);
}
