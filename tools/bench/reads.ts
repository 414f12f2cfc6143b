// npm run bench -- reads [--validators 4] [--rate 300] [--seconds 4] [--connections 32]
//
// Single reads a second on one validator of the network of `ostrom up`, whilst the network makes blocks of `--rate` ERC-20 payments a
// second: node/rpc/reads.bench.ts in a process of its own, one method after the other, then once more without payments. One JSON line each.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { encodeFunctionData, parseAbi } from "viem";
import { startOstrom } from "./ostrom-peer.ts";
import { putLoad } from "./put-load.ts";
import { prepareLoad } from "./signed-load.ts";
import { createAccounts } from "./workload.ts";

const CHILD = join(import.meta.dirname, "../../node/rpc/reads.bench.ts");
const SENDERS = 200;
const SENDER_BALANCE = 1_000n * 10n ** 18n;
const BATCH = 20;
const IN_FLIGHT = 4_000;
const WARM_UP_SECONDS = 2;
/** Methods that the child measures, and seconds that it takes to start. */
const METHODS = 5;
const CHILD_START_SECONDS = 4;
const TOKEN_ABI = parseAbi(["function balanceOf(address) view returns (uint256)"]);

type Flags = { readonly rate: number; readonly seconds: number; readonly connections: string };

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      rate: { type: "string", default: "300" },
      seconds: { type: "string", default: "4" },
      connections: { type: "string", default: "32" },
    },
  });
  const flags = {
    rate: Number(values.rate),
    seconds: Number(values.seconds),
    connections: values.connections,
  };
  const validators = Number(values.validators);
  const accounts = createAccounts(SENDERS);
  const loadSeconds = METHODS * flags.seconds + CHILD_START_SECONDS;
  const load = prepareLoad(accounts, {
    kind: "erc20",
    count: flags.rate * (loadSeconds + WARM_UP_SECONDS + 1),
    lanes: validators,
    batch: BATCH,
  });
  const peer = await startOstrom({
    validators,
    suite: "ethereum",
    engine: "mixed",
    balances: new Map(accounts.map(({ address }) => [address, SENDER_BALANCE])),
  });
  try {
    const account = accounts[0]!.address;
    const data = encodeFunctionData({ abi: TOKEN_ABI, functionName: "balanceOf", args: [account] });
    const reading = async (beside: Readonly<Record<string, unknown>>): Promise<void> => {
      const argv = ["--account", account, "--contract", load.setup!.token, "--data", data];
      await read(peer.urls[0]!, argv, flags, beside);
    };
    const putting = putLoad(peer, load, {
      warmUpSeconds: WARM_UP_SECONDS,
      seconds: loadSeconds,
      inFlight: IN_FLIGHT,
      rate: flags.rate,
    });
    const beside = { validators, rate: flags.rate };
    const [measured] = await Promise.all([
      putting,
      afterWarmUp().then(() => reading({ ...beside, isLoaded: true })),
    ]);
    const { window: _, ...figures } = measured;
    console.log(JSON.stringify({ bench: "reads: the payments meanwhile", ...beside, ...figures }));
    await reading({ ...beside, isLoaded: false });
  } finally {
    await peer.stop();
  }
}

async function afterWarmUp(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1_000));
}

/** Prints the child's lines with what ran beside them. */
async function read(
  url: string,
  argv: readonly string[],
  { seconds, connections }: Flags,
  beside: Readonly<Record<string, unknown>>,
): Promise<void> {
  const flags = ["--url", url, "--seconds", String(seconds), "--connections", connections];
  const child = spawn(process.execPath, [CHILD, ...flags, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(JSON.stringify({ ...(JSON.parse(line) as object), ...beside }));
  }
  const [exitCode] = await ended;
  if (exitCode !== 0) throw new Error(`node/rpc/reads.bench.ts ended with ${exitCode}`);
}
