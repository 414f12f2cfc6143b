import { toHex } from "@ostrom/base";
import { BREAK_FLAGS, declareBroken } from "../break-declaration.ts";
import { type Decided, decide } from "../chain-decision.ts";
import { settingsOf } from "../chain-settings.ts";
import { type Command, type CommandInput, UsageError } from "../command.ts";
import { planGraduation } from "../graduation.ts";
import { cancelCall, cancelForkCall, scheduleCall, scheduleForkCall } from "../module-registry.ts";
import { createTerminal, RPC_FLAG, SIGNING_FLAGS } from "../module-terminal.ts";
import { MODULE_FLAGS, newestVersion } from "../network-profile.ts";
import type { Program } from "../program.ts";

const ACTIONS = ["upgrade", "cancel", "graduate"] as const;

export const chain: Command = {
  name: "chain",
  summary: "decide what a running chain becomes: its authority does it, a member proposes it",
  usage:
    "upgrade --fork NAME --height N | upgrade --module NAME --height N | cancel ... | graduate | declare-broken",
  maxPositionals: 1,
  flags: [
    { name: "fork", kind: "text", placeholder: "NAME", help: "an Ethereum rule set, such as osaka" },
    { name: "module", kind: "text", placeholder: "NAME", help: "a module of this program: ostrom modules" },
    { name: "version", kind: "number", help: "the module's (default: the newest that this program has)" },
    {
      name: "height",
      kind: "number",
      help: "the first block to which it applies; cancel: as it was scheduled",
    },
    { name: "epoch", kind: "number", help: "graduate: the first epoch whose validators stake decides" },
    ...BREAK_FLAGS,
    ...MODULE_FLAGS,
    RPC_FLAG,
    ...SIGNING_FLAGS,
  ],
  examples: [
    "ostrom chain upgrade --fork osaka --height 250000 --key-file owner.key",
    "ostrom chain upgrade --module staking --version 2 --height 250000 --key-file member.key",
    "ostrom chain cancel --module staking --height 250000 --key-file member.key",
    "ostrom chain graduate --key-file member.key",
    "ostrom chain declare-broken --since 2040-01-31T12:00:00Z --breaker one.json --breaker two.json",
  ],
  run: async (input, program) => {
    if (input.positionals[0] === "declare-broken") return declareBroken(input);
    const action = ACTIONS.find((name) => name === input.positionals[0]);
    if (action === undefined)
      throw new UsageError(`say what to do: ${ACTIONS.join(", ")}, declare-broken. See: ostrom chain --help`);
    const terminal = createTerminal(input, true);
    const decided = await prepare(action, input, program);
    const { sent, how } = await decide(decided, terminal, program);
    if (terminal.json) {
      const calls = decided.calls.map(({ to, data }) => ({ to: toHex(to), data: toHex(data) }));
      terminal.print(
        JSON.stringify({ ...decided.facts, how, calls, transactions: sent.map(({ hash }) => hash) }),
      );
      return 0;
    }
    terminal.print([...sent.map(({ hash }) => hash), "", ...describe(decided, how)].join("\n"));
    return 0;
  },
};

function describe({ timeline }: Decided, how: "done" | "proposed"): readonly string[] {
  const head =
    how === "done"
      ? "Decided. What happens when:"
      : "Proposed: nothing happens until the members have voted for it and one carries it out (its number: ostrom membership proposals; then ostrom membership vote NUMBER, and execute NUMBER). Then:";
  return [head, ...timeline.map((line) => `  ${line}`)];
}

async function prepare(
  action: (typeof ACTIONS)[number],
  input: CommandInput,
  program: Program,
): Promise<Decided> {
  const { values, given } = input;
  if (action === "graduate") {
    for (const flag of ["fork", "module"])
      if (given.has(flag)) throw new UsageError(`--${flag}: a graduation brings the module staking`);
    return planGraduation(input, program);
  }
  const fork = values["fork"] as string | undefined;
  const module = values["module"] as string | undefined;
  if ((fork === undefined) === (module === undefined))
    throw new UsageError("choose one: --fork NAME or --module NAME");
  if (given.has("epoch")) throw new UsageError("--epoch belongs to graduate");
  const height = values["height"] as number | undefined;
  if (height === undefined && !(action === "cancel" && fork !== undefined))
    throw new UsageError("say from which block on: --height N");
  if (action === "cancel") return cancellation(fork, module, height ?? 0);
  return fork === undefined
    ? moduleUpgrade(module!, height!, input, program)
    : forkUpgrade(fork, height!, program);
}

function cancellation(fork: string | undefined, module: string | undefined, height: number): Decided {
  const what = fork === undefined ? `module ${module} at block ${height}` : `rule set ${fork}`;
  return {
    calls: [fork === undefined ? cancelCall(module!, height) : cancelForkCall(fork)],
    title: `Cancel ${what}`,
    timeline: [`at once: ${what} is no longer scheduled`],
    facts: { action: "cancel", ...(fork === undefined ? { module, height } : { fork }) },
  };
}

async function forkUpgrade(fork: string, height: number, { forks }: Program): Promise<Decided> {
  const { FORKS } = await import("@ostrom/vm");
  const known: readonly string[] = forks ?? FORKS;
  if (!known.includes(fork))
    throw new UsageError(`--fork: this program has ${known.join(", ")}, not ${fork}`);
  return {
    calls: [scheduleForkCall(fork, height)],
    title: `Rule set ${fork} from block ${height} on`,
    timeline: [
      "at once: nodes whose program lacks the rule set warn in their logs",
      `before block ${height}: those stop; restarted with a program that has it, they go on`,
      `block ${height}: the first one by the rules of ${fork}`,
    ],
    facts: { action: "upgrade", fork, height },
  };
}

async function moduleUpgrade(
  name: string,
  height: number,
  input: CommandInput,
  program: Program,
): Promise<Decided> {
  const module = await newestVersion(program, name, input.values["version"] as number | undefined);
  const settings = await settingsOf(name, input, program);
  const what = `Module ${name} ${module.version}`;
  return {
    calls: [scheduleCall(module, height, settings)],
    title: `${what} from block ${height} on`,
    timeline: [
      `at once: nodes whose program lacks ${name} ${module.version} (code hash ${toHex(module.codeHash)}) warn in their logs`,
      `before block ${height}: those stop; restarted with a program that has it, they go on`,
      `block ${height}: the first one with ${name} ${module.version}`,
    ],
    facts: {
      action: "upgrade",
      module: name,
      version: module.version,
      codeHash: toHex(module.codeHash),
      height,
    },
  };
}
