import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { encodeFunctionData, getContractAddress, type Hex, parseAbi } from "viem";
import { type Command, readFlags, UsageError } from "../command.ts";
import { type DemoNetwork, openDemoNetwork, until } from "../demo-network.ts";
import { proveBalance } from "../demo-proof.ts";
import { DEFAULT_DATA_DIRECTORY } from "../local-network.ts";
import type { Program } from "../program.ts";
import { ask } from "../rpc-client.ts";
import { styled } from "../text-style.ts";
import { call } from "./call.ts";
import { deploy } from "./deploy.ts";
import { send } from "./send.ts";
import { status } from "./status.ts";

const CONTRACT = "languages/rust/erc20/erc20.wasm";
const REPOSITORY = join(import.meta.dirname, "../../..");
const SUPPLY = 1_000_000n;
const GIFT = 250n;
const TOKEN = parseAbi([
  "function transfer(address to, uint256 amount) returns (bool)",
  "function totalSupply() view returns (uint256)",
  "function balanceOf(address account) view returns (uint256)",
]);
/** So many of four may fail, and the others go on. */
const LEAST_VALIDATORS = 4;

type Step = {
  readonly name: string;
  readonly title: string;
  readonly why: readonly string[];
  readonly run: (stage: Stage) => Promise<void>;
};

/** What a step has to show things with. */
type Stage = {
  readonly network: DemoNetwork;
  readonly url: string;
  readonly friend: string;
  readonly say: (line: string) => void;
  /** Runs one of this program's commands, and shows how it is typed. */
  readonly type: (command: Command, args: readonly string[]) => Promise<void>;
};

export const demo: Command = {
  name: "demo",
  summary: "walk through a transfer, a contract, a killed validator and a proof, each explained",
  usage: "[--data-dir DIR] [--yes]",
  flags: [
    {
      name: "data-dir",
      kind: "text",
      placeholder: "DIR",
      help: "a network that ostrom up runs; where none runs, a temporary one is started",
      default: DEFAULT_DATA_DIRECTORY,
    },
    { name: "yes", kind: "switch", help: "go on without waiting for Enter" },
  ],
  examples: ["ostrom demo", "ostrom demo --yes", "ostrom demo --json"],
  run: async ({ values }, program) => {
    const isJson = values["json"] === true;
    const waits =
      !isJson && values["yes"] !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
    if (!isJson) console.log("Looking for a network, or starting four validators...");
    const network = await openDemoNetwork(String(values["dataDir"]), program.main);
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= network.stop());
    const interrupted = (): void => void stop().then(() => process.exit(130));
    process.once("SIGINT", interrupted);
    process.once("SIGTERM", interrupted);
    try {
      return await play(network, program, isJson, waits);
    } finally {
      process.removeListener("SIGINT", interrupted);
      process.removeListener("SIGTERM", interrupted);
      await stop();
    }
  },
};

async function play(
  network: DemoNetwork,
  program: Program,
  isJson: boolean,
  waits: boolean,
): Promise<number> {
  const [, friend] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
  const lines: string[] = [];
  // While a command runs, the console's own is another one.
  const { log } = console;
  const say = (line: string): void => void (isJson ? lines.push(line) : log(line));
  const stage: Stage = {
    network,
    url: network.urls[0]!,
    friend: friend!.address,
    say,
    type: (command, args) => typeCommand(command, args, program, say),
  };
  const where = network.isTemporary
    ? "a temporary network of four validators"
    : `the network in ${network.directory}`;
  if (!isJson) console.log(`This is ${where}, JSON-RPC at ${stage.url}.`);
  for (const [index, step] of STEPS.entries()) {
    if (!isJson) {
      console.log(`\n${styled("strong", `${index + 1} of ${STEPS.length}: ${step.title}`)}`);
      for (const line of step.why) console.log(styled("faint", line));
    }
    if (waits && !(await isToGoOn())) return 0;
    lines.length = 0;
    const startedMs = performance.now();
    await step.run(stage);
    const milliseconds = Math.round(performance.now() - startedMs);
    if (isJson)
      console.log(JSON.stringify({ step: step.name, title: step.title, lines: [...lines], milliseconds }));
  }
  if (!isJson) {
    const next = network.isTemporary ? "ostrom up starts a network that stays" : "the network goes on";
    console.log(`\n${styled("good", "That was all of it")}: ${next}; ostrom help has every command.`);
  }
  return 0;
}

async function isToGoOn(): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await lines.question(styled("accent", "[Enter goes on, q ends] "));
  lines.close();
  return answer.trim().toLowerCase() !== "q";
}

/** Shows a command as a person types it, runs it here, and shows what it prints. @throws UsageError if it fails. */
async function typeCommand(
  command: Command,
  args: readonly string[],
  program: Program,
  say: (line: string) => void,
): Promise<void> {
  const shown = args.map((word) => (/^[\w.,:/=@-]+$/.test(word) ? word : `'${word}'`)).join(" ");
  say(styled("accent", `$ ostrom ${command.name} ${shown}`));
  const { log } = console;
  // What the command prints is a part of the step.
  console.log = (text: unknown) => say(String(text));
  try {
    const exitCode = await command.run(
      readFlags(command, args, () => ({})),
      program,
    );
    if (exitCode !== 0) throw new UsageError(`ostrom ${command.name} failed: the demonstration ends here`);
  } finally {
    console.log = log;
  }
}

