import { toHex } from "@ostrom/base";
import { type ModuleCall, type ModuleTerminal, type SentCall, UsageError } from "@ostrom/runtime";
import type { Hex } from "viem";
import { contractCall, describeRefusal, proposeCall } from "./contract.ts";
import { askProposals, askRules } from "./told.ts";

/** Sends a call, after asking the node whether it would succeed, and says what became of it.
 * @param what is done if it succeeds, for people. @returns the exit code. @throws UsageError with the contract's reason, in words. */
export async function sendCall(terminal: ModuleTerminal, call: ModuleCall, what: string): Promise<number> {
  return reportSent(terminal, await send(terminal, call), what);
}

async function send(terminal: ModuleTerminal, call: ModuleCall): Promise<SentCall> {
  const request = { from: toHex(await terminal.account()), to: toHex(call.to), data: toHex(call.data) };
  try {
    await terminal.ask("eth_call", [request, "latest"]);
  } catch (error) {
    const reason = await refusalOf(terminal, request);
    throw reason === undefined ? error : new UsageError(reason);
  }
  const sent = await terminal.send(call);
  if (sent.outcome?.status === "reverted")
    throw new UsageError(`${sent.hash} was reverted in block ${sent.outcome.block}: another act came first`);
  return sent;
}

/** Proposes calls to the members, or has the owner decide. */
export async function sendProposal(
  terminal: ModuleTerminal,
  calls: readonly ModuleCall[],
  title: string,
): Promise<number> {
  const { owner } = await askRules(terminal);
  const sent = await send(terminal, proposeCall(calls, title));
  if (owner !== null) return reportSent(terminal, sent, `Decided: ${title}`);
  if (sent.outcome === undefined || terminal.json) return reportSent(terminal, sent, "");
  const own = (await askProposals(terminal)).filter((proposal) => proposal.title === title).at(-1);
  const id = own === undefined ? "" : ` ${Number(own.id)}`;
  reportSent(terminal, sent, `Proposal${id}: ${title}`);
  if (own !== undefined) {
    terminal.print(
      `It has ${Number(own.votes)} of ${Number(own.needed)} votes, and time until block ${Number(own.lastBlock)}.`,
    );
    terminal.print(
      Number(own.votes) >= Number(own.needed)
        ? `Carry it out: ostrom membership execute ${Number(own.id)}`
        : `The others vote: ostrom membership vote ${Number(own.id)}`,
    );
  }
  return 0;
}

/** A call of the contract by the account that signs. */
export async function act(
  terminal: ModuleTerminal,
  functionName: string,
  args: readonly unknown[],
  what: string,
): Promise<number> {
  return sendCall(terminal, contractCall(functionName, args), what);
}

function reportSent(terminal: ModuleTerminal, { hash, outcome }: SentCall, what: string): number {
  if (terminal.json) {
    const told = outcome === undefined ? {} : { ...outcome, gasUsed: outcome.gasUsed.toString() };
    terminal.print(JSON.stringify({ hash, ...told }));
  } else terminal.print(outcome === undefined ? hash : `${what} (block ${outcome.block}, ${hash})`);
  return 0;
}

/** The revert data of a call, which the node's words leave out. */
async function refusalOf(terminal: ModuleTerminal, request: object): Promise<string | undefined> {
  try {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_call", params: [request, "latest"] });
    const token = process.env["OSTROM_TOKEN"];
    const headers = {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(terminal.rpc, { method: "POST", headers, body });
    const answer = (await response.json()) as { readonly error?: { readonly data?: unknown } };
    const data = answer.error?.data;
    return typeof data === "string" ? describeRefusal(data as Hex) : undefined;
  } catch {
    return undefined;
  }
}
