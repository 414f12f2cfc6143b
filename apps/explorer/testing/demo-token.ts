import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Abi, Hex } from "viem";

const require = createRequire(import.meta.url);
const DEMO = join(import.meta.dirname, "../../../examples/demo");
const FILE = "Token.sol";

/** A contract with all that is needed to verify its source. */
export type CompiledDemo = {
  readonly abi: Abi;
  readonly bytecode: Hex;
  /** solc's standard JSON input, with every source in it. */
  readonly input: string;
  readonly qualifiedName: string;
};

type Import = { readonly contents: string } | { readonly error: string };
type Solc = {
  readonly compile: (input: string, callbacks?: { readonly import: (path: string) => Import }) => string;
};
type Output = {
  readonly contracts: Record<
    string,
    Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
  >;
};

/** Compiles the demo's ERC-20 (OpenZeppelin's) with npm's solc, as a developer's tools do. */
export function compileDemoToken(): CompiledDemo {
  const solc = require("solc") as Solc;
  const sources = new Map([[FILE, readFileSync(join(DEMO, FILE), "utf8")]]);
  const inputOf = (): string =>
    JSON.stringify({
      language: "Solidity",
      sources: Object.fromEntries([...sources].map(([path, content]) => [path, { content }])),
      settings: {
        optimizer: { enabled: true, runs: 200 },
        outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
      },
    });
  const take = (path: string): Import => {
    const contents = readFileSync(require.resolve(path), "utf8");
    sources.set(path, contents);
    return { contents };
  };
  // The first run finds the imports; with them the input is whole.
  solc.compile(inputOf(), { import: take });
  const input = inputOf();
  const { contracts } = JSON.parse(solc.compile(input)) as Output;
  const { abi, evm } = contracts[FILE]!["Token"]!;
  return { abi, bytecode: `0x${evm.bytecode.object}`, input, qualifiedName: `${FILE}:Token` };
}
