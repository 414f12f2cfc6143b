import { SUITES } from "@ostrom/execution";
import { DEVELOPMENT_BALANCE, DEVELOPMENT_MNEMONIC, type DevelopmentKey } from "@ostrom/runtime";
import { consoleUrl } from "./console-choice.ts";
import { DEFAULT_DATA_DIRECTORY, developmentAccounts, type NetworkFile } from "./local-network.ts";
import { DEFAULT_RPC_URL } from "./rpc-client.ts";
import type { NodeReport } from "./supervisor.ts";
import { styled } from "./text-style.ts";
import { showCoins } from "./units.ts";

export type StartedNetwork = {
  /** As the person wrote it, for the commands to try. */
  readonly dataDir: string;
  readonly directory: string;
  readonly chainId: number;
  readonly isNew: boolean;
  readonly file: Pick<NetworkFile, "consensus" | "profile" | "suite" | "accounts">;
  /** Of the explorer; undefined: there is none. */
  readonly consolePort?: number | undefined;
  readonly ready: readonly (Extract<NodeReport, { kind: "ready" }> & { readonly pid: number | undefined })[];
};

const ETHEREUM_SCHEME = "secp256k1";
const KEY_VARIABLE = "OSTROM_PRIVATE_KEY";

/** What is special about a network of this profile. */
const PROFILE_SUGGESTIONS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  alliance: [["membership status", "the organisations, their nodes and what is being voted on"]],
  public: [
    ["staking status", "who has what at stake, and who validates next"],
    ["staking sortition", "the draw that goes on, every proof verified here"],
  ],
};

/** What a program reads when a network has started: one JSON object. */
export function readyEvent(network: StartedNetwork): string {
  const { directory, chainId, isNew, file, ready, consolePort } = network;
  const explorer = consolePort === undefined ? undefined : consoleUrl(consolePort);
  const nodes = ready.map(({ name, rpc, metrics, head, certified, pid }) => {
    return { name, rpc, metrics, head, certified, pid };
  });
  const { suite = "ethereum" } = file;
  const keys = keysOf(file);
  // What Ethereum's tools can sign with.
  const accounts = keys
    .filter(({ scheme }) => scheme === ETHEREUM_SCHEME)
    .map(({ address, secretKey }) => ({ address, secretKey }));
  return JSON.stringify({
    event: "ready",
    chainId,
    directory,
    isNew,
    suite,
    explorer,
    nodes,
    accounts,
    keys,
  });
}

function keysOf({
  suite = "ethereum",
  accounts = SUITES[suite].accounts,
}: StartedNetwork["file"]): readonly DevelopmentKey[] {
  return developmentAccounts(accounts);
}

/** Accounts of each scheme that the network funds, with what OSTROM_PRIVATE_KEY or a key file holds to sign for them. */
function accountLines(keys: readonly DevelopmentKey[]): readonly string[] {
  const ofEthereum = keys.filter(({ scheme }) => scheme === ETHEREUM_SCHEME);
  const others = keys.filter(({ scheme }) => scheme !== ETHEREUM_SCHEME);
  return [
    ...others.map(
      ({ scheme, address, secretKey }, index) => `  (${index}) ${address}  ${scheme}:${secretKey}`,
    ),
    ...(others.length === 0
      ? []
      : [`  sign with them: ${KEY_VARIABLE}=${others[0]!.scheme}:0x... npx ostrom send ...`]),
    ...ofEthereum.map(({ address, secretKey }, index) => `  (${index}) ${address}  ${secretKey}`),
    ...(ofEthereum.length === 0 ? [] : [`  mnemonic: ${DEVELOPMENT_MNEMONIC}`]),
  ];
}

/** Where Prometheus and whoever asks after a node's health look. */
function metricsLines(ready: StartedNetwork["ready"], nameWidth: number): readonly string[] {
  const served = ready.filter(({ metrics }) => metrics !== undefined);
  if (served.length === 0) return [];
  const lines = served.map(({ name, metrics }) => `  ${name.padEnd(nameWidth)}   ${metrics}/metrics`);
  return ["", styled("strong", "Metrics (Prometheus); health at /health and /ready there:"), ...lines];
}

/** What a person reads. */
export function networkBanner(network: StartedNetwork): string {
  const { dataDir, directory, chainId, isNew, file, ready, consolePort } = network;
  const accounts = keysOf(file);
  const head = Math.max(...ready.map((report) => report.head));
  const noun = file.consensus === "pow" ? "miner" : "validator";
  const validators = ready.length === 1 ? `1 ${noun}` : `${ready.length} ${noun}s`;
  const suiteText = file.suite === undefined || file.suite === "ethereum" ? "" : ` of suite ${file.suite}`;
  const nameWidth = Math.max(...ready.map(({ name }) => name.length));
  const rpc = ready[0]?.rpc ?? DEFAULT_RPC_URL;
  const rpcFlag = rpc === DEFAULT_RPC_URL ? "" : ` --rpc ${rpc}`;
  const dataFlag = dataDir === DEFAULT_DATA_DIRECTORY ? "" : ` --data-dir ${dataDir}`;
  // Without a key, commands sign by the first account of Ethereum's kind.
  const [own] = accounts;
  const isEthereum = accounts.some(({ scheme }) => scheme === ETHEREUM_SCHEME);
  const signing = isEthereum ? "" : `${KEY_VARIABLE}=${own!.scheme}:${own!.secretKey} `;
  const suggestions = [
    [`npx ostrom status${dataFlag}`, "what each validator knows, and whether they agree"],
    [`${signing}npx ostrom send${rpcFlag} --to ${accounts[1]!.address} --value 1.5`, ""],
    ...(noun === "miner"
      ? []
      : [
          [
            `npx ostrom demo${dataFlag}`,
            "a transfer, a contract, a killed validator, a proof: explained",
          ] as const,
        ]),
    [
      `npm run demo${rpcFlag === "" ? "" : ` --${rpcFlag}`}`,
      "deploy a token and use it, with viem and with ethers",
    ],
    ...(PROFILE_SUGGESTIONS[file.profile ?? "dev"] ?? []).map(
      ([command, what]) => [`npx ostrom ${command}${rpcFlag}`, what] as const,
    ),
  ] as const;
  const width = Math.max(...suggestions.map(([command, what]) => (what === "" ? 0 : command.length))) + 3;
  return [
    "",
    `${styled("strong", "Ostrom")}  ${validators}${suiteText}, chain id ${chainId}, ${isNew ? "a new chain" : `resumed at block ${head}`}`,
    "",
    ...(consolePort === undefined
      ? []
      : [`${styled("strong", "Explorer:")} ${styled("accent", consoleUrl(consolePort))}`, ""]),
    styled("strong", "JSON-RPC, HTTP and WebSocket on the same port:"),
    ...ready.map((report) => `  ${report.name.padEnd(nameWidth)}   ${styled("accent", report.rpc)}`),
    ...metricsLines(ready, nameWidth),
    "",
    `${styled("strong", "Development accounts")}, ${showCoins(DEVELOPMENT_BALANCE)} coins each at genesis (${styled("warning", "everybody knows these keys: never use them for value")}):`,
    ...accountLines(accounts),
    "",
    `${styled("strong", "Data:")} ${directory}  (each validator's folder has its node.log)`,
    "",
    styled("strong", "Try next, in another terminal:"),
    ...suggestions.map(([command, what]) => `  ${command.padEnd(width)}${what}`.trimEnd()),
    "",
    "Ctrl-C stops all; the same command resumes, with --fresh a new chain begins.",
    "",
  ].join("\n");
}
