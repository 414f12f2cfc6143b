import {
  ACCOUNT_SCHEMES,
  type AccountSchemeName,
  type CryptographicSuite,
  isPostQuantumSuite,
  parseSuite,
  SUITE_NAMES,
  SUITES,
  type SuiteName,
} from "@ostrom/execution";
import { readChoice } from "./choice.ts";
import { type CommandInput, type Flag, UsageError } from "./command.ts";
import { ask } from "./rpc-client.ts";

export type SuiteChoice = { readonly name: SuiteName; readonly suite: CryptographicSuite };

/** What makes the keys of a machine: genesis must choose the same. */
export const SUITE_FLAG: Flag = {
  name: "suite",
  kind: "text",
  placeholder: "NAME",
  help: `cryptography of the chain: ${SUITE_NAMES.join(", ")} (docs/suites.md)`,
  default: "ethereum",
  choices: SUITE_NAMES,
};

/** The flags of commands that make networks. */
export const SUITE_FLAGS: readonly Flag[] = [
  SUITE_FLAG,
  {
    name: "accounts",
    kind: "text",
    placeholder: "NAMES",
    help: "signature schemes that accounts may use, with commas between; all others are refused",
  },
  { name: "sm-only", kind: "switch", help: "with --suite sm: accounts sign by SM2 alone" },
];

/** @throws UsageError */
export function readSuiteName({ values }: Pick<CommandInput, "values">): SuiteName {
  return readChoice("--suite", values["suite"], SUITE_NAMES);
}

/** @throws UsageError */
export function readSuite(input: CommandInput): SuiteChoice {
  const { values } = input;
  const name = readSuiteName(input);
  const accounts = values["accounts"] as string | undefined;
  const isSmOnly = values["smOnly"] === true;
  if (isSmOnly && name !== "sm") throw new UsageError("--sm-only: belongs to --suite sm");
  if (isSmOnly && accounts !== undefined) throw new UsageError("choose one: --sm-only or --accounts");
  if (isSmOnly) return { name, suite: { ...SUITES.sm, accounts: ["sm2"] } };
  if (accounts === undefined) return { name, suite: SUITES[name] };
  return { name, suite: { ...SUITES[name], accounts: readAccounts(accounts) } };
}

/** Refuses profiles with modules that the suite cannot have. @throws UsageError */
export function refuseModulesOf({ suite }: SuiteChoice, profile: string): void {
  if (!suite.accounts.includes("secp256k1")) {
    throw new UsageError(
      `--profile ${profile}: services of modules sign their transactions by secp256k1, which this chain's accounts leave out; ` +
        "let --accounts name it",
    );
  }
  const problem = profile === "public" ? refuseStake(suite) : undefined;
  if (problem !== undefined)
    throw new UsageError(`--profile public: ${problem}; choose --profile alliance, or another --suite`);
}

/** Why stake cannot decide who validates on a chain of this suite; undefined if it can. */
export function refuseStake(suite: CryptographicSuite): string | undefined {
  if (isPostQuantumSuite(suite))
    return "stake draws its validators by ECVRF, an elliptic curve, which a post-quantum chain refuses";
  if (suite.consensus === "bls12-381") return undefined;
  return `stakers vote by bls12-381, and the validators of this suite by ${suite.consensus}`;
}

/** The suite of the chain that a node serves; undefined where it does not say (a mined chain). @throws UsageError */
export async function askSuite(rpc: string): Promise<CryptographicSuite | undefined> {
  const answer = await ask<{ readonly parameters: string } | null>(rpc, "ostrom_getGenesis");
  if (answer === null) return undefined;
  const suite = parseSuite((JSON.parse(answer.parameters) as { readonly suite?: unknown }).suite);
  if (!suite.ok) throw new UsageError(`${rpc}: ${suite.error.message}`);
  return suite.value;
}

function readAccounts(text: string): readonly AccountSchemeName[] {
  const names = text.split(",").map((name) => {
    const known = ACCOUNT_SCHEMES.find((one) => one === name.trim());
    if (known === undefined)
      throw new UsageError(`--accounts: expected names of ${ACCOUNT_SCHEMES.join(", ")}, found "${name}"`);
    return known;
  });
  if (new Set(names).size !== names.length) throw new UsageError("--accounts: a scheme is given twice");
  return names;
}
