import { addressFromHex, toHex } from "@ostrom/base";
import type { CommandInput, ModuleCall, ModuleCommand, ModuleTerminal, SentCall } from "@ostrom/runtime";
import { type Command, type Flag, UsageError } from "./command.ts";
import { ask, DEFAULT_RPC_URL } from "./rpc-client.ts";
import { KEY_FLAGS, readSigningKey } from "./signing-key.ts";
import { connectWallet, type Wallet } from "./wallet.ts";

export const RPC_FLAG: Flag = {
  name: "rpc",
  kind: "text",
  placeholder: "URL",
  help: "the node to ask",
  default: DEFAULT_RPC_URL,
};

const WAIT_FLAG: Flag = {
  name: "wait",
  kind: "switch",
  help: "print the hash at once, and do not wait for the receipt",
  default: true,
};

/** The flags of a command that signs. */
export const SIGNING_FLAGS: readonly Flag[] = [WAIT_FLAG, ...KEY_FLAGS];

/** A module's command as one of this program's. */
export function commandOfModule(module: string, command: ModuleCommand): Command {
  const { summary, usage, maxPositionals = 0, examples, signs } = command;
  return {
    name: `${module} ${command.name}`,
    summary,
    usage,
    maxPositionals,
    flags: [...command.flags, RPC_FLAG, ...(signs ? SIGNING_FLAGS : [])],
    examples,
    run: (input) => command.run(input, createTerminal(input, signs)),
  };
}

/** What a command asks and sends with, by the flags given.
 * @param signs whether the command has the flags that choose a key. */
export function createTerminal(input: CommandInput, signs: boolean): ModuleTerminal {
  const { values } = input;
  const rpc = String(values["rpc"]);
  let wallet: Promise<Wallet> | undefined;
  const connect = (): Promise<Wallet> => {
    if (!signs) throw new Error("this command does not sign");
    wallet ??= connectWallet(rpc, readSigningKey(input));
    return wallet;
  };
  return {
    rpc,
    json: values["json"] === true,
    print: (line) => console.log(line),
    ask: (method, params = []) => ask(rpc, method, params),
    account: async () => addressFromHex((await connect()).account.address),
    send: async (call) => send(await connect(), call, values["wait"] === true),
  };
}

async function send(wallet: Wallet, { to, data, value = 0n }: ModuleCall, waits: boolean): Promise<SentCall> {
  const hash = await wallet.send({ to: toHex(to), data: toHex(data), value });
  if (!waits) return { hash, outcome: undefined };
  const { status, blockNumber, gasUsed } = await wallet.receipt(hash);
  return { hash, outcome: { status, block: Number(blockNumber), gasUsed } };
}

/** Says what became of a transaction that a command sent. @returns the exit code. */
export function reportSent(
  sent: SentCall,
  terminal: Pick<ModuleTerminal, "json" | "print">,
  what: string,
): number {
  const { hash, outcome } = sent;
  if (terminal.json) {
    const told = outcome === undefined ? {} : { ...outcome, gasUsed: outcome.gasUsed.toString() };
    terminal.print(JSON.stringify({ hash, ...told }));
  } else if (outcome === undefined) terminal.print(hash);
  else if (outcome.status === "success") terminal.print(`${what}: ${hash} in block ${outcome.block}`);
  if (outcome?.status === "reverted")
    throw new UsageError(`${hash} was reverted in block ${outcome.block}: ostrom call tells why`);
  return 0;
}
