import { bytesToBigint, fromHex, type Hash, hashFromHex, toHex, unwrap } from "@ostrom/base";
import { ecvrf } from "@ostrom/crypto";
import {
  type CommandInput,
  installNativeCrypto,
  type ModuleCommand,
  type ModuleTerminal,
  UsageError,
} from "@ostrom/runtime";
import { STAKING_ADDRESS } from "@ostrom/staking-chain";
import { decodeFunctionData, type Hex, toEventSelector } from "viem";
import { callOfAct, STAKING_CONTRACT_ABI } from "./act-calls.ts";
import { askValidators, sendAndTell, showCoins, type ToldValidator, table } from "./command-parts.ts";
import { readDutiesJson } from "./duty-method.ts";
import { commitmentOf } from "./next-acts.ts";

type Spread = {
  readonly operators: string;
  readonly nakamotoToStop: string;
  readonly nakamotoToControl: string;
  readonly largestShare: string;
};
type ToldStatus = {
  readonly epoch: string;
  readonly round: string;
  readonly totals: Readonly<Record<"bonded" | "unbonding" | "unclaimed" | "burned", string>>;
};

const status: ModuleCommand = {
  name: "status",
  summary: "who has what at stake, who validates now and next, and how far power is spread",
  usage: "[--account ADDRESS]",
  signs: false,
  flags: [
    {
      name: "account",
      kind: "text",
      placeholder: "ADDRESS",
      help: "what this account has at stake, unbonding and due",
    },
  ],
  examples: [
    "ostrom staking status",
    "ostrom staking status --account 0xYours",
    "ostrom staking status --json",
  ],
  run: async ({ values }, terminal) => {
    const account = values["account"] as string | undefined;
    if (account !== undefined) return tellAccount(account, terminal);
    const told = await terminal.ask<ToldStatus>("staking_getStatus");
    const validators = await askValidators(terminal);
    const spread = await terminal.ask<{ readonly stake: Spread; readonly set: Spread | null }>(
      "staking_getDecentralization",
    );
    if (terminal.json) {
      terminal.print(JSON.stringify({ ...told, validators, decentralization: spread }));
      return 0;
    }
    const { bonded, unbonding, burned } = told.totals;
    terminal.print(
      `Epoch ${Number(told.epoch)}: ${showCoins(bonded)} coins bonded, ${showCoins(unbonding)} unbonding, ${showCoins(burned)} slashed and gone.`,
    );
    for (const line of describeValidators(validators)) terminal.print(line);
    terminal.print(describeSpread("By stake", spread.stake));
    if (spread.set !== null) terminal.print(describeSpread("By weight in the set", spread.set));
    return 0;
  },
};

function describeValidators(validators: readonly ToldValidator[]): readonly string[] {
  const weight = (told: string | null): string => (told === null ? "-" : String(BigInt(told)));
  const rows = validators.map((one) => [
    String(Number(one.staker)),
    one.name,
    one.jailedUntilEpoch === null ? one.state : `jailed to epoch ${Number(one.jailedUntilEpoch)}`,
    showCoins(one.bonded),
    showCoins(one.ownBonded),
    `${Number(one.commission) / 100}%`,
    weight(one.weight),
    weight(one.nextWeight),
    one.hasRevealed ? "yes" : "no",
    one.operator,
  ]);
  const head = ["#", "name", "state", "stake", "own", "commission", "weight", "next", "revealed", "operator"];
  return table([head, ...rows]);
}

function describeSpread(
  what: string,
  { operators, nakamotoToStop, nakamotoToControl, largestShare }: Spread,
): string {
  const share = (Number(largestShare) / 100).toFixed(2);
  return (
    `${what}: ${Number(operators)} operators, the largest has ${share}%; ${Number(nakamotoToStop)} together can stop the chain, ` +
    `${Number(nakamotoToControl)} decide alone.`
  );
}

async function tellAccount(account: string, terminal: ModuleTerminal): Promise<number> {
  const held = await terminal.ask<{
    readonly staker: string | null;
    readonly delegations: readonly Readonly<Record<"staker" | "name" | "amount" | "due", string>>[];
    readonly reportsDue: string;
  }>("staking_getDelegations", [account]);
  const unbonding = await terminal.ask<
    readonly {
      readonly staker: string;
      readonly amount: string;
      readonly payableFromEpoch: string | null;
      readonly isPayable: boolean;
    }[]
  >("staking_getUnbonding", [account]);
  if (terminal.json) {
    terminal.print(JSON.stringify({ ...held, unbonding }));
    return 0;
  }
  for (const { name, amount, due } of held.delegations)
    terminal.print(`${showCoins(amount)} coins behind ${name}, ${showCoins(due)} coins of rewards to claim`);
  for (const { amount, payableFromEpoch, isPayable } of unbonding) {
    const when =
      payableFromEpoch === null
        ? "not before another set is decided"
        : `from epoch ${Number(payableFromEpoch)} on`;
    terminal.print(
      `${showCoins(amount)} coins unbonding: ${isPayable ? "ready, ostrom staking withdraw" : when}`,
    );
  }
  if (BigInt(held.reportsDue) > 0n)
    terminal.print(`${showCoins(held.reportsDue)} coins for reports to claim`);
  if (held.delegations.length + unbonding.length === 0) terminal.print("nothing at stake");
  return 0;
}

