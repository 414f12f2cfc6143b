import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeSource, compileSources } from "../../../../languages/solidity/compile.ts";

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

const ROOT = join(import.meta.dirname, "../../../..");
const SOURCES = "modules/membership/chain/contracts";
const LAYOUT = "languages/solidity/validator-sets/ValidatorSetLayout.sol";
const GENERATED = join(import.meta.dirname, "../membership-code.ts");
// Longer than other lines: the file stays within the length that files may have.
const DIGITS_PER_LINE = 128;

/** Compiles contracts/Membership.sol.
 * @param edit changes a source before it is compiled, for tests of what another version would do. */
export function buildMembership(edit: (source: string) => string = (source) => source): BuiltMembership {
  const paths = [...readdirSync(join(ROOT, SOURCES)).map((name) => `${SOURCES}/${name}`), LAYOUT].sort();
  const sources = paths.map((path) => [path, { content: edit(readFileSync(join(ROOT, path), "utf8")) }]);
  const built = compileSources(Object.fromEntries(sources))[`${SOURCES}/Membership.sol`]?.["Membership"];
  if (built === undefined) throw new Error("the sources have no contract Membership");
  const layout = built.storageLayout as BuiltMembership["layout"];
  return { abi: built.abi, code: built.evm.deployedBytecode.object, layout };
}

/** The text of membership-code.ts. */
export function generatedSource({ code }: BuiltMembership): string {
  const constant = { name: "MEMBERSHIP_CODE", source: "contracts/Membership.sol", code };
  return codeSource([constant], "testing/build-contract.ts", DIGITS_PER_LINE);
}

if (process.argv[1] === import.meta.filename) writeFileSync(GENERATED, generatedSource(buildMembership()));