const STEPS: readonly Step[] = [
  {
    name: "network",
    title: "four validators that do not trust one another",
    why: [
      "Each is a process with keys and a database of its own. They vote on every block, and a block is final when more",
      "than two thirds have signed it: it can never be undone. That takes a fraction of a second.",
    ],
    run: ({ type, network }) =>
      type(
        status,
        network.urls.flatMap((url) => ["--rpc", url]),
      ),
  },
  {
    name: "transfer",
    title: "a transfer",
    why: [
      "A transaction is signed here by a development account (everybody knows its key) and sent to one validator.",
      "The others hear of it, a leader orders it, all execute it, and all come to the same result.",
    ],
    run: async ({ type, say, url, friend }) => {
      await type(send, ["--to", friend, "--value", "1.5", "--rpc", url]);
      const head = Number(await ask<string>(url, "eth_blockNumber"));
      await until(async () => (await finalizedHeight(url)) >= head);
      say(`It is final: a quorum has signed the state after block ${head}.`);
    },
  },
  {
    name: "contract",
    title: "a contract",
    why: [
      "A token in Rust, compiled to WebAssembly. It has the interface that Solidity gives an ERC-20: wallets, viem and",
      "other contracts cannot tell the difference. (Solidity works as on Ethereum; C and AssemblyScript too.)",
    ],
    run: showContract,
  },
  {
    name: "killed-validator",
    title: "a validator is killed",
    why: [
      "One of four may fail in any way, lie included: the other three are more than two thirds. We end the fourth one's",
      "process as a power cut would, send a transfer to those that are left, and start it again: it catches up.",
    ],
    run: showKill,
  },
  {
    name: "proof",
    title: "a proof",
    why: [
      "A wallet need not believe the node that it asks. With genesis.json alone it checks the validators' signatures and",
      "a Merkle proof itself; a server that lies is found out.",
    ],
    run: async ({ network, url, friend, say }) => {
      for (const line of await proveBalance(url, network.folders[0]!, friend))
        say(`  ${styled("good", "ok")}  ${line}`);
      say(
        styled(
          "faint",
          `As a command: ostrom checkpoint --genesis ${join(network.folders[0]!, "genesis.json")} --rpc ${url}`,
        ),
      );
    },
  },
];

async function showContract({ type, say, url, friend }: Stage): Promise<void> {
  const file = [CONTRACT, join(REPOSITORY, CONTRACT)].find((path) => existsSync(path));
  if (file === undefined)
    throw new UsageError(`${CONTRACT} is not there: run the demonstration from the repository`);
  const [owner] = deriveAccounts(DEVELOPMENT_MNEMONIC, 1);
  const nonce = BigInt(await ask<string>(url, "eth_getTransactionCount", [owner!.address, "pending"]));
  const token = getContractAddress({ from: owner!.address as Hex, nonce });
  await type(deploy, [file, "--constructor", `0x${SUPPLY.toString(16).padStart(64, "0")}`, "--rpc", url]);
  await type(call, [token, "function totalSupply() view returns (uint256)", "--rpc", url]);
  say(`Now ${GIFT} of them go to a friend: a call of transfer(address,uint256).`);
  const data = encodeFunctionData({ abi: TOKEN, functionName: "transfer", args: [friend as Hex, GIFT] });
  await type(send, ["--to", token, "--data", data, "--rpc", url]);
  await type(call, [token, "function balanceOf(address) view returns (uint256)", friend, "--rpc", url]);
}

async function showKill({ network, type, say, url, friend }: Stage): Promise<void> {
  const { urls, folders } = network;
  if (urls.length < LEAST_VALIDATORS) {
    say(`This network has ${urls.length} validators; with fewer than four none may fail: nothing is killed.`);
    return;
  }
  const victim = urls.length - 1;
  await network.kill(victim);
  say(`${folders[victim]} is dead.`);
  await type(send, ["--to", friend, "--value", "1", "--rpc", url]);
  const head = Number(await ask<string>(url, "eth_blockNumber"));
  await until(async () => (await finalizedHeight(url)) >= head);
  say(`Block ${head} is final without it. Now it starts again:`);
  say(styled("accent", `$ ostrom run --data-dir ${folders[victim]}`));
  await network.restart(victim);
  await until(async () => (await finalizedHeight(urls[victim]!)) >= head);
  say("It fetched what it had missed, and votes again:");
  await type(
    status,
    urls.flatMap((each) => ["--rpc", each]),
  );
}

async function finalizedHeight(url: string): Promise<number> {
  const block = await ask<{ readonly number: string }>(url, "eth_getBlockByNumber", ["finalized", false]);
  return Number(block.number);
}
