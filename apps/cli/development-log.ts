import type { Bytes } from "@ostrom/base";
import { readConsoleLog } from "./console-log.ts";
import type { TextStyle } from "./text-style.ts";

/** What a call, an estimate or a transaction did, for people who watch their chain. */
export type DevelopmentActivity = {
  readonly kind: "call" | "estimate" | "transaction";
  readonly from: string;
  /** undefined: it creates a contract. */
  readonly to: string | undefined;
  readonly created?: string;
  /** "Token#transfer", or a contract's name for a creation; undefined: an account without code was called. */
  readonly subject: string | undefined;
  /** In wei. */
  readonly value: bigint;
  readonly hash?: string;
  readonly gasUsed?: bigint;
  readonly gasLimit?: bigint;
  readonly block?: { readonly number: bigint; readonly hash: string };
  /** What it sent to the console, in order. */
  readonly printed: readonly Bytes[];
  /** Its message, and the lines of its stack. */
  readonly failure?: { readonly message: string; readonly stack: readonly string[] };
};

export type DevelopmentLog = {
  /** A request is answered; `activity` is what it ran. @param error the message of one that is refused. */
  readonly request: (method: string, activity?: readonly DevelopmentActivity[], error?: string) => void;
  readonly blocks: (blocks: readonly { readonly number: bigint; readonly transactions: number }[]) => void;
};

export type DevelopmentLogOptions = {
  readonly write: (text: string) => void;
  readonly style: (style: TextStyle, text: string) => string;
  /** Whether the last line can be written over. */
  readonly isTerminal: boolean;
};

const INDENT = "  ";
/** Moves to the start of the line before, and clears it. */
const OVER_LAST_LINE = "\u001b[F\u001b[K";
const GWEI_FROM = 10n ** 5n;
const ETHER_FROM = 10n ** 14n;

/** Writes what a development chain does as Hardhat's node does, so that eyes and scripts find what they know. */
export function createDevelopmentLog({ write, style, isTerminal }: DevelopmentLogOptions): DevelopmentLog {
  let repeated: { readonly method: string; readonly count: number } | undefined;

  const request: DevelopmentLog["request"] = (method, activity = [], error) => {
    const lines = activity.flatMap((item, at) => [...(at === 0 ? [] : [""]), ...describeActivity(item)]);
    const isPlain = lines.length === 0 && error === undefined;
    if (isPlain && isTerminal && repeated?.method === method) {
      repeated = { method, count: repeated.count + 1 };
      write(`${OVER_LAST_LINE}${style("good", `${method} (${repeated.count})`)}\n`);
      return;
    }
    repeated = isPlain ? { method, count: 1 } : undefined;
    const told = activity.findLast(({ failure }) => failure !== undefined)?.failure?.message;
    write(`${style(told === undefined && error === undefined ? "good" : "bad", method)}\n`);
    if (lines.length > 0) write(`${lines.map((line) => (line === "" ? "" : INDENT + line)).join("\n")}\n\n`);
    // What ran has told why it failed.
    if (error !== undefined && error !== told) write(`\n${INDENT}${style("bad", error)}\n\n`);
  };
  const blocks: DevelopmentLog["blocks"] = (mined) => {
    repeated = undefined;
    for (const { number, transactions } of mined) {
      const told = transactions === 0 ? `Mined empty block #${number}` : `Mined block #${number}`;
      write(`${style("faint", told)}\n`);
    }
  };
  return { request, blocks };
}

/** The lines of what ran, without indentation. */
export function describeActivity(activity: DevelopmentActivity): string[] {
  const { kind, printed, failure } = activity;
  const titled = rowsOf(activity);
  const width = Math.max(...titled.map(([title]) => title.length)) + 1;
  const lines = titled.map(([title, text]) => `${`${title}:`.padEnd(width)} ${text}`);
  if (kind !== "transaction" && activity.to !== undefined && activity.subject === undefined)
    lines.unshift("WARNING: Calling an account which is not a contract");
  const spoken = printed.map(readConsoleLog).filter((line) => line !== undefined);
  if (spoken.length > 0)
    lines.push(
      "",
      "console.log:",
      ...spoken.flatMap((text) => text.split("\n").map((line) => INDENT + line)),
    );
  if (failure !== undefined) {
    lines.push(
      "",
      `Error: ${failure.message}`,
      ...failure.stack.map((line) => `${INDENT}${INDENT}at ${line}`),
    );
  }
  return lines;
}

function rowsOf(activity: DevelopmentActivity): (readonly [string, string])[] {
  const { kind, from, to, created, subject, value, hash, gasUsed, gasLimit, block } = activity;
  const rows: (readonly [string, string])[] = [];
  if (to === undefined) {
    rows.push(["Contract deployment", subject ?? "<UnrecognizedContract>"]);
    if (created !== undefined) rows.push(["Contract address", created]);
  } else if (subject !== undefined) rows.push(["Contract call", subject]);
  if (hash !== undefined) rows.push(["Transaction", hash]);
  rows.push(["From", from]);
  if (to !== undefined) rows.push(["To", to]);
  if (value > 0n || kind !== "call") rows.push(["Value", formatWei(value)]);
  if (gasUsed !== undefined && gasLimit !== undefined) rows.push(["Gas used", `${gasUsed} of ${gasLimit}`]);
  if (block !== undefined) rows.push([`Block #${block.number}`, block.hash]);
  return rows;
}

/** In the unit that needs the fewest digits: wei below 100,000 of them, gwei below 0.0001 ether. */
export function formatWei(value: bigint): string {
  if (value === 0n) return "0 ETH";
  if (value < GWEI_FROM) return `${value} wei`;
  return value < ETHER_FROM ? `${decimal(value, 9)} gwei` : `${decimal(value, 18)} ETH`;
}

function decimal(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  const whole = text.slice(0, -digits);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
