import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export type SlotOfVariable = { readonly label: string; readonly slot: string; readonly offset: number };

export type BuiltMembership = {
  readonly abi: readonly unknown[];
  /** Hex digits of the runtime code. */
  readonly code: string;
  readonly layout: {
    readonly storage: readonly SlotOfVariable[];
    readonly types: Readonly<Record<string, { readonly members?: readonly SlotOfVariable[] }>>;
  };
};

type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Record<
    string,
    Record<
      string,
      {
        readonly abi: readonly unknown[];
        readonly evm: { readonly deployedBytecode: { readonly object: string } };
        readonly storageLayout: BuiltMembership["layout"];
      }
    >
  >;
};

const ROOT = join(import.meta.dirname, "../../../..");
const SOURCES = "modules/membership/chain/contracts";
const LAYOUT = "languages/solidity/validator-sets/ValidatorSetLayout.sol";
const GENERATED = join(import.meta.dirname, "../membership-code.ts");
// Longer than other lines: the file stays within the length that files may have.
const DIGITS_PER_LINE = 128;

/** Compiles contracts/Membership.sol as languages/solidity/build.ts compiles: no metadata, so that the code depends on the compiler and on
 * what the sources mean alone. Throws Error with the compiler's own messages, warnings included.
 * @param edit changes a source before it is compiled, for tests of what another version would do. */
export function buildMembership(edit: (source: string) => string = (source) => source): BuiltMembership {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const paths = [...readdirSync(join(ROOT, SOURCES)).map((name) => `${SOURCES}/${name}`), LAYOUT].sort();
  const sources = paths.map((path) => [path, { content: edit(readFileSync(join(ROOT, path), "utf8")) }]);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources),
    settings: {
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
  const built = output.contracts[`${SOURCES}/Membership.sol`]?.["Membership"];
  if (built === undefined) throw new Error("the sources have no contract Membership");
  return { abi: built.abi, code: built.evm.deployedBytecode.object, layout: built.storageLayout };
}

/** The text of membership-code.ts. */
export function generatedSource({ code }: BuiltMembership): string {
  const lines = code.match(new RegExp(`.{1,${DIGITS_PER_LINE}}`, "g")) ?? [];
  return `import { type Bytes, hex } from "@ostrom/base";

// Written by testing/build-contract.ts; a test compares it with what the sources compile to.

/** Runtime code of contracts/Membership.sol. */
export const MEMBERSHIP_CODE: Bytes = hex(
  [
${lines.map((line) => `    "${line}",`).join("\n")}
  ].join(""),
);
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(GENERATED, generatedSource(buildMembership()));
