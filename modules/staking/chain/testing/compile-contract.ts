import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

type AbiParameter = {
  readonly name: string;
  readonly type: string;
  readonly indexed?: boolean;
  readonly components?: readonly AbiParameter[];
};

type AbiItem = {
  readonly type: "function" | "event" | "error";
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly outputs?: readonly AbiParameter[];
  readonly stateMutability?: string;
};

type StorageType = {
  readonly numberOfBytes: string;
  readonly members?: readonly StorageVariable[];
  readonly base?: string;
};
export type StorageVariable = {
  readonly label: string;
  readonly offset: number;
  readonly slot: string;
  readonly type: string;
};
export type StorageLayout = {
  readonly storage: readonly StorageVariable[];
  readonly types: Readonly<Record<string, StorageType>>;
};

type SolcContract = {
  readonly abi: readonly AbiItem[];
  readonly evm: { readonly deployedBytecode: { readonly object: string } };
  readonly storageLayout: StorageLayout;
};
type SolcOutput = {
  readonly errors?: readonly { readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, SolcContract>>>>;
};

export type BuiltStaking = {
  /** Hex digits. */
  readonly code: string;
  /** One line an item, as viem's parseAbi reads them. */
  readonly abi: readonly string[];
  readonly layout: StorageLayout;
};

const FOLDER = join(import.meta.dirname, "..");
const SOURCES = ["Staking.sol", "StakingFunds.sol", "StakingKeys.sol", "StakingLayout.sol"];
const DIGITS_PER_LINE = 96;

/** Compiles a contract and what it imports. Its code has no metadata at its end, so that it depends on the compiler and on what the
 * sources mean alone. Throws Error with the compiler's own messages, warnings included. */
export function compileSolidity(files: readonly string[], contract: string): SolcContract {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const sources = files.map((name) => [name, { content: readFileSync(join(FOLDER, name), "utf8") }]);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources),
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
  const built = Object.values(output.contracts).flatMap((contracts) => Object.entries(contracts));
  return built.find(([name]) => name === contract)![1];
}

export function buildStaking(): BuiltStaking {
  const { abi, evm, storageLayout } = compileSolidity(SOURCES, "Staking");
  return { code: evm.deployedBytecode.object, abi: abi.map(describe).sort(), layout: storageLayout };
}

function describe({ type, name, inputs, outputs = [], stateMutability = "" }: AbiItem): string {
  const head = `${type} ${name}(${parameters(inputs)})`;
  if (type !== "function") return head;
  const mutability = stateMutability === "nonpayable" ? "" : ` ${stateMutability}`;
  return `${head}${mutability}${outputs.length === 0 ? "" : ` returns (${parameters(outputs)})`}`;
}

function parameters(list: readonly AbiParameter[]): string {
  return list
    .map(({ name, type, indexed, components }) => {
      const written = components === undefined ? type : type.replace("tuple", `(${parameters(components)})`);
      return `${written}${indexed === true ? " indexed" : ""}${name === "" ? "" : ` ${name}`}`;
    })
    .join(", ");
}

/** The text of staking-code.ts. */
export function codeSource({ code }: BuiltStaking): string {
  const lines = code.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, "g")) ?? [];
  return `import { type Bytes, hex } from "@ostrom/base";

// Written by testing/compile-contract.ts; a test compares it with what the sources compile to.

/** Runtime code of Staking.sol. */
export const STAKING_CODE: Bytes = hex(
  [
${lines.map((line) => `    "${line}",`).join("\n")}
  ].join(""),
);
`;
}

/** The text of staking-abi.ts. */
export function abiSource({ abi }: BuiltStaking): string {
  return `// Written by testing/compile-contract.ts; a test compares it with what the sources compile to.

/** Functions, events and errors of Staking.sol, as viem's parseAbi reads them. */
export const STAKING_ABI = [
${abi.map((line) => `  "${line}",`).join("\n")}
] as const;
`;
}

if (process.argv[1] === import.meta.filename) {
  const built = buildStaking();
  writeFileSync(join(FOLDER, "staking-code.ts"), codeSource(built));
  writeFileSync(join(FOLDER, "staking-abi.ts"), abiSource(built));
}
