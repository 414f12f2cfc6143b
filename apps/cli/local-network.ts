import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { must } from "@ostrom/base";
import { signatureSchemeByName } from "@ostrom/crypto";
import { type AccountSchemeName, type SignatureCheck, SUITES, type SuiteName } from "@ostrom/execution";
import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DevelopmentKey,
  deriveAccounts,
  developmentKeys,
  type GenesisPlan,
  installNativeCrypto,
  localPowParameters,
  type NetworkPlan,
  provisionNetwork,
} from "@ostrom/runtime";
import { type DataDirectory, openDataDirectory, StorageError } from "@ostrom/storage";
import { UsageError } from "./command.ts";
import type { ConsensusChoice } from "./consensus-choice.ts";
import { consoleLog, indexFolder } from "./console-choice.ts";
import type { ProfileModules } from "./network-profile.ts";
import type { SuiteChoice } from "./suite-choice.ts";

export const DEFAULT_DATA_DIRECTORY = ".ostrom";
export const DEVELOPMENT_CHAIN_ID = 31_337;
/** Links listen this far above the JSON-RPC ports. */
export const LINK_PORT_OFFSET = 1_000;
/** Metrics are this far above the links. */
export const METRICS_PORT_OFFSET = 100;
export const MAX_LOCAL_VALIDATORS = 32;

const ETHEREUM: SuiteChoice = { name: "ethereum", suite: SUITES.ethereum };
const NETWORK_FILE = "network.json";
const HIGHEST_PORT = 65_535;
const VALIDATOR_FOLDER = /^validator-\d{1,4}$/;
/** In each validator's folder: what only a running node locks, and what stands there last when it is made. */
const DATA_FOLDER = "data";
const LAST_WRITTEN_FILE = "node.json";

/** What `ostrom up` made: kept beside the validators' folders. */
export type NetworkFile = {
  readonly format: 1;
  readonly chainId: number;
  /** How its nodes agree; simplex where it is left out. */
  readonly consensus?: ConsensusChoice["engine"];
  /** dev where it is left out. */
  readonly profile?: LocalProfile | undefined;
  /** As they were chosen, if they were. */
  readonly epochLength?: number | undefined;
  readonly set?: readonly string[] | undefined;
  /** Cryptography; ethereum where it is left out. */
  readonly suite?: SuiteName | undefined;
  /** all where it is left out. */
  readonly signatureCheck?: SignatureCheck | undefined;
  /** Schemes of accounts, the first that of the development accounts; the suite's where it is left out. */
  readonly accounts?: readonly AccountSchemeName[] | undefined;
  readonly nodes: readonly LocalNode[];
};

/** What `ostrom up` makes: presets of genesis. */
export const LOCAL_PROFILES = ["dev", "alliance", "public"] as const;
export type LocalProfile = (typeof LOCAL_PROFILES)[number];

export type LocalNode = {
  readonly name: string;
  readonly folder: string;
  readonly rpcPort: number;
  readonly linkPort: number;
  /** Of metrics and health; left out where they are not served. */
  readonly metricsPort?: number | undefined;
};

export type LocalNetworkPlan = {
  readonly directory: string;
  readonly validators: number;
  readonly port: number;
  readonly linkPort: number;
  /** First of the ports for metrics; 0 or left out: none. */
  readonly metricsPort?: number | undefined;
  readonly chainId: number;
  readonly consensus: ConsensusChoice;
  /** dev unless told. */
  readonly profile?: LocalProfile | undefined;
  /** ethereum unless told. */
  readonly suite?: SuiteChoice | undefined;
  /** Who checks the signatures of batched transactions; all unless told. */
  readonly signatureCheck?: SignatureCheck | undefined;
  /** What accounts may do with their keys; what is not said is the profile's. */
  readonly keys?: NetworkPlan["keys"];
  /** Of a profile with modules. */
  readonly modules?: ProfileModules | undefined;
  readonly epochLength?: number | undefined;
  /** What of the modules' settings was chosen, as it was written. */
  readonly set?: readonly string[] | undefined;
  /** Accounts funded besides the development ones. */
  readonly extraBalances?: ReadonlyMap<string, bigint>;
  readonly fork?: GenesisPlan["fork"];
};

