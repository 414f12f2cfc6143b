import type { Abi } from "viem";

/** What is read of the standard JSON that Solidity's compiler takes. Source: solc, "Using the Compiler". */
export type CompilerInput = {
  readonly sources?: Readonly<Record<string, { readonly content?: string }>>;
  readonly settings?: { readonly viaIR?: boolean };
};

/** What is read of its answer. */
export type CompilerOutput = {
  readonly sources?: Readonly<Record<string, { readonly id?: number; readonly ast?: AstNode }>>;
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, ContractOutput>>>>;
};

export type ContractOutput = {
  readonly abi?: Abi;
  readonly evm?: {
    readonly bytecode?: CodeOutput;
    readonly deployedBytecode?: CodeOutput;
    readonly methodIdentifiers?: Readonly<Record<string, string>>;
  };
};

export type CodeOutput = {
  /** Hex, with placeholders where libraries are linked. */
  readonly object?: string;
  readonly sourceMap?: string;
  readonly linkReferences?: Readonly<Record<string, Readonly<Record<string, readonly CodeRange[]>>>>;
  readonly immutableReferences?: Readonly<Record<string, readonly CodeRange[]>>;
};

/** In bytes. */
export type CodeRange = { readonly start: number; readonly length: number };

/** A node of the compact syntax tree, as far as it is read. */
export type AstNode = {
  readonly id?: number;
  readonly nodeType?: string;
  readonly src?: string;
  readonly name?: string;
  readonly nodes?: readonly AstNode[];
  readonly kind?: string;
  readonly contractKind?: string;
  readonly visibility?: string;
  readonly stateMutability?: string;
  readonly functionSelector?: string;
  readonly linearizedBaseContracts?: readonly number[];
  readonly isConstructor?: boolean;
};
