import type { Abi } from "viem";
import type { AstNode, CompilerInput, CompilerOutput } from "./compiler-json.ts";
import {
  createSourceFile,
  type FunctionKind,
  type SolidityFunction,
  type SourceFile,
  type SourceLocation,
} from "./source-file.ts";

/** What a contract's source says of it. */
export type SolidityContract = {
  readonly name: string;
  readonly isLibrary: boolean;
  readonly location: SourceLocation;
  readonly constructorFunction: SolidityFunction | undefined;
  readonly fallback: SolidityFunction | undefined;
  readonly receive: SolidityFunction | undefined;
  /** Callable functions and getters by selector (hex without 0x), inherited ones included. */
  readonly functions: ReadonlyMap<string, SolidityFunction>;
  readonly abi: Abi;
  readonly compilerVersion: string;
};

export type CompilationModel = {
  /** By the compiler's number of the source. */
  readonly files: ReadonlyMap<number, SourceFile>;
  /** By "file:contract". */
  readonly contracts: ReadonlyMap<string, SolidityContract>;
};

type ContractParts = {
  readonly node: AstNode;
  readonly location: SourceLocation;
  readonly functions: readonly SolidityFunction[];
};

/** Reads the syntax trees of a compilation. What they lack (a compiler before 0.4.12) is left out. */
export function readCompilation(
  compilerVersion: string,
  input: CompilerInput,
  output: CompilerOutput,
): CompilationModel {
  const files = new Map<number, SourceFile>();
  const parts = new Map<number, ContractParts>();
  const named = new Map<string, ContractParts>();
  for (const [name, { id, ast }] of Object.entries(output.sources ?? {})) {
    const content = input.sources?.[name]?.content;
    if (id === undefined || content === undefined) continue;
    files.set(id, createSourceFile(name, content));
    if (ast === undefined) continue;
    const file = files.get(id);
    if (file === undefined) continue;
    for (const node of ast.nodes ?? []) {
      if (node.nodeType === "FunctionDefinition")
        file.functions.push(...functionOf(node, file, "free-function"));
      if (node.nodeType !== "ContractDefinition") continue;
      const part = readContract(node, file);
      if (part === undefined) continue;
      if (node.id !== undefined) parts.set(node.id, part);
      named.set(`${name}:${node.name}`, part);
    }
  }
  const contracts = new Map<string, SolidityContract>();
  for (const [key, part] of named)
    contracts.set(key, assembleContract({ key, part, parts, compilerVersion, output }));
  return { files, contracts };
}

function readContract(node: AstNode, file: SourceFile): ContractParts | undefined {
  const location = locationOf(node, file);
  if (location === undefined) return undefined;
  const functions = (node.nodes ?? []).flatMap((member) => functionOf(member, file, undefined));
  file.functions.push(...functions);
  return { node, location, functions };
}

function functionOf(node: AstNode, file: SourceFile, kind: FunctionKind | undefined): SolidityFunction[] {
  const found = kind ?? functionKind(node);
  const location = locationOf(node, file);
  if (found === undefined || location === undefined) return [];
  return [
    {
      name: node.name ?? "",
      kind: found,
      location,
      isPayable: node.stateMutability === "payable",
      isCallable: node.visibility === "public" || node.visibility === "external",
      ...(node.functionSelector === undefined ? {} : { selector: node.functionSelector }),
    },
  ];
}

function functionKind(node: AstNode): FunctionKind | undefined {
  if (node.nodeType === "ModifierDefinition") return "modifier";
  if (node.nodeType === "VariableDeclaration") return node.visibility === "public" ? "getter" : undefined;
  if (node.nodeType !== "FunctionDefinition") return undefined;
  if (node.kind === "constructor" || node.isConstructor === true) return "constructor";
  if (node.kind === "fallback" || (node.kind === undefined && node.name === "")) return "fallback";
  return node.kind === "receive" ? "receive" : "function";
}

/** `src` is "start:length:file". */
function locationOf(node: AstNode, file: SourceFile): SourceLocation | undefined {
  const [start, length] = (node.src ?? "").split(":").map(Number);
  if (start === undefined || length === undefined || Number.isNaN(start) || Number.isNaN(length))
    return undefined;
  return { file, start, end: start + length };
}

function assembleContract(request: {
  readonly key: string;
  readonly part: ContractParts;
  readonly parts: ReadonlyMap<number, ContractParts>;
  readonly compilerVersion: string;
  readonly output: CompilerOutput;
}): SolidityContract {
  const { key, part, parts, compilerVersion, output } = request;
  const name = part.node.name ?? "";
  const fileName = key.slice(0, key.length - name.length - 1);
  const compiled = output.contracts?.[fileName]?.[name];
  // Most derived first: what it overrides comes later.
  const bases = (part.node.linearizedBaseContracts ?? []).flatMap((id) => parts.get(id) ?? []);
  const inherited = (bases.includes(part) ? bases : [part, ...bases]).flatMap(({ functions }) => functions);
  const functions = new Map<string, SolidityFunction>();
  const selectors = selectorsByName(compiled?.evm?.methodIdentifiers ?? {});
  for (const candidate of inherited) {
    if (!candidate.isCallable || !["function", "getter"].includes(candidate.kind)) continue;
    const known = candidate.selector === undefined ? selectors.get(candidate.name) : [candidate.selector];
    for (const selector of known ?? []) if (!functions.has(selector)) functions.set(selector, candidate);
  }
  const own = part.functions;
  return {
    name,
    isLibrary: part.node.contractKind === "library",
    location: part.location,
    constructorFunction: own.find(
      ({ kind, name: own }) => kind === "constructor" || (own !== "" && own === name),
    ),
    fallback: inherited.find(({ kind }) => kind === "fallback"),
    receive: inherited.find(({ kind }) => kind === "receive"),
    functions,
    abi: compiled?.abi ?? [],
    compilerVersion,
  };
}

/** For compilers before 0.6, whose trees name no selectors: overloads share a name, and one of them is shown for all. */
function selectorsByName(identifiers: Readonly<Record<string, string>>): ReadonlyMap<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const [signature, selector] of Object.entries(identifiers)) {
    const name = signature.slice(0, signature.indexOf("("));
    byName.set(name, [...(byName.get(name) ?? []), selector]);
  }
  return byName;
}