/** The nodes that a network of this plan will have. @throws UsageError where the plan cannot be. */
export function planNodes(plan: LocalNetworkPlan): readonly LocalNode[] {
  const { validators, port, linkPort, metricsPort = 0, chainId } = plan;
  if (validators < 1 || validators > MAX_LOCAL_VALIDATORS) {
    throw new UsageError(
      `--validators: choose 1 to ${MAX_LOCAL_VALIDATORS} for one machine, found ${validators}`,
    );
  }
  if (chainId < 1) throw new UsageError("--chain-id: choose a number above 0");
  const highest = HIGHEST_PORT - validators + 1;
  for (const [flag, first] of [
    ["--port", port],
    ["--link-port", linkPort],
    ...(metricsPort === 0 ? [] : ([["--metrics-port", metricsPort]] as const)),
  ] as const) {
    if (first >= 1 && first <= highest) continue;
    throw new UsageError(
      `${flag}: ${validators} validators need ports from 1 to ${HIGHEST_PORT}, found ${first}; choose 1 to ${highest}`,
    );
  }
  if (Math.abs(port - linkPort) < validators) {
    throw new UsageError(
      `--link-port: ${linkPort} is too near to --port ${port}; leave ${validators} ports between`,
    );
  }
  const isNear = [port, linkPort].some((other) => Math.abs(other - metricsPort) < validators);
  if (metricsPort !== 0 && isNear) {
    throw new UsageError(
      `--metrics-port: ${metricsPort} is too near to --port ${port} or --link-port ${linkPort}; leave ${validators} ports between`,
    );
  }
  return Array.from({ length: validators }, (_, index) => ({
    name: `validator-${index + 1}`,
    folder: `validator-${index + 1}`,
    rpcPort: port + index,
    linkPort: linkPort + index,
    ...(metricsPort === 0 ? {} : { metricsPort: metricsPort + index }),
  }));
}

/** Reads the network of a folder; undefined if there is none, or only the beginning of one that never ran.
 * @throws UsageError if it is damaged. */
export function readLocalNetwork(directory: string): NetworkFile | undefined {
  const path = join(directory, NETWORK_FILE);
  if (!existsSync(path)) return undefined;
  const beginAnew = "or begin a new chain with --fresh (this deletes the old one)";
  const file = parseNetworkFile(readFileSync(path, "utf8"));
  const hasRun = validatorFolders(directory).some((folder) => existsSync(join(folder, DATA_FOLDER)));
  const missing = file?.nodes.find(({ folder }) => !existsSync(join(directory, folder, LAST_WRITTEN_FILE)));
  if (!hasRun && (file === undefined || missing !== undefined)) return undefined;
  if (file === undefined) throw new UsageError(`${path} is damaged: restore it, ${beginAnew}`);
  if (missing !== undefined) {
    const lost = join(directory, missing.folder, LAST_WRITTEN_FILE);
    throw new UsageError(`${lost} is gone: restore it, ${beginAnew}`);
  }
  return file;
}

function parseNetworkFile(text: string): NetworkFile | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { format, chainId, nodes } = (parsed ?? {}) as Partial<Record<keyof NetworkFile, unknown>>;
  const isNetwork =
    format === 1 &&
    Number.isSafeInteger(chainId) &&
    Array.isArray(nodes) &&
    nodes.length > 0 &&
    nodes.every(isNode);
  return isNetwork ? (parsed as NetworkFile) : undefined;
}

function isNode(node: unknown): boolean {
  const { name, folder, rpcPort, linkPort, metricsPort } = (node ?? {}) as Partial<
    Record<keyof LocalNode, unknown>
  >;
  return (
    typeof name === "string" &&
    typeof folder === "string" &&
    VALIDATOR_FOLDER.test(folder) &&
    Number.isSafeInteger(rpcPort) &&
    Number.isSafeInteger(linkPort) &&
    (metricsPort === undefined || Number.isSafeInteger(metricsPort))
  );
}

/** @throws UsageError if the folder holds validators of somebody else's. */
export function refuseForeignValidators(directory: string): void {
  if (!existsSync(directory) || existsSync(join(directory, NETWORK_FILE))) return;
  if (!readdirSync(directory).some((name) => VALIDATOR_FOLDER.test(name))) return;
  throw new UsageError(
    `${directory} holds validators that "ostrom up" did not make: choose another folder with --data-dir, ` +
      "or start them one by one with: ostrom run --data-dir FOLDER",
  );
}

