import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, concatBytes } from "@ostrom/base";
import type { ProgramKind } from "@ostrom/vm";
import {
  createContractEngine,
  type EngineCounts,
  type EngineTiers,
  executeInReference,
  type MessageEngine,
  programInitCode,
} from "@ostrom/vm";
import { compileSolidity, contractIn, type SolidityFile } from "./compile-solidity.ts";

/** A language and a machine: each has the same contracts. */
export type ContractKind = {
  readonly name: string;
  /** Init codes. */
  readonly token: (constructorInput: Bytes) => Bytes;
  readonly forwarder: Bytes;
  readonly calculator: Bytes;
};

const languages = join(import.meta.dirname, "..");

const TOKEN_SOURCE = compileSolidity("Erc20.sol");
export const FORWARDER_SOURCE: SolidityFile = compileSolidity("Forwarder.sol");

/** What the others are compared with. */
export const SOLIDITY: ContractKind = {
  name: "Solidity",
  token: (constructorInput) => concatBytes(contractIn(TOKEN_SOURCE, "Erc20").initCode, constructorInput),
  forwarder: contractIn(FORWARDER_SOURCE, "Forwarder").initCode,
  calculator: contractIn(compileSolidity("Calculator.sol"), "Calculator").initCode,
};

export const PROGRAMS: readonly ContractKind[] = [
  programKind("C (WebAssembly)", "webassembly", "c", "wasm"),
  programKind("C (RISC-V)", "riscv", "c", "riscv.elf"),
  programKind("Rust", "webassembly", "rust", "wasm"),
  programKind("AssemblyScript", "webassembly", "assemblyscript", "wasm"),
];

function programKind(name: string, kind: ProgramKind, language: string, extension: string): ContractKind {
  return programsIn(join(languages, language), name, kind, extension);
}

/** The programs of a folder as build.sh fills it. */
export function programsIn(folder: string, name: string, kind: ProgramKind, extension: string): ContractKind {
  const read = (contract: string): Bytes =>
    new Uint8Array(readFileSync(join(folder, contract, `${contract}.${extension}`)));
  const token = read("erc20");
  return {
    name,
    token: (constructorInput) => programInitCode(kind, token, constructorInput),
    forwarder: programInitCode(kind, read("forwarder")),
    calculator: programInitCode(kind, read("calculator")),
  };
}

export const CONTRACT_KINDS: readonly ContractKind[] = [SOLIDITY, ...PROGRAMS];

export type TestedEngine = {
  readonly name: string;
  readonly execute: MessageEngine;
  /** What its tiers did; undefined for the reference. */
  readonly counts: EngineCounts | undefined;
};

export const REFERENCE: TestedEngine = { name: "reference", execute: executeInReference, counts: undefined };

/** Whoever runs contracts: all must give the same. */
export const ENGINES: readonly TestedEngine[] = [REFERENCE, tier("tier 0", "tier0"), tier("tier 1", "tier1")];

function tier(name: string, tiers: EngineTiers): TestedEngine {
  const { execute, counts } = createContractEngine({ tiers });
  return { name, execute, counts };
}
