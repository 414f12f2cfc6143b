import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  deriveAccounts,
  developmentAddresses,
  type GenesisPlan,
  installNativeCrypto,
  isDevelopmentMnemonic,
  provisionNetwork,
  sharedPowParameters,
  type ValidatorPlan,
} from "@ostrom/runtime";
import { FORKS, type Fork } from "@ostrom/vm";
import { readChoice } from "../choice.ts";
import { type Command, type CommandInput, readList, UsageError } from "../command.ts";
import { CONSENSUS_FLAGS, type ConsensusChoice, readConsensusChoice } from "../consensus-choice.ts";
import { GENESIS_KEYS_FLAGS, readGenesisKeys } from "../genesis-keys-choice.ts";
import { joinNetwork } from "../joined-network.ts";
import { developmentAccounts } from "../local-network.ts";
import { describeServiceAccounts, MODULE_FLAGS, planModules, readOwner } from "../network-profile.ts";
import { readSignatureCheck, SIGNATURE_CHECK_FLAG } from "../signature-check-choice.ts";
import { readSuite, refuseModulesOf, SUITE_FLAGS, type SuiteChoice } from "../suite-choice.ts";
import { readAddress, readAmount, readHost, showCoins } from "../units.ts";
import { readEpochLength, readValidatorSets, VALIDATOR_SET_FLAGS } from "../validator-set-choice.ts";

const PROFILE_NAMES = ["alliance", "public", "cbdc"] as const;
const MAX_CHAIN_VALIDATORS = 1_024;
/** What the first account of a mnemonic gets. */
const MNEMONIC_FUNDS = 1_000_000n * 10n ** 18n;
const LOOPBACK = "127.0.0.1";
const ANY_ADDRESS = "0.0.0.0";

