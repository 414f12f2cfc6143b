import type { CodeRange, CompiledCode } from "./compiler.ts";
import type { SourceMatch } from "./rest-types.ts";

/** Whether compiled code is what stands on the chain. All code is hex digits without 0x. Source: Solidity documentation, "Contract Metadata",
 * "Using the Compiler" (linkReferences, immutableReferences), "Call Protection For Libraries". */

export type CodeMatch = {
  readonly match: SourceMatch;
  /** Addresses that stand in the code where libraries were linked, by their fully qualified names. */
  readonly libraries: Readonly<Record<string, `0x${string}`>>;
};

/** CBOR {"ipfs": 34 bytes, "solc": 3 bytes} as compilers since 0.6 append it, also inside the code of contracts that make others. */
const METADATA = /a2646970667358221220[0-9a-f]{64}64736f6c6343[0-9a-f]{6}0033/g;
/** {"solc": 3 bytes}, {"bzzr1": 32 bytes, "solc": 3 bytes}: without a hash, or of older compilers. */
const OTHER_METADATA =
  /a165627a7a72305820[0-9a-f]{64}0029|a265627a7a72315820[0-9a-f]{64}64736f6c6343[0-9a-f]{6}0032/g;
/** A library's code begins by pushing its own address. */
const LIBRARY_START = `73${"0".repeat(40)}3014`;
const PUSH20_DIGITS = 2;
const ADDRESS_DIGITS = 40;

/** Compares what runs. @param deployed code on the chain. @returns undefined where it is another's. */
export function matchDeployed(compiled: CompiledCode, deployed: string): CodeMatch | undefined {
  const immutables = Object.values(compiled.immutableReferences ?? {}).flat();
  const own = compiled.object.startsWith(LIBRARY_START)
    ? `73${deployed.slice(PUSH20_DIGITS, PUSH20_DIGITS + ADDRESS_DIGITS)}${compiled.object.slice(PUSH20_DIGITS + ADDRESS_DIGITS)}`
    : compiled.object;
  if (own.length !== deployed.length || own === "") return undefined;
  return compare(own, deployed, compiled, immutables);
}

/** Compares what made the contract: the compiled creation code, then the constructor's arguments.
 * @returns undefined where the creation was another's. */
export function constructorArguments(compiled: CompiledCode, creation: string): string | undefined {
  const { length } = compiled.object;
  if (length === 0 || creation.length < length) return undefined;
  const found = compare(compiled.object, creation.slice(0, length), compiled, []);
  return found === undefined ? undefined : creation.slice(length);
}

function compare(
  compiled: string,
  onChain: string,
  { linkReferences }: CompiledCode,
  immutables: readonly CodeRange[],
): CodeMatch | undefined {
  const links = Object.entries(linkReferences).flatMap(([file, names]) =>
    Object.entries(names).flatMap(([name, ranges]) =>
      ranges.map((range) => ({ name: `${file}:${name}`, range })),
    ),
  );
  const filled = fill(compiled, onChain, [...immutables, ...links.map(({ range }) => range)]);
  const libraries: Record<string, `0x${string}`> = {};
  for (const { name, range } of links) {
    const address: `0x${string}` = `0x${digitsOf(onChain, range)}`;
    // One library has one address wherever it is named.
    if ((libraries[name] ?? address) !== address) return undefined;
    libraries[name] = address;
  }
  if (filled === onChain) return { match: hasHash(onChain) ? "full" : "partial", libraries };
  return withoutMetadata(filled) === withoutMetadata(onChain) ? { match: "partial", libraries } : undefined;
}

/** What the compiler could not know is taken from the chain. */
function fill(compiled: string, onChain: string, ranges: readonly CodeRange[]): string {
  return ranges.reduce(
    (code, range) =>
      code.slice(0, 2 * range.start) +
      digitsOf(onChain, range) +
      code.slice(2 * (range.start + range.length)),
    compiled,
  );
}

function digitsOf(code: string, { start, length }: CodeRange): string {
  return code.slice(2 * start, 2 * (start + length));
}

/** Only a hash of the metadata says that names and comments are the same. */
function hasHash(code: string): boolean {
  return code.search(METADATA) !== -1 || code.search(OTHER_METADATA) !== -1;
}

function withoutMetadata(code: string): string {
  const blank = (found: string): string => "0".repeat(found.length);
  return code.replace(METADATA, blank).replace(OTHER_METADATA, blank);
}
