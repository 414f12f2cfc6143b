import { toHex } from "@ostrom/base";
import { type ModuleCommand, UsageError } from "@ostrom/runtime";
import { stakingCall } from "./act-calls.ts";
import { findValidator, readAmount, requiredText, sendAndTell, showCoins } from "./command-parts.ts";

const AMOUNT_FLAG = { name: "amount", kind: "text", placeholder: "COINS", help: "how much" } as const;

const delegate: ModuleCommand = {
  name: "delegate",
  summary: "put coins behind a validator: you share what it earns, and what it loses",
  usage: "VALIDATOR --amount COINS",
  maxPositionals: 1,
  signs: true,
  flags: [AMOUNT_FLAG],
  examples: ["ostrom staking delegate bank-a-1 --amount 100 --key-file FILE"],
  run: async (input, terminal) => {
    const amount = readAmount(requiredText(input, "amount", "amount COINS", "how much"), "amount");
    const { staker, name } = await findValidator(terminal, input.positionals[0]);
    const call = stakingCall("delegate", [BigInt(staker)], amount);
    return sendAndTell(terminal, call, `${showCoins(amount)} coins are behind ${name}`);
  },
};

type ToldDelegations = {
  readonly delegations: readonly {
    readonly staker: string;
    readonly name: string;
    readonly amount: string;
    readonly due: string;
  }[];
  readonly reportsDue: string;
};

const undelegate: ModuleCommand = {
  name: "undelegate",
  summary:
    "begin to take coins away from a validator; they can be lost to its faults until they are paid out",
  usage: "VALIDATOR [--amount COINS]",
  maxPositionals: 1,
  signs: true,
  flags: [{ ...AMOUNT_FLAG, help: "how much (default: all)" }],
  examples: ["ostrom staking undelegate bank-a-1 --key-file FILE"],
  run: async ({ values, positionals }, terminal) => {
    const { staker, name } = await findValidator(terminal, positionals[0]);
    const account = toHex(await terminal.account());
    const { delegations } = await terminal.ask<ToldDelegations>("staking_getDelegations", [account]);
    const held = BigInt(delegations.find((one) => one.staker === staker)?.amount ?? "0x0");
    if (held === 0n) throw new UsageError(`${account} has nothing behind ${name}`);
    const amount = values["amount"] === undefined ? held : readAmount(String(values["amount"]), "amount");
    if (amount > held)
      throw new UsageError(`${account} has ${showCoins(held)} coins behind ${name}, not more`);
    const call = stakingCall("undelegate", [BigInt(staker), amount]);
    return sendAndTell(terminal, call, `${showCoins(amount)} coins are on their way out`);
  },
};

type ToldUnbonding = {
  readonly amount: string;
  readonly payableFromEpoch: string | null;
  readonly isPayable: boolean;
};

const withdraw: ModuleCommand = {
  name: "withdraw",
  summary: "take out what has unbonded",
  usage: "",
  signs: true,
  flags: [],
  examples: ["ostrom staking withdraw --key-file FILE"],
  run: async (_input, terminal) => {
    const account = toHex(await terminal.account());
    const queue = await terminal.ask<readonly ToldUnbonding[]>("staking_getUnbonding", [account]);
    const sum = queue.reduce(
      (total, { amount, isPayable }) => (isPayable ? total + BigInt(amount) : total),
      0n,
    );
    if (sum === 0n)
      throw new UsageError(
        `${account} can take nothing out now. See: ostrom staking status --account ${account}`,
      );
    return sendAndTell(terminal, stakingCall("withdraw"), `${showCoins(sum)} coins are yours again`);
  },
};

const claim: ModuleCommand = {
  name: "claim",
  summary: "take rewards: from one validator, or from all, and what reports earned",
  usage: "[VALIDATOR]",
  maxPositionals: 1,
  signs: true,
  flags: [],
  examples: ["ostrom staking claim --key-file FILE"],
  run: async ({ positionals }, terminal) => {
    const account = toHex(await terminal.account());
    const chosen = positionals[0] === undefined ? undefined : await findValidator(terminal, positionals[0]);
    const told = await terminal.ask<ToldDelegations>("staking_getDelegations", [account]);
    const due = told.delegations.filter(
      ({ staker, due: reward }) => BigInt(reward) > 0n && (chosen === undefined || chosen.staker === staker),
    );
    const reports = chosen === undefined ? BigInt(told.reportsDue) : 0n;
    if (due.length === 0 && reports === 0n) throw new UsageError(`${account} has no rewards to take`);
    for (const { staker, name, due: reward } of due)
      await sendAndTell(
        terminal,
        stakingCall("claim", [BigInt(staker)]),
        `${showCoins(reward)} coins from ${name} are yours`,
      );
    if (reports > 0n)
      await sendAndTell(
        terminal,
        stakingCall("claimReports"),
        `${showCoins(reports)} coins for reports are yours`,
      );
    return 0;
  },
};

/** Of those who put coins behind validators. */
export const holderCommands: readonly ModuleCommand[] = [delegate, undelegate, withdraw, claim];
