import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BlockAnswer, LogAnswer, ReceiptAnswer, TransactionAnswer } from "../chain-answers.ts";

/** A chain as a node tells of it, made by a test: it grows, and changes its mind. */
export type SimulatedChain = {
  readonly url: string;
  readonly height: () => number;
  readonly blocks: () => readonly SimulatedBlock[];
  /** Adds a block. */
  readonly add: (transactions?: readonly SimulatedTransaction[]) => void;
  /** Forgets the blocks after a number; what is added then are others. */
  readonly reorganise: (kept: number) => void;
  /** Answers of other methods, such as eth_call. */
  readonly answer: (method: string, reply: (params: readonly unknown[]) => unknown) => void;
  readonly close: () => Promise<void>;
};

export type SimulatedBlock = { readonly block: BlockAnswer; readonly receipts: readonly ReceiptAnswer[] };
export type SimulatedTransaction = Partial<TransactionAnswer> & {
  readonly logs?: readonly Omit<LogAnswer, "logIndex">[];
  readonly failed?: boolean;
  readonly created?: string;
};

const FIRST_TIME = 1_700_000_000;
const SECONDS_A_BLOCK = 7;
const CHAIN_ID = "0x7a69";

export function hashOf(text: string): string {
  return `0x${createHash("sha256").update(text).digest("hex")}`;
}

/** An address of a test. */
export function addressOf(index: number): string {
  return `0x${(index + 1).toString(16).padStart(40, "0")}`;
}

/** @param seed makes another chain. */
export async function startSimulatedChain(seed = "chain"): Promise<SimulatedChain> {
  const blocks: SimulatedBlock[] = [];
  const replies = new Map<string, (params: readonly unknown[]) => unknown>();
  let branch = 0;
  const add = (transactions: readonly SimulatedTransaction[] = []): void => {
    blocks.push(makeBlock(`${seed}/${branch}`, blocks, transactions));
  };
  add();
  const at = (tag: unknown): SimulatedBlock | undefined =>
    tag === "latest" ? blocks.at(-1) : blocks[Number(tag)];
  replies.set("eth_chainId", () => CHAIN_ID);
  replies.set("eth_blockNumber", () => `0x${(blocks.length - 1).toString(16)}`);
  replies.set("eth_getBlockByNumber", ([tag]) => at(tag)?.block ?? null);
  replies.set("eth_getBlockReceipts", ([tag]) => at(tag)?.receipts ?? null);
  const server = serve(replies);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    height: () => blocks.length - 1,
    blocks: () => blocks,
    add,
    reorganise: (kept) => {
      blocks.length = kept + 1;
      branch++;
    },
    answer: (method, reply) => {
      replies.set(method, reply);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serve(replies: ReadonlyMap<string, (params: readonly unknown[]) => unknown>): Server {
  return createServer((request, response) => {
    // It has no WebSocket.
    if (request.method !== "POST") {
      response.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as readonly {
        readonly id: number;
        readonly method: string;
        readonly params: readonly unknown[];
      }[];
      const answers = asked.map(({ id, method, params }) => {
        const reply = replies.get(method);
        return reply === undefined
          ? { jsonrpc: "2.0", id, error: { code: -32_601, message: `no method ${method}` } }
          : { jsonrpc: "2.0", id, result: reply(params) };
      });
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answers));
    });
  });
}

function makeBlock(
  seed: string,
  before: readonly SimulatedBlock[],
  transactions: readonly SimulatedTransaction[],
): SimulatedBlock {
  const number = before.length;
  const hash = hashOf(`${seed}/${number}`);
  let logIndex = 0;
  const made = transactions.map((given, index) => {
    const transaction: TransactionAnswer = {
      hash: hashOf(`${seed}/${number}/${index}`),
      type: "0x2",
      from: addressOf(0),
      to: addressOf(1),
      nonce: "0x0",
      value: "0x1",
      gas: "0x5208",
      input: "0x",
      ...pick(given),
    };
    const receipt: ReceiptAnswer = {
      blockHash: hash,
      transactionHash: transaction.hash,
      contractAddress: given.created ?? null,
      effectiveGasPrice: "0x3b9aca00",
      gasUsed: "0x5208",
      status: given.failed === true ? "0x0" : "0x1",
      logs: (given.logs ?? []).map((log) => ({ ...log, logIndex: `0x${(logIndex++).toString(16)}` })),
    };
    return { transaction, receipt };
  });
  const block: BlockAnswer = {
    number: `0x${number.toString(16)}`,
    hash,
    parentHash: before.at(-1)?.block.hash ?? `0x${"0".repeat(64)}`,
    timestamp: `0x${(FIRST_TIME + SECONDS_A_BLOCK * number).toString(16)}`,
    miner: addressOf(1_000 + (number % 4)),
    gasUsed: `0x${(21_000 * made.length).toString(16)}`,
    gasLimit: "0x1c9c380",
    baseFeePerGas: "0x7",
    size: "0x300",
    transactions: made.map(({ transaction }) => transaction),
  };
  return { block, receipts: made.map(({ receipt }) => receipt) };
}

function pick({ logs: _, failed: __, created: ___, ...transaction }: SimulatedTransaction): object {
  return transaction;
}

/** A log of an ERC-20's Transfer. */
export function transferLog(
  token: string,
  from: string,
  to: string,
  amount: bigint,
): Omit<LogAnswer, "logIndex"> {
  return {
    address: token,
    topics: [
      "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
      topicOf(from),
      topicOf(to),
    ],
    data: `0x${amount.toString(16).padStart(64, "0")}`,
  };
}

/** A log of an ERC-721's Transfer. */
export function nftLog(token: string, from: string, to: string, id: bigint): Omit<LogAnswer, "logIndex"> {
  const { topics } = transferLog(token, from, to, 0n);
  return { address: token, topics: [...topics, `0x${id.toString(16).padStart(64, "0")}`], data: "0x" };
}

export function topicOf(address: string): string {
  return `0x${"0".repeat(24)}${address.slice(2)}`;
}