/** Makes a network: keys, genesis, and a folder for each validator. @throws UsageError. */
export function createLocalNetwork(plan: LocalNetworkPlan): NetworkFile {
  const nodes = planNodes(plan);
  const { directory, chainId, profile = "dev", epochLength, set } = plan;
  const { name: suite, suite: chosen } = plan.suite ?? ETHEREUM;
  const { accounts } = chosen;
  refuseForeignValidators(directory);
  installNativeCrypto();
  const derived = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT + plan.validators);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { engine: consensus } = plan.consensus;
  const file: NetworkFile = {
    format: 1,
    chainId,
    consensus,
    profile,
    epochLength,
    set,
    suite,
    accounts,
    signatureCheck: plan.signatureCheck,
    nodes,
  };
  // First: it says that what follows is ours to delete, should this be interrupted.
  writeFileSync(join(directory, NETWORK_FILE), `${JSON.stringify(file, undefined, 2)}\n`);
  const genesis = provisionNetwork({
    ...powPlan(plan),
    chainId,
    profile,
    epochLength,
    suite: chosen,
    keys: plan.keys,
    signatureCheck: plan.signatureCheck,
    fork: plan.fork,
    ...plan.modules,
    timestampMs: Date.now(),
    balances: new Map([
      ...developmentAccounts(accounts).map(({ address }) => [address, DEVELOPMENT_BALANCE] as const),
      ...(plan.extraBalances ?? []),
    ]),
    validators: nodes.map((node, index) => ({
      name: node.name,
      folder: resolve(directory, node.folder),
      feeRecipient: derived[accountOf(index, profile)]!.address,
      weight: 1,
      link: { host: "127.0.0.1", port: node.linkPort },
      rpc: { host: "127.0.0.1", port: node.rpcPort },
      ...(node.metricsPort === undefined ? {} : { metrics: { host: "127.0.0.1", port: node.metricsPort } }),
    })),
    entropy: (length) => new Uint8Array(randomBytes(length)),
  });
  if (!genesis.ok) throw new UsageError(genesis.error.message);
  return file;
}

/** The accounts that a local network funds: of the scheme that its suite names first, and, where it admits them, those that Ethereum's tools
 * have at hand. */
export function developmentAccounts(schemes: readonly AccountSchemeName[]): readonly DevelopmentKey[] {
  const funded = schemes.filter((name, index) => index === 0 || name === "secp256k1");
  return funded.flatMap((name) =>
    developmentKeys(
      must(signatureSchemeByName(name), "a suite names known schemes").id,
      DEVELOPMENT_ACCOUNT_COUNT,
    ),
  );
}

/** Index of the account of a validator. Fees go to the accounts after the funded ones, so that what those earn is only what was sent to
 * them; where modules let the validators' accounts act, those are development accounts, whose keys everybody has at hand. */
function accountOf(validator: number, profile: LocalProfile): number {
  const isAtHand = profile !== "dev" && validator < DEVELOPMENT_ACCOUNT_COUNT;
  return isAtHand ? validator : DEVELOPMENT_ACCOUNT_COUNT + validator;
}

/** Of a mined network: its parameters, and how much of the machine each node may take. */
function powPlan({ consensus }: LocalNetworkPlan): Pick<NetworkPlan, "pow" | "mining"> {
  if (consensus.engine !== "pow") return {};
  const { pow, maxHashesPerSecond } = localPowParameters(consensus.hash);
  return { pow, mining: { maxHashesPerSecond } };
}

/** Refuses to go on while a node of the network runs: two processes over the same data would vote twice.
 * @throws UsageError naming the process. */
export async function refuseRunningNetwork(directory: string): Promise<void> {
  const held = await lockDataFolders(directory);
  for (const folder of held) await folder.release();
}

/** Deletes a network that `ostrom up` made, and nothing else that lies in the folder.
 * @throws UsageError if one of its nodes runs. */
export async function removeLocalNetwork(directory: string): Promise<void> {
  if (!existsSync(join(directory, NETWORK_FILE))) return;
  const held = await lockDataFolders(directory);
  for (const folder of [...validatorFolders(directory), indexFolder(directory)])
    rmSync(folder, { recursive: true, force: true });
  rmSync(join(directory, NETWORK_FILE), { force: true });
  rmSync(consoleLog(directory), { force: true });
  for (const folder of held) await folder.release();
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}

async function lockDataFolders(directory: string): Promise<readonly DataDirectory[]> {
  const held: DataDirectory[] = [];
  for (const folder of validatorFolders(directory)) {
    try {
      held.push(await openDataDirectory(join(folder, DATA_FOLDER), { create: false }));
    } catch (error) {
      // Damage is the node's to report, with what to do; here only a running one counts.
      if (!(error instanceof StorageError) || error.code !== "storage/locked") continue;
      for (const taken of held) await taken.release();
      const holder = /process \d+/.exec(error.message)?.[0] ?? "another process";
      throw new UsageError(
        `the network in ${directory} is running already (${folder} is in use by ${holder}): ` +
          "stop it there with Ctrl-C, or start another one with --data-dir DIR",
      );
    }
  }
  return held;
}

function validatorFolders(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => VALIDATOR_FOLDER.test(name))
    .map((name) => join(directory, name));
}
