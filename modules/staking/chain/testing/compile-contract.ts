import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeSource, compileSources } from "../../../../languages/solidity/compile.ts";

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
export type BuiltStaking = {
  /** Hex digits. */
  readonly code: string;
  /** One line an item, as viem's parseAbi reads them. */
  readonly abi: readonly string[];
  readonly layout: StorageLayout;
};

const FOLDER = join(import.meta.dirname, "..");
const SOURCES = ["Staking.sol", "StakingFunds.sol", "StakingKeys.sol", "StakingLayout.sol"];

/** Compiles a contract and what it imports. */
export function compileSolidity(files: readonly string[], contract: string): SolcContract {
  const sources = files.map((name) => [name, { content: readFileSync(join(FOLDER, name), "utf8") }]);
  const built = Object.values(compileSources(Object.fromEntries(sources))).flatMap(Object.entries);
  return built.find(([name]) => name === contract)![1] as SolcContract;
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
export function stakingCodeSource({ code }: BuiltStaking): string {
  return codeSource([{ name: "STAKING_CODE", source: "Staking.sol", code }], "testing/compile-contract.ts");
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
  writeFileSync(join(FOLDER, "staking-code.ts"), stakingCodeSource(built));
  writeFileSync(join(FOLDER, "staking-abi.ts"), abiSource(built));
}
