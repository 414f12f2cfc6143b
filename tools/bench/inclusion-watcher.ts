import { WebSocket } from "ws";
import { type CheapClient, callOnce } from "./cheap-http.ts";

/** Hashes of the transactions of new blocks whose receipts can be read. */
export type OnIncluded = (hashes: readonly string[]) => void;

/** Blocks that are asked for at once. */
const BLOCKS_AT_ONCE = 32;
/** Peers drop news when they come too fast: the height is asked for besides. */
const ASK_HEIGHT_MS = 250;

type BlockAnswer = { readonly result: { readonly transactions: readonly string[] } | null };
type ReceiptAnswer = { readonly status: string } | null;

/** Tells which transactions are in blocks, by the cheapest means that every peer has: news of heads over WebSocket, then the blocks'
 * lists of hashes, then one receipt of the newest of them, which must be there before the block counts. */
export class InclusionWatcher {
  readonly #client: CheapClient;
  readonly #url: string;
  readonly #socket: WebSocket;
  readonly #onIncluded: OnIncluded;
  readonly #onFailure: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  #next: number;
  #head: number;
  #isReading = false;
  #isStopped = false;
  #blocks = 0;

  private constructor(
    client: CheapClient,
    url: string,
    socket: WebSocket,
    head: number,
    onIncluded: OnIncluded,
    onFailure: (error: Error) => void,
  ) {
    this.#client = client;
    this.#url = url;
    this.#socket = socket;
    this.#head = head;
    this.#next = head + 1;
    this.#onIncluded = onIncluded;
    this.#onFailure = onFailure;
    this.#timer = setInterval(() => void this.#askHeight(), ASK_HEIGHT_MS);
    socket.on("message", (text) => {
      const number = /"number":"(0x[0-9a-f]+)"/.exec(String(text))?.[1];
      if (number === undefined) return;
      this.#head = Math.max(this.#head, Number(number));
      void this.#read();
    });
  }

  static async start(
    client: CheapClient,
    url: string,
    onIncluded: OnIncluded,
    onFailure: (error: Error) => void,
  ): Promise<InclusionWatcher> {
    const socket = new WebSocket(url.replace("http", "ws"));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const head = Number(await callOnce<string>(client, url, "eth_blockNumber", []));
    const watcher = new InclusionWatcher(client, url, socket, head, onIncluded, onFailure);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
    return watcher;
  }

  /** Blocks with transactions so far. */
  get blocks(): number {
    return this.#blocks;
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#socket.terminate();
  }

  async #askHeight(): Promise<void> {
    try {
      const number = await callOnce<string>(this.#client, this.#url, "eth_blockNumber", []);
      this.#head = Math.max(this.#head, Number(number));
      await this.#read();
    } catch (error) {
      if (!this.#isStopped) this.#onFailure(error as Error);
    }
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#next <= this.#head && !this.#isStopped) await this.#readNext();
    } catch (error) {
      if (!this.#isStopped) this.#onFailure(error as Error);
    } finally {
      this.#isReading = false;
    }
  }

  async #readNext(): Promise<void> {
    const count = Math.min(BLOCKS_AT_ONCE, this.#head - this.#next + 1);
    const calls = Array.from(
      { length: count },
      (_, index) =>
        `{"jsonrpc":"2.0","id":${index},"method":"eth_getBlockByNumber","params":["0x${(this.#next + index).toString(16)}",false]}`,
    );
    const { text } = await this.#client.post(this.#url, `[${calls.join(",")}]`);
    const answers = JSON.parse(text) as readonly BlockAnswer[];
    const hashes: string[] = [];
    for (const { result } of answers) {
      if (result === null || result === undefined)
        throw new Error("a block that was announced cannot be read");
      if (result.transactions.length > 0) this.#blocks++;
      for (const hash of result.transactions) hashes.push(hash);
    }
    this.#next += count;
    const newest = hashes.at(-1);
    if (newest === undefined) return;
    while ((await this.#receipt(newest)) === null && !this.#isStopped);
    this.#onIncluded(hashes);
  }

  #receipt(hash: string): Promise<ReceiptAnswer> {
    return callOnce<ReceiptAnswer>(this.#client, this.#url, "eth_getTransactionReceipt", [hash]);
  }
}
