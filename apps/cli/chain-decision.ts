import { equalBytes, toHex } from "@ostrom/base";
import { importServiceModules, type ModuleCall, type ModuleTerminal, type SentCall } from "@ostrom/runtime";
import { UsageError } from "./command.ts";
import { askModules, authorityOf } from "./module-registry.ts";
import type { Program } from "./program.ts";

/** What is to be decided about a chain. */
export type Decided = {
  readonly calls: readonly ModuleCall[];
  /** One line for those who vote on it. */
  readonly title: string;
  /** What happens when, for people. */
  readonly timeline: readonly string[];
  /** For programs. */
  readonly facts: Readonly<Record<string, unknown>>;
};

/** Has the chain's authority make calls: the account that signs makes them if it is the authority, or else proposes them to the people of
 * the module that is. @throws UsageError if it is neither, or if a transaction is reverted. */
export async function decide(
  { calls, title }: Decided,
  terminal: ModuleTerminal,
  program: Program,
): Promise<{ readonly how: "done" | "proposed"; readonly sent: readonly SentCall[] }> {
  const told = await askModules(terminal.rpc);
  if (told.registry === null)
    throw new UsageError(
      `${terminal.rpc}: this chain has no registry of modules; nothing can be scheduled there`,
    );
  const authority = authorityOf(told);
  if (authority === undefined) throw new UsageError(`${terminal.rpc}: nobody is the authority of this chain`);
  const account = await terminal.account();
  if (equalBytes(authority, account)) {
    const sent: SentCall[] = [];
    for (const call of calls) sent.push(await succeed(terminal, call));
    return { how: "done", sent };
  }
  const services = await importServiceModules(program.modules);
  const module = services.find(
    (one) => one.authority !== undefined && equalBytes(one.authority.address, authority),
  );
  if (module?.authority === undefined) {
    throw new UsageError(
      `the authority of this chain is ${toHex(authority)}, and ${toHex(account)} signs: name its key with --key-file`,
    );
  }
  return { how: "proposed", sent: [await succeed(terminal, module.authority.propose(calls, title))] };
}

async function succeed(terminal: ModuleTerminal, call: ModuleCall): Promise<SentCall> {
  const sent = await terminal.send(call);
  if (sent.outcome?.status === "reverted") {
    const { hash, outcome } = sent;
    throw new UsageError(
      `${hash} was reverted in block ${outcome.block}: is it ahead enough (at least 10 blocks), not scheduled yet, and may this account do it?`,
    );
  }
  return sent;
}
