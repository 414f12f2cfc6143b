import { type CompiledCode, isCodeOf, readCode } from "./compiled-code.ts";
import type { CompilerInput, CompilerOutput } from "./compiler-json.ts";
import { readCompilation } from "./contract-model.ts";
import type { MessageTrace } from "./message-trace.ts";

/** What is known of contracts' sources, and which of them code on the chain is from. */
export type CodeRegistry = {
  /** @returns false if there is nothing to read in it. What is added later is preferred. */
  readonly add: (compilerVersion: string, input: unknown, output: unknown) => boolean;
  readonly identify: (trace: MessageTrace) => CompiledCode | undefined;
  /** For logs: the contract of deployed code. */
  readonly identifyDeployed: (code: Uint8Array) => CompiledCode | undefined;
  /** For logs: the contract of init code with its arguments. */
  readonly identifyCreation: (code: Uint8Array) => CompiledCode | undefined;
};

export function createCodeRegistry(): CodeRegistry {
  const deployed = new Map<number, CompiledCode[]>();
  /** Longest first: one contract's creation code may begin like another's. */
  const creations: CompiledCode[] = [];
  let found = new WeakMap<Uint8Array, CompiledCode | null>();

  const add = (compilerVersion: string, input: unknown, output: unknown): boolean => {
    const codes = readCodes(compilerVersion, input, output);
    for (const code of codes) {
      if (code.isCreation) creations.unshift(code);
      else deployed.set(code.bytes.length, [code, ...(deployed.get(code.bytes.length) ?? [])]);
    }
    creations.sort((a, b) => b.bytes.length - a.bytes.length);
    found = new WeakMap();
    return codes.length > 0;
  };

  const search = (code: Uint8Array, isCreation: boolean): CompiledCode | undefined => {
    const known = found.get(code);
    if (known !== undefined) return known ?? undefined;
    const candidates = isCreation ? creations : (deployed.get(code.length) ?? []);
    const match = candidates.find((candidate) => isCodeOf(candidate, code));
    found.set(code, match ?? null);
    return match;
  };
  return {
    add,
    identify: ({ code, kind }) => (kind === "precompile" ? undefined : search(code, kind === "create")),
    identifyDeployed: (code) => search(code, false),
    identifyCreation: (code) => search(code, true),
  };
}

function readCodes(compilerVersion: string, input: unknown, output: unknown): CompiledCode[] {
  if (!isRecord(input) || !isRecord(output)) return [];
  const compilation = output as CompilerOutput;
  const { files, contracts } = readCompilation(compilerVersion, input as CompilerInput, compilation);
  const codes: CompiledCode[] = [];
  for (const [key, contract] of contracts) {
    const fileName = key.slice(0, key.length - contract.name.length - 1);
    const evm = compilation.contracts?.[fileName]?.[contract.name]?.evm;
    const both = [
      readCode(contract, evm?.bytecode, files, true),
      readCode(contract, evm?.deployedBytecode, files, false),
    ];
    codes.push(...both.filter((code) => code !== undefined));
  }
  return codes;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
