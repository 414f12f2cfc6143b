import { UsageError } from "./command.ts";
import type { NodeAccess } from "./node-access.ts";
import { ask, askMany } from "./rpc-client.ts";

/** An event of the contracts by which a chain is governed. */
export type ChainAct = {
  /** Of its block. */
  readonly time: string;
  /** Who sent the transaction. */
  readonly actor: string;
  /** Contract, and the event's name where the node tells it, else the hash of its signature. */
  readonly act: string;
  /** Block, place, and the event's arguments by name, or its topics and data. */
  readonly details: { readonly block: number; readonly logIndex: number } & Readonly<Record<string, unknown>>;
  readonly transaction: string;
};

/** The contracts whose events are acts: addresses are fixed for all chains. */
const GOVERNING: Readonly<Record<string, string>> = {
  "0x00000000000000000000000000000000004d0d01": "registry",
  "0x00000000000000000000000000000000004d0d02": "membership",
};
/** Blocks that one question covers. */
const BLOCKS_AT_ONCE = 10_000;
const TRANSACTIONS_AT_ONCE = 100;

type ToldLog = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly transactionHash: string;
  readonly logIndex: string;
};

/** The acts of a period, oldest first. @param period milliseconds since 1970: from (included) to (excluded). */
export async function chainActs(
  access: NodeAccess,
  period: { readonly from: number; readonly to: number },
): Promise<readonly ChainAct[]> {
  const latest = Number(await ask<string>(access.url, "eth_blockNumber", [], access.token()));
  const first = await firstBlockFrom(access, period.from, latest);
  const end = Number.isFinite(period.to) ? await firstBlockFrom(access, period.to, latest) : latest + 1;
  const logs: ToldLog[] = [];
  const names = new Map<string, NamedAct>();
  for (let from = first; from < end; from += BLOCKS_AT_ONCE) {
    const toBlock = quantity(Math.min(end, from + BLOCKS_AT_ONCE) - 1);
    const filter = { fromBlock: quantity(from), toBlock, address: Object.keys(GOVERNING) };
    logs.push(...(await ask<readonly ToldLog[]>(access.url, "eth_getLogs", [filter], access.token())));
    for (const named of await namedActs(access, quantity(from), toBlock)) names.set(placeOf(named), named);
  }
  const senders = await sendersOf(access, [...new Set(logs.map(({ transactionHash }) => transactionHash))]);
  const times = new Map<string, string>();
  for (const block of new Set(logs.map(({ blockNumber }) => blockNumber)))
    times.set(block, new Date(await timeOfBlock(access, Number(block))).toISOString());
  return logs.map((log) => {
    const { address, topics, data, blockNumber, transactionHash: transaction, logIndex } = log;
    const named = names.get(placeOf({ transaction, logIndex }));
    return {
      time: times.get(blockNumber) ?? "",
      actor: senders.get(transaction) ?? "",
      act: `${GOVERNING[address.toLowerCase()] ?? address}.${named?.act ?? topics[0] ?? ""}`,
      details: {
        block: Number(blockNumber),
        logIndex: Number(logIndex),
        ...(named?.details ?? { topics, data }),
      },
      transaction,
    };
  });
}

type NamedAct = {
  readonly transaction: string;
  readonly logIndex: string;
  readonly act: string;
  readonly details: Readonly<Record<string, unknown>>;
};

function placeOf({ transaction, logIndex }: Pick<NamedAct, "transaction" | "logIndex">): string {
  return `${transaction}:${Number(logIndex)}`;
}

/** What the membership module of the node makes of its events; nothing on a chain without it. */
async function namedActs(access: NodeAccess, from: string, to: string): Promise<readonly NamedAct[]> {
  const question = { method: "membership_acts", params: [from, to] };
  const [answer] = await askMany(access.url, [question], access.token());
  return Array.isArray(answer?.result) ? (answer.result as readonly NamedAct[]) : [];
}

/** The first block whose time is not before this one, or the one after the newest. */
async function firstBlockFrom(access: NodeAccess, timeMs: number, latest: number): Promise<number> {
  let low = 0;
  let high = latest + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeOfBlock(access, middle)) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function timeOfBlock({ url, token }: NodeAccess, number: number): Promise<number> {
  const parameters = [quantity(number), false];
  const block = await ask<{ readonly timestamp: string } | null>(
    url,
    "eth_getBlockByNumber",
    parameters,
    token(),
  );
  if (block === null) throw new UsageError(`${url}: block ${number} is not there`);
  return Number(block.timestamp) * 1_000;
}

async function sendersOf(
  { url, token }: NodeAccess,
  transactions: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const senders = new Map<string, string>();
  for (let start = 0; start < transactions.length; start += TRANSACTIONS_AT_ONCE) {
    const some = transactions.slice(start, start + TRANSACTIONS_AT_ONCE);
    const questions = some.map((hash) => ({ method: "eth_getTransactionByHash", params: [hash] }));
    const answers = await askMany(url, questions, token());
    for (const [index, answer] of answers.entries()) {
      const { from } = (answer.result ?? {}) as { readonly from?: string };
      if (from !== undefined) senders.set(some[index]!, from);
    }
  }
  return senders;
}

function quantity(number: number): string {
  return `0x${number.toString(16)}`;
}