export const init: Command = {
  name: "init",
  summary: "create the genesis and the keys of a network, ready to copy to its machines",
  usage: "--chain-id N --fund ADDRESS=AMOUNT [flags]",
  flags: [
    {
      name: "out",
      kind: "text",
      placeholder: "DIR",
      help: "where the folders go, one for each validator",
      default: "network",
    },
    { name: "validators", kind: "number", help: "how many", default: 4 },
    { name: "chain-id", kind: "number", help: "the chain's number; choose one that nobody else uses" },
    {
      name: "profile",
      kind: "text",
      placeholder: "NAME",
      help: "alliance (organisations decide by vote), public (stake decides), cbdc",
      default: "alliance",
      choices: PROFILE_NAMES,
    },
    {
      name: "join",
      kind: "list",
      placeholder: "FILE",
      help: "a machine's description of itself (ostrom keys create); repeat: makes genesis.json of all",
    },
    {
      name: "timestamp-ms",
      kind: "number",
      help: "when the chain begins (default now): the same for all who make the genesis for themselves",
    },
    {
      name: "host",
      kind: "list",
      placeholder: "HOST[:PORT]",
      help: "where validator 1, 2, ... is reached by the others; repeat",
    },
    {
      name: "fork",
      kind: "text",
      placeholder: "NAME",
      help: `Ethereum's rule set at genesis: ${FORKS.join(", ")} (default the newest)`,
      choices: FORKS,
    },
    { name: "fund", kind: "list", placeholder: "ADDRESS=AMOUNT", help: "coins at genesis; repeat" },
    {
      name: "fund-mnemonic",
      kind: "text",
      placeholder: "FILE",
      help: "file with a mnemonic whose first account gets 1,000,000 coins",
    },
    {
      name: "fee-recipient",
      kind: "list",
      placeholder: "ADDRESS",
      help: "accounts of validators 1, 2, ...: get fees and rewards, change keys; repeat",
    },
    ...CONSENSUS_FLAGS,
    ...SUITE_FLAGS,
    SIGNATURE_CHECK_FLAG,
    ...GENESIS_KEYS_FLAGS,
    ...VALIDATOR_SET_FLAGS,
    ...MODULE_FLAGS,
  ],
  examples: [
    "ostrom init --chain-id 2026 --fund 0xYourAddress=1000000",
    "ostrom init --chain-id 2026 --validators 1 --host node1.example:30310 --fund-mnemonic words.txt",
    "ostrom init --chain-id 2026 --validator-sets managed --owner 0xYourAddress --fund 0xYourAddress=1000000",
    "# then copy network/validator-1 to machine 1, and there: ostrom run --data-dir validator-1",
    "ostrom init --chain-id 2026 --suite sm --sm-only --fund 0xYourAddress=1000000",
    "ostrom init --chain-id 2026 --profile alliance --join a.json --join b.json --join c.json --join d.json",
    "# then copy network/genesis.json into the folder that each machine made with ostrom keys create",
  ],
  run: async (input, program) => {
    const { values, given } = input;
    const consensus = readConsensusChoice(input);
    const descriptions = readList(values["join"]);
    if (descriptions.length > 0) refuseWithJoin(input);
    const count = descriptions.length > 0 ? descriptions.length : (values["validators"] as number);
    if (count < 1 || count > MAX_CHAIN_VALIDATORS)
      throw new UsageError(`--validators: choose 1 to ${MAX_CHAIN_VALIDATORS}, found ${count}`);
    const chainId = values["chainId"] as number | undefined;
    if (chainId === undefined || chainId < 1)
      throw new UsageError("choose a chain id: --chain-id N (any number above 0)");
    const profile = readChoice("--profile", values["profile"], PROFILE_NAMES);
    const out = resolve(String(values["out"]));
    const suite = readSuite(input);
    const known = publicAddresses(suite);
    const balances = readFunds(readList(values["fund"]), values["fundMnemonic"], known);
    const hasModules = given.has("profile") && profile !== "cbdc" && !given.has("validatorSets");
    if (hasModules && consensus.engine === "pow")
      throw new UsageError(`--profile ${profile}: where blocks are mined (--consensus pow) nobody votes`);
    if (hasModules) refuseModulesOf(suite, profile);
    if (!hasModules && given.has("set"))
      throw new UsageError("--set: only --profile alliance and public have modules");
    const choice = hasModules
      ? {
          epochLength: readEpochLength(values["epochLength"]),
          ...(await planModules(profile, program, input, readOwner(input))),
        }
      : readValidatorSets(input, consensus, count);
    const plan: GenesisPlan = {
      chainId,
      profile,
      timestampMs: (values["timestampMs"] as number | undefined) ?? Date.now(),
      balances,
      suite: suite.suite,
      signatureCheck: readSignatureCheck(input),
      ...keysOf(input),
      fork: readFork(values["fork"]),
      ...choice,
      pow: consensus.engine === "pow" ? sharedPowParameters(consensus.hash) : undefined,
    };
    installNativeCrypto();
    if (descriptions.length > 0) return joinNetwork(plan, descriptions, out, values["json"] === true);
    const recipients = readList(values["feeRecipient"]);
    if (hasModules && new Set(recipients).size < count) {
      throw new UsageError(
        `--fee-recipient: with --profile ${profile} each of the ${count} validators needs an account of its own, which acts for it`,
      );
    }
    const validators = planValidators(out, count, readList(values["host"]), recipients, known);
    mkdirSync(out, { recursive: true, mode: 0o700 });
    const genesis = provisionNetwork({
      ...plan,
      validators,
      entropy: (length) => new Uint8Array(randomBytes(length)),
    });
    if (!genesis.ok) throw new UsageError(genesis.error.message);
    const made = { out, validators, balances, chainId, consensus, modules: plan.modules };
    report(made, values["json"] === true);
    return 0;
  },
};

function readFork(name: unknown): Fork | undefined {
  if (name === undefined) return undefined;
  const fork = FORKS.find((known) => known === name);
  if (fork === undefined) throw new UsageError(`--fork: expected one of ${FORKS.join(", ")}`);
  return fork;
}

/** What each machine has said of itself is not said again. */
function refuseWithJoin({ given }: CommandInput): void {
  for (const [key, flag] of [
    ["validators", "validators"],
    ["host", "host"],
    ["feeRecipient", "fee-recipient"],
  ] as const) {
    if (given.has(key)) throw new UsageError(`--${flag}: the descriptions given with --join say it`);
  }
}

/** Without hosts, all are on this machine and have ports of their own. */
function planValidators(
  out: string,
  count: number,
  hosts: readonly string[],
  feeRecipients: readonly string[],
  known: ReadonlySet<string>,
): readonly ValidatorPlan[] {
  if (hosts.length !== 0 && hosts.length !== count) {
    throw new UsageError(`--host: name one for each of the ${count} validators, found ${hosts.length}`);
  }
  if (feeRecipients.length > count) {
    throw new UsageError(`--fee-recipient: there are ${count} validators, found ${feeRecipients.length}`);
  }
  return Array.from({ length: count }, (_, index) => {
    const name = `validator-${index + 1}`;
    const host = hosts[index];
    const link =
      host === undefined ? { host: LOOPBACK, port: DEFAULT_LINK_PORT + index } : readHost(host, "--host");
    return {
      name,
      folder: join(out, name),
      feeRecipient: readFeeRecipient(feeRecipients[index], known),
      weight: 1,
      link,
      // A machine need not have the address by which others reach it.
      listenHost: isLoopback(link.host) ? link.host : ANY_ADDRESS,
      rpc: { host: LOOPBACK, port: DEFAULT_RPC_PORT + (host === undefined ? index : 0) },
    };
  });
}

