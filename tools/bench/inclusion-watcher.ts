import { fromHex, toHex, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { WebSocket } from "ws";

type Pending = { readonly lane: number; readonly at: number };
type ReceiptAnswer = { readonly transactionHash: string; readonly status: string };

/** Notes when each transaction's receipt can be read: at each new head it reads all receipts of the block. */
export class InclusionWatcher {
  readonly #url: string;
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, Pending>();
  readonly #inFlight = new Map<number, number>();
  readonly #latencies: number[] = [];
  #wakers: (() => void)[] = [];
  #blocks = 0;
  #failed = 0;
  #lastAt = 0;

  private constructor(url: string, socket: WebSocket) {
    this.#url = url;
    this.#socket = socket;
    socket.on("message", (text) => {
      const message = JSON.parse(String(text)) as {
        method?: string;
        params?: { result: { number: string } };
      };
      if (message.method === "eth_subscription") void this.#readBlock(message.params!.result.number);
    });
  }

  static async start(url: string): Promise<InclusionWatcher> {
    const socket = new WebSocket(url.replace("http", "ws"));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const watcher = new InclusionWatcher(url, socket);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
    return watcher;
  }

  /** Waits until the lane has less in flight than its share. */
  async roomFor(lane: number, count: number, share: number): Promise<void> {
    while ((this.#inFlight.get(lane) ?? 0) + count > share) {
      await new Promise<void>((wake) => this.#wakers.push(wake));
    }
  }

  expect(lane: number, raws: readonly string[]): void {
    const at = performance.now();
    for (const raw of raws) this.#pending.set(toHex(keccak256(unwrap(fromHex(raw)))), { lane, at });
    this.#inFlight.set(lane, (this.#inFlight.get(lane) ?? 0) + raws.length);
  }

  /** Waits until nothing is in flight. @throws after the timeout. */
  async drain(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#pending.size > 0) {
      if (performance.now() > deadline) throw new Error(`${this.#pending.size} transactions got no receipt`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  result(): { readonly latencies: readonly number[]; readonly lastAt: number; readonly failed: number } {
    return { latencies: this.#latencies, lastAt: this.#lastAt, failed: this.#failed };
  }

  blocks(): number {
    return this.#blocks;
  }

  stop(): void {
    this.#socket.terminate();
  }

  async #readBlock(number: string): Promise<void> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getBlockReceipts", params: [number] });
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { result } = (await response.json()) as { result: readonly ReceiptAnswer[] };
    const now = performance.now();
    if (result.length > 0) this.#blocks++;
    for (const { transactionHash, status } of result) {
      const pending = this.#pending.get(transactionHash);
      if (pending === undefined) continue;
      this.#pending.delete(transactionHash);
      this.#inFlight.set(pending.lane, this.#inFlight.get(pending.lane)! - 1);
      this.#latencies.push(now - pending.at);
      this.#lastAt = now;
      if (status !== "0x1") this.#failed++;
    }
    for (const wake of this.#wakers.splice(0)) wake();
  }
}