const report: ModuleCommand = {
  name: "report",
  summary: "have validators slashed that contradicted themselves, as far as the node has seen it",
  usage: "",
  signs: true,
  flags: [],
  examples: ["ostrom staking report --key-file FILE"],
  run: async (_input, terminal) => {
    const account = await terminal.account();
    const view = readDutiesJson(await terminal.ask("staking_getDuties", [toHex(account)]));
    const byOffence = new Map(view.reportable.map((piece) => [`${piece.staker}/${piece.epoch}`, piece]));
    if (byOffence.size === 0) throw new UsageError("the node knows of nothing to report");
    for (const { staker, epoch, evidence, consensusKey, announcedIn } of byOffence.values()) {
      if (announcedIn === 0) {
        const announce = callOfAct(
          { kind: "announce", commitment: commitmentOf(evidence, account) },
          undefined,
        );
        await sendAndTell(terminal, announce!, "announced, so that nobody else is paid for it");
      }
      const call = callOfAct({ kind: "report", evidence, consensusKey }, undefined);
      await sendAndTell(terminal, call!, `validator ${staker} is slashed for what it did in epoch ${epoch}`);
    }
    return 0;
  },
};

type ToldDraw = {
  readonly round: string;
  readonly forEpoch: string;
  readonly seed: string;
  readonly input: string;
  readonly totalStake: string;
  readonly revealedStake: string;
  readonly validators: readonly {
    readonly staker: string;
    readonly vrfKey: string;
    readonly stake: string;
    readonly output: string | null;
    readonly seats: string | null;
  }[];
};

const REVEALED = toEventSelector(
  "event Revealed(uint256 indexed staker, uint256 indexed round, bytes32 output)",
);

const sortition: ModuleCommand = {
  name: "sortition",
  summary: "the draw that goes on, with every proof fetched and verified here",
  usage: "[--from-block N]",
  signs: false,
  flags: [
    {
      name: "from-block",
      kind: "number",
      help: "look for reveals from this block on (default: the last 10,000 blocks)",
    },
  ],
  examples: ["ostrom staking sortition"],
  run: async (input, terminal) => {
    installNativeCrypto();
    const draw = await terminal.ask<ToldDraw>("staking_getSortition");
    const proofs = await findProofs(input, terminal, Number(draw.round));
    const checked = draw.validators.map((one) => ({
      ...one,
      isProved: isProved(one, proofs, hashFromHex(draw.input)),
    }));
    if (terminal.json) {
      terminal.print(JSON.stringify({ ...draw, validators: checked }));
      return checked.some(({ isProved: proved }) => proved === false) ? 1 : 0;
    }
    const percent = (BigInt(draw.revealedStake) * 100n) / (BigInt(draw.totalStake) || 1n);
    terminal.print(
      `Committee of epoch ${Number(draw.forEpoch)}: ${percent}% of the stake has revealed. Input ${draw.input}`,
    );
    const rows = checked.map(({ staker, stake, output, seats, isProved: proved }) => [
      String(Number(staker)),
      showCoins(stake),
      seats === null ? "-" : String(Number(seats)),
      output ?? "not revealed",
      proved === undefined ? "" : proved ? "proof verified" : "PROOF WRONG OR NOT FOUND",
    ]);
    for (const line of table([["#", "stake", "seats", "output", ""], ...rows])) terminal.print(line);
    return checked.some(({ isProved: proved }) => proved === false) ? 1 : 0;
  },
};

/** Blocks that are searched for reveals. */
const SEARCHED_BLOCKS = 10_000;

/** Proofs of a round by staker, from the transactions that revealed. One that a contract sent is not found. */
async function findProofs(
  { values }: CommandInput,
  terminal: ModuleTerminal,
  round: number,
): Promise<ReadonlyMap<number, string>> {
  const newest = Number(await terminal.ask<string>("eth_blockNumber"));
  const from = (values["fromBlock"] as number | undefined) ?? Math.max(0, newest - SEARCHED_BLOCKS + 1);
  const topic = `0x${round.toString(16).padStart(64, "0")}`;
  const logs = await terminal.ask<
    readonly { readonly transactionHash: string; readonly topics: readonly string[] }[]
  >("eth_getLogs", [
    { address: toHex(STAKING_ADDRESS), topics: [REVEALED, null, topic], fromBlock: `0x${from.toString(16)}` },
  ]);
  const proofs = new Map<number, string>();
  for (const { transactionHash, topics } of logs) {
    const found = await terminal.ask<{ readonly input: Hex } | null>("eth_getTransactionByHash", [
      transactionHash,
    ]);
    const proof = found === null ? undefined : proofIn(found.input);
    if (proof !== undefined) proofs.set(Number(topics[1]), proof);
  }
  return proofs;
}

function proofIn(input: Hex): string | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: STAKING_CONTRACT_ABI, data: input });
    return functionName === "reveal" ? String(args?.[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: nothing was revealed. */
function isProved(
  { staker, vrfKey, output }: ToldDraw["validators"][number],
  proofs: ReadonlyMap<number, string>,
  input: Hash,
): boolean | undefined {
  if (output === null) return undefined;
  const proof = proofs.get(Number(staker));
  if (proof === undefined) return false;
  const verified = ecvrf().verify(unwrap(fromHex(vrfKey)), unwrap(fromHex(proof)), input);
  return verified !== undefined && bytesToBigint(verified) === BigInt(output);
}

/** For everybody. */
export const lookCommands: readonly ModuleCommand[] = [status, sortition, report];
