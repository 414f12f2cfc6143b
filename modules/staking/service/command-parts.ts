import { toHex } from "@ostrom/base";
import { type CommandInput, type ModuleCall, type ModuleTerminal, UsageError } from "@ostrom/runtime";
import { formatEther, parseEther } from "viem";

const AMOUNT = /^(\d{1,30})(\.\d{1,18})?(wei)?$/;
const HIGHEST_PORT = 65_535;

/** A validator as `staking_getValidators` tells it, as far as commands need it. */
export type ToldValidator = {
  readonly staker: string;
  readonly name: string;
  readonly operator: string;
  readonly state: string;
  readonly bonded: string;
  readonly ownBonded: string;
  readonly unbonding: string;
  readonly commission: string;
  readonly jailedUntilEpoch: string | null;
  readonly hasRevealed: boolean;
  readonly weight: string | null;
  readonly nextWeight: string | null;
  readonly consensusKey: string;
};

/** Text of a flag. @throws UsageError if it was not given. */
export function requiredText({ values }: CommandInput, name: string, flag: string, what: string): string {
  const value = values[name];
  if (typeof value !== "string" || value === "") throw new UsageError(`say ${what}: --${flag}`);
  return value;
}

/** Reads an amount in coins ("1.5") or wei ("100wei"). @throws UsageError. */
export function readAmount(text: string, flag: string): bigint {
  const match = AMOUNT.exec(text);
  if (match === null || (match[3] !== undefined && match[2] !== undefined))
    throw new UsageError(`--${flag}: expected coins, such as 1000 or 1.5, or 100wei; found "${text}"`);
  return match[3] === undefined ? parseEther(text) : BigInt(match[1]!);
}

export function showCoins(wei: bigint | string): string {
  const [whole = "0", fraction] = formatEther(BigInt(wei)).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** HOST:PORT, or [IPv6]:PORT. @throws UsageError. */
export function readPlace(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > HIGHEST_PORT)
    throw new UsageError(
      `--host: expected HOST:PORT, where the others reach the node's links; found "${text}"`,
    );
  return { host, port };
}

/** All validators. @throws UsageError with the node's words. */
export async function askValidators(terminal: ModuleTerminal): Promise<readonly ToldValidator[]> {
  const all: ToldValidator[] = [];
  for (;;) {
    const page = await terminal.ask<readonly ToldValidator[]>("staking_getValidators", [
      `0x${(all.length + 1).toString(16)}`,
    ]);
    all.push(...page);
    if (page.length === 0) return all;
  }
}

/** By number, name, or operator's address. @throws UsageError if there is none, or more than one. */
export async function findValidator(
  terminal: ModuleTerminal,
  text: string | undefined,
): Promise<ToldValidator> {
  if (text === undefined) throw new UsageError("say which validator: its number, name or operator's address");
  const wanted = text.toLowerCase();
  const found = (await askValidators(terminal)).filter(
    ({ staker, name, operator, state }) =>
      String(Number(staker)) === text ||
      operator.toLowerCase() === wanted ||
      (name === text && state !== "exited"),
  );
  const [one, ...others] = found;
  if (one === undefined) throw new UsageError(`there is no validator "${text}". See: ostrom staking status`);
  if (others.length === 0) return one;
  const numbers = found.map(({ staker }) => Number(staker)).join(", ");
  throw new UsageError(`"${text}" are several validators: say which by its number (${numbers})`);
}

/** The number of the validator that the signing account operates. @throws UsageError if it has none. */
export async function ownStaker(terminal: ModuleTerminal): Promise<bigint> {
  const account = toHex(await terminal.account());
  const told = await terminal.ask<{ readonly staker: string | null }>("staking_getDelegations", [account]);
  if (told.staker === null)
    throw new UsageError(`${account} operates no validator: bond one with ostrom staking bond`);
  return BigInt(told.staker);
}

/** Sends a call and says what came of it. @param what has been done, once it is. @returns the exit code. */
export async function sendAndTell(terminal: ModuleTerminal, call: ModuleCall, what: string): Promise<number> {
  const { hash, outcome } = await terminal.send(call);
  if (terminal.json) {
    const told = outcome === undefined ? {} : { ...outcome, gasUsed: outcome.gasUsed.toString() };
    terminal.print(JSON.stringify({ hash, ...told }));
  } else if (outcome === undefined) terminal.print(hash);
  else if (outcome.status === "success") terminal.print(`${what}: ${hash} in block ${outcome.block}`);
  if (outcome?.status === "reverted")
    throw new UsageError(`${hash} was reverted in block ${outcome.block}: the chain's rules do not allow it`);
  return 0;
}

/** Columns of text. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
