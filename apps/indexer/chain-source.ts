import { WebSocket } from "ws";
import type { BlockAnswer, ReadBlock, ReceiptAnswer, Tip } from "./chain-answers.ts";

/** The chain as the index asks for it. */
export type ChainSource = {
  /** @throws SourceError */
  readonly ask: <T>(method: string, params: readonly unknown[]) => Promise<T>;
  /** Answers in the order of the questions; of one that was refused, its error. @throws SourceError if there is no answer at all. */
  readonly askMany: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  /** Calls back when there may be something new; at least every `pollMs`. @returns what ends it. */
  readonly watch: (listener: () => void) => () => void;
};

export type Question = { readonly method: string; readonly params: readonly unknown[] };
export type Answer = {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
};

/** A node that cannot be reached, or that refused. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  /** JSON-RPC's code; undefined: no answer. */
  readonly code: number | undefined;

  constructor(message: string, code?: number) {
    super(message);
    this.code = code;
  }
}

const TIMEOUT_MS = 30_000;
const POLL_MS = 1_000;
const RECONNECT_MS = 2_000;
const TOO_MUCH = -32_005;

/** @param urls nodes of one chain; the first one that answers is asked. @param token makes one to show to the node of that number. */
export function createChainSource(
  urls: readonly string[],
  token: (index: number) => Promise<string | undefined> = async () => undefined,
): ChainSource {
  let current = 0;
  const askMany = async (questions: readonly Question[]): Promise<readonly Answer[]> => {
    let failure: unknown;
    for (let attempt = 0; attempt < urls.length; attempt++) {
      const index = (current + attempt) % urls.length;
      try {
        const answers = await post(urls[index]!, await token(index), questions);
        current = index;
        return answers;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  return {
    askMany,
    ask: async <T>(method: string, params: readonly unknown[]) => {
      const [answer] = await askMany([{ method, params }]);
      if (answer?.error !== undefined)
        throw new SourceError(`${method}: ${answer.error.message}`, answer.error.code);
      return answer?.result as T;
    },
    watch: (listener) => watch(() => urls[current]!, listener),
  };
}

async function post(
  url: string,
  token: string | undefined,
  questions: readonly Question[],
): Promise<readonly Answer[]> {
  let answers: unknown;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(questions.map((question, id) => ({ jsonrpc: "2.0", id, ...question }))),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    answers = await response.json();
  } catch (error) {
    const { message, cause } = error as Error & { readonly cause?: Error & { readonly code?: string } };
    throw new SourceError(`${url} does not answer (${cause?.code ?? message})`);
  }
  if (!Array.isArray(answers)) {
    const { error } = (answers ?? {}) as Answer;
    throw new SourceError(`${url}: ${error?.message ?? "no JSON-RPC server"}`, error?.code);
  }
  const byId = new Map(
    (answers as (Answer & { readonly id: number })[]).map((answer) => [answer.id, answer]),
  );
  return questions.map((_, id) => byId.get(id) ?? { error: { code: 0, message: "no answer" } });
}

/** News come by WebSocket; without one the timer asks. */
function watch(url: () => string, listener: () => void): () => void {
  let socket: WebSocket | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isEnded = false;
  const timer = setInterval(listener, POLL_MS);
  const connect = (): void => {
    if (isEnded) return;
    socket = new WebSocket(url().replace(/^http/, "ws"), { perMessageDeflate: false });
    socket.on("open", () => {
      socket?.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
    });
    socket.on("message", listener);
    socket.on("error", () => socket?.terminate());
    socket.on("close", () => {
      retry = setTimeout(connect, RECONNECT_MS);
    });
  };
  connect();
  return () => {
    isEnded = true;
    clearInterval(timer);
    clearTimeout(retry);
    socket?.removeAllListeners("close");
    socket?.terminate();
  };
}

/** The newest block, or the one with a number; undefined where there is none. */
export async function readTip(source: ChainSource, number?: number): Promise<Tip | undefined> {
  const block = await source.ask<BlockAnswer | null>("eth_getBlockByNumber", [blockTag(number), false]);
  return block === null ? undefined : { number: Number(block.number), hash: block.hash };
}

function blockTag(number: number | undefined): string {
  return number === undefined ? "latest" : `0x${number.toString(16)}`;
}

/** Reads a run of blocks with their receipts, as far as there are such. Fewer come where they are too large for one answer, but at least the
 * first one. @throws SourceError if block and receipts are not of one chain any more: to be asked again. */
export async function readBlocks(
  source: ChainSource,
  from: number,
  count: number,
): Promise<readonly ReadBlock[]> {
  const questions = Array.from({ length: count }, (_, index) => blockTag(from + index)).flatMap((tag) => [
    { method: "eth_getBlockByNumber", params: [tag, true] },
    { method: "eth_getBlockReceipts", params: [tag] },
  ]);
  const answers = await source.askMany(questions);
  const blocks: ReadBlock[] = [];
  for (let index = 0; index < count; index++) {
    const [block, receipts] = [answers[2 * index]!, answers[2 * index + 1]!];
    const error = block.error ?? receipts.error;
    if (error !== undefined) {
      if (blocks.length > 0) return blocks;
      if (error.code === TOO_MUCH && count > 1) return readBlocks(source, from, 1);
      if (error.code === TOO_MUCH) return [await readLargeBlock(source, from)];
      throw new SourceError(`block ${from}: ${error.message}`, error.code);
    }
    if (block.result === null || receipts.result === null) return blocks;
    blocks.push(paired(block.result as BlockAnswer, receipts.result as readonly ReceiptAnswer[]));
  }
  return blocks;
}

async function readLargeBlock(source: ChainSource, number: number): Promise<ReadBlock> {
  const tag = blockTag(number);
  const block = await source.ask<BlockAnswer>("eth_getBlockByNumber", [tag, true]);
  return paired(block, await source.ask<readonly ReceiptAnswer[]>("eth_getBlockReceipts", [tag]));
}

function paired(block: BlockAnswer, receipts: readonly ReceiptAnswer[]): ReadBlock {
  const isOne =
    receipts.length === block.transactions.length &&
    receipts.every(({ blockHash }) => blockHash === block.hash);
  if (!isOne) throw new SourceError(`block ${Number(block.number)} was replaced while it was read`);
  return { block, receipts };
}
