import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Abi, encodeDeployData, encodeFunctionData, type Hex } from "viem";
import type { CodeOutput } from "../compiler-json.ts";
import type { FailureCase } from "./failure-cases.ts";

export type CompilerSettings = { readonly optimizes: boolean; readonly viaIR: boolean };

export type CompiledFailures = {
  readonly version: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly contracts: Readonly<
    Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: CodeOutput } }>
  >;
};

const solc = createRequire(import.meta.url)("solc") as {
  readonly compile: (input: string) => string;
  readonly version: () => string;
};

const FILE = "contracts/Failures.sol";

export const COMPILER_SETTINGS: readonly CompilerSettings[] = [
  { optimizes: false, viaIR: false },
  { optimizes: true, viaIR: false },
  { optimizes: false, viaIR: true },
  { optimizes: true, viaIR: true },
];

export function nameOfSettings({ optimizes, viaIR }: CompilerSettings): string {
  return `${optimizes ? "optimized" : "plain"}${viaIR ? ", via IR" : ""}`;
}

export function compileFailures({ optimizes, viaIR }: CompilerSettings): CompiledFailures {
  const content = readFileSync(join(import.meta.dirname, "Failures.sol"), "utf8");
  const selected = ["abi", "evm.bytecode", "evm.deployedBytecode", "evm.methodIdentifiers"];
  const input = {
    language: "Solidity",
    sources: { [FILE]: { content } },
    settings: {
      optimizer: { enabled: optimizes, runs: 200 },
      viaIR,
      outputSelection: { "*": { "*": selected, "": ["ast"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    readonly contracts: Readonly<Record<string, CompiledFailures["contracts"]>>;
  };
  return { version: solc.version(), input, output, contracts: output.contracts[FILE] ?? {} };
}

/** Init code of Printer.sol, with the console library of npm's hardhat. */
export function compilePrinter(): Hex {
  const file = "contracts/Printer.sol";
  const library = createRequire(import.meta.url).resolve("hardhat/console.sol");
  const input = {
    language: "Solidity",
    sources: {
      [file]: { content: readFileSync(join(import.meta.dirname, "Printer.sol"), "utf8") },
      "hardhat/console.sol": { content: readFileSync(library, "utf8") },
    },
    settings: { outputSelection: { [file]: { Printer: ["evm.bytecode.object"] } } },
  };
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input))) as {
    readonly contracts: Readonly<Record<string, CompiledFailures["contracts"]>>;
  };
  return `0x${contracts[file]?.["Printer"]?.evm.bytecode.object ?? ""}`;
}

/** What must be deployed before the cases run, in order, with the arguments of the constructor. */
export const DEPLOYED: readonly (readonly [string, readonly unknown[]])[] = [
  ["Arithmetic", []],
  ["Silent", []],
  ["Callee", []],
  ["Failures", [1n]],
  ["PublicLibraryUser", []],
  ["WithFallback", []],
  ["WithReceive", []],
  ["Proxy", ["@Failures"]],
];

/** Call data or init code of a case.
 * @param addresses of deployed contracts, which stand for "@Name" and are linked as libraries. */
export function caseData(
  { contracts }: CompiledFailures,
  { contract, call, data, isCreation, arguments: values = [] }: Omit<FailureCase, "name">,
  addresses: ReadonlyMap<string, Hex>,
): Hex {
  const compiled = contracts[contract];
  if (compiled === undefined) throw new Error(`no contract ${contract}`);
  const { abi } = compiled;
  const args = values.map((value) =>
    typeof value === "string" && value.startsWith("@") ? addresses.get(value.slice(1)) : value,
  );
  if (call !== undefined) return encodeFunctionData({ abi, functionName: call, args });
  if (isCreation !== true) return data ?? "0x";
  const library = addresses.get("Arithmetic")?.slice(2) ?? "";
  const bytecode: Hex = `0x${(compiled.evm.bytecode.object ?? "").replace(/__.{36}__/g, library)}`;
  return values.length === 0 ? bytecode : encodeDeployData({ abi, bytecode, args });
}
