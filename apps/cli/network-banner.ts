import {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  deriveAccounts,
} from "@ostrom/runtime";
import { DEFAULT_DATA_DIRECTORY, type NetworkFile } from "./local-network.ts";
import { DEFAULT_RPC_URL } from "./rpc-client.ts";
import type { NodeReport } from "./supervisor.ts";
import { showCoins } from "./units.ts";

export type StartedNetwork = {
  /** As the person wrote it, for the commands to try. */
  readonly dataDir: string;
  readonly directory: string;
  readonly chainId: number;
  readonly isNew: boolean;
  readonly file: Pick<NetworkFile, "consensus" | "profile">;
  readonly ready: readonly (Extract<NodeReport, { kind: "ready" }> & { readonly pid: number | undefined })[];
};

/** What is special about a network of this profile. */
const PROFILE_SUGGESTIONS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  alliance: [["membership status", "the organisations, their nodes and what is being voted on"]],
  public: [
    ["staking status", "who has what at stake, and who validates next"],
    ["staking sortition", "the draw that goes on, every proof verified here"],
  ],
};

/** What a program reads when a network has started: one JSON object. */
export function readyEvent({ directory, chainId, isNew, ready }: StartedNetwork): string {
  const nodes = ready.map(({ name, rpc, head, certified, pid }) => ({ name, rpc, head, certified, pid }));
  const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT);
  return JSON.stringify({ event: "ready", chainId, directory, isNew, nodes, accounts });
}

/** What a person reads. */
export function networkBanner({ dataDir, directory, chainId, isNew, file, ready }: StartedNetwork): string {
  const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, DEVELOPMENT_ACCOUNT_COUNT);
  const head = Math.max(...ready.map((report) => report.head));
  const noun = file.consensus === "pow" ? "miner" : "validator";
  const validators = ready.length === 1 ? `1 ${noun}` : `${ready.length} ${noun}s`;
  const nameWidth = Math.max(...ready.map(({ name }) => name.length));
  const rpc = ready[0]?.rpc ?? DEFAULT_RPC_URL;
  const rpcFlag = rpc === DEFAULT_RPC_URL ? "" : ` --rpc ${rpc}`;
  const dataFlag = dataDir === DEFAULT_DATA_DIRECTORY ? "" : ` --data-dir ${dataDir}`;
  const suggestions = [
    [`npx ostrom status${dataFlag}`, "what each validator knows, and whether they agree"],
    [`npx ostrom send${rpcFlag} --to ${accounts[1]!.address} --value 1.5`, ""],
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
    `Ostrom  ${validators}, chain id ${chainId}, ${isNew ? "a new chain" : `resumed at block ${head}`}`,
    "",
    "JSON-RPC, HTTP and WebSocket on the same port:",
    ...ready.map((report) => `  ${report.name.padEnd(nameWidth)}   ${report.rpc}`),
    "",
    `Development accounts, ${showCoins(DEVELOPMENT_BALANCE)} coins each at genesis (everybody knows these keys: never use them for value):`,
    ...accounts.map(({ address, secretKey }, index) => `  (${index}) ${address}  ${secretKey}`),
    `  mnemonic: ${DEVELOPMENT_MNEMONIC}`,
    "",
    `Data: ${directory}  (each validator's folder has its node.log)`,
    "",
    "Try next, in another terminal:",
    ...suggestions.map(([command, what]) => `  ${command.padEnd(width)}${what}`.trimEnd()),
    "",
    "Ctrl-C stops all; the same command resumes, with --fresh a new chain begins.",
    "",
  ].join("\n");
}
