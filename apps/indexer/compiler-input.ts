import { RestProblem } from "./problem.ts";
import type { VerificationRequest } from "./rest-types.ts";

/** Standard JSON input of a verification: what was sent, without what a stranger may not ask the compiler for. */
export type CompilerInput = {
  readonly language: "Solidity" | "Yul";
  readonly sources: Readonly<Record<string, { readonly content: string }>>;
  readonly settings: Readonly<Record<string, unknown>>;
};

export const MAX_INPUT_BYTES: number = 8 * 1024 * 1024;
const MAX_SOURCES = 2_000;
const OUTPUTS: readonly string[] = [
  "abi",
  "metadata",
  "storageLayout",
  "evm.bytecode.object",
  "evm.bytecode.linkReferences",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.linkReferences",
  "evm.deployedBytecode.immutableReferences",
];
/** Settings that change the code; the others (model checker, debugging, output) are not passed on. */
const SETTINGS: readonly string[] = [
  "optimizer",
  "evmVersion",
  "remappings",
  "libraries",
  "metadata",
  "viaIR",
  "debug",
  "stopAfter",
  "eofVersion",
];

/** Reads what is to be compiled. @throws RestProblem naming what is wrong. */
export function readCompilerInput(request: VerificationRequest): CompilerInput {
  if (request.input !== undefined) return readStandardInput(request.input);
  if (request.metadata === undefined)
    throw wrong("input: expected standard JSON input, or metadata with sources");
  return readMetadata(request.metadata, request.sources ?? {});
}

/** The text that the compiler is given. @throws RestProblem `too-large`. */
export function compilerInputText(input: CompilerInput): string {
  const text = JSON.stringify({
    ...input,
    settings: { ...input.settings, outputSelection: { "*": { "*": OUTPUTS } } },
  });
  if (text.length <= MAX_INPUT_BYTES) return text;
  throw new RestProblem(413, "too-large", `sources have at most ${MAX_INPUT_BYTES} bytes`);
}

function readStandardInput(value: unknown): CompilerInput {
  const { language = "Solidity", sources, settings = {} } = record(value, "input");
  if (language !== "Solidity" && language !== "Yul")
    throw wrong('input.language: expected "Solidity" or "Yul"');
  const given = Object.entries(record(sources, "input.sources"));
  if (given.length === 0 || given.length > MAX_SOURCES)
    throw wrong(`input.sources: expected 1 to ${MAX_SOURCES} sources`);
  return {
    language,
    sources: Object.fromEntries(given.map(([path, source]) => [path, readSource(path, source)])),
    settings: onlyKnown(record(settings, "input.settings")),
  };
}

/** The compiler would ask for what a URL names; here it could not. */
function readSource(path: string, value: unknown): { readonly content: string } {
  const { content } = record(value, `input.sources["${path}"]`);
  if (typeof content !== "string")
    throw wrong(`input.sources["${path}"].content: expected the source's text`);
  return { content };
}

/** Source: Solidity documentation, "Contract Metadata". */
function readMetadata(value: unknown, given: Readonly<Record<string, unknown>>): CompilerInput {
  const metadata = typeof value === "string" ? parse(value) : value;
  const { language, sources, settings } = record(metadata, "metadata");
  const { compilationTarget: _, libraries, ...rest } = record(settings, "metadata.settings");
  const needed = Object.entries(record(sources, "metadata.sources"));
  const all = needed.map(([path, source]) => {
    const content = given[path] ?? record(source, `metadata.sources["${path}"]`)["content"];
    if (typeof content !== "string") throw wrong(`sources: "${path}" is missing, which the metadata names`);
    return [path, { content }] as const;
  });
  return readStandardInput({
    language,
    sources: Object.fromEntries(all),
    settings: { ...rest, libraries: librariesByFile(record(libraries ?? {}, "metadata.settings.libraries")) },
  });
}

/** Metadata has "file:Name" for keys; standard JSON input a level for each. */
function librariesByFile(flat: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const byFile: Record<string, Record<string, unknown>> = {};
  for (const [key, address] of Object.entries(flat)) {
    const colon = key.lastIndexOf(":");
    const file = key.slice(0, Math.max(0, colon));
    byFile[file] = { ...byFile[file], [key.slice(colon + 1)]: address };
  }
  return byFile;
}

/** The target of metadata: "file:Name"; undefined for standard JSON input, which has none. */
export function targetOfMetadata(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const metadata = typeof value === "string" ? parse(value) : value;
  const { compilationTarget } = record(record(metadata, "metadata")["settings"], "metadata.settings");
  const [target] = Object.entries(record(compilationTarget ?? {}, "metadata.settings.compilationTarget"));
  return target === undefined ? undefined : `${target[0]}:${String(target[1])}`;
}

function onlyKnown(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => SETTINGS.includes(name)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong("metadata: expected JSON");
  }
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw wrong(`${where}: expected an object`);
}

function wrong(detail: string): RestProblem {
  return new RestProblem(400, "bad-request", detail);
}