type MadeNetwork = {
  readonly out: string;
  readonly validators: readonly ValidatorPlan[];
  readonly balances: ReadonlyMap<string, bigint>;
  readonly chainId: number;
  readonly consensus: ConsensusChoice;
  readonly modules: GenesisPlan["modules"];
};

function report(
  { out, validators, balances, chainId, consensus, modules }: MadeNetwork,
  json: boolean,
): void {
  if (json) {
    const shown = validators.map(({ name, folder, link }) => ({ name, folder, link }));
    console.log(JSON.stringify({ out, chainId, validators: shown, funded: [...balances.keys()] }));
    return;
  }
  const width = Math.max(...validators.map(({ name }) => name.length));
  const lines = [
    `Created chain ${chainId} in ${out}:`,
    ...validators.map(
      ({ name, link }) => `  ${name.padEnd(width)}  reached by the others at ${showHost(link)}`,
    ),
    "",
    balances.size === 0
      ? "No account is funded: without coins nobody can send a transaction (--fund ADDRESS=AMOUNT)."
      : "Funded at genesis:",
    ...[...balances].map(([address, amount]) => `  ${address}  ${showCoins(amount)} coins`),
    ...describeServiceAccounts(modules),
    "",
    "Each folder holds that validator's own secret keys: copy it to its machine, nowhere else. Then there:",
    `  ostrom run --data-dir ${validators[0]!.name}`,
    "",
    consensus.engine === "pow"
      ? `The chain goes on while one of them mines (${consensus.hash}); node.json says how hard: "mining".`
      : `The chain goes on while ${Math.floor((2 * validators.length) / 3) + 1} of ${validators.length} run.`,
  ];
  console.log(lines.join("\n"));
}

function showHost({ host, port }: ValidatorPlan["link"]): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function readFeeRecipient(text: string | undefined, known: ReadonlySet<string>): string {
  // Nobody's address: fees are burnt until the operator names one.
  if (text === undefined) return `0x${"0".repeat(40)}`;
  const address = readAddress(text, "--fee-recipient");
  refuseDevelopmentAccount(address, known);
  return address;
}

/** Accounts of which everybody knows the keys, in lower case. */
function publicAddresses({ suite }: SuiteChoice): ReadonlySet<string> {
  const others = developmentAccounts(suite.accounts).map(({ address }) => address);
  return new Set([...developmentAddresses(), ...others].map((address) => address.toLowerCase()));
}

function refuseDevelopmentAccount(address: string, known: ReadonlySet<string>): void {
  if (!known.has(address.toLowerCase())) return;
  throw new UsageError(
    `${address} belongs to the public development mnemonic: anybody could spend its coins; use an account of your own`,
  );
}

function readFunds(
  entries: readonly string[],
  mnemonicFile: unknown,
  known: ReadonlySet<string>,
): ReadonlyMap<string, bigint> {
  const funds = new Map<string, bigint>();
  const add = (given: string | undefined, amount: bigint): void => {
    const address = readAddress(given, "--fund");
    refuseDevelopmentAccount(address, known);
    if (funds.has(address)) throw new UsageError(`--fund: ${address} is given twice; add the amounts up`);
    funds.set(address, amount);
  };
  for (const entry of entries) {
    const [address, amount] = entry.split("=");
    add(address, readAmount(amount ?? "", `--fund ${address}`));
  }
  if (typeof mnemonicFile === "string") add(firstAccountOf(mnemonicFile), MNEMONIC_FUNDS);
  return funds;
}

function firstAccountOf(path: string): string {
  const mnemonic = readFileSync(path, "utf8").trim().toLowerCase().split(/\s+/).join(" ");
  if (isDevelopmentMnemonic(mnemonic)) {
    throw new UsageError(
      `${path} holds the public development mnemonic: anybody could spend its coins; make one of your own`,
    );
  }
  try {
    return deriveAccounts(mnemonic, 1)[0]!.address;
  } catch {
    throw new UsageError(`${path} holds no mnemonic of BIP-39 (12 to 24 English words)`);
  }
}

/** Only if something was said: rules before Prague have no keys of accounts. */
function keysOf(input: CommandInput): Pick<GenesisPlan, "keys"> {
  const keys = readGenesisKeys(input);
  return Object.keys(keys).length === 0 ? {} : { keys };
}
