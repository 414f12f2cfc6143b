import type { RpcClient } from "./rpc.ts";
import { createStore, type Store } from "./store.ts";

/** `live`: news arrive as they happen. `polling`: no WebSocket, so the node is asked. `offline`: it does not answer. */
export type LinkState = "connecting" | "live" | "polling" | "offline";

/** News of one node by WebSocket; while there is none, heads are asked for. */
export type NodeSocket = {
  readonly state: Pick<Store<LinkState>, "get" | "subscribe">;
  /** Listens to `eth_subscribe`'s subject; the subscription is made again after each reconnection. Without a WebSocket only `newHeads`
   * has news. @returns what ends it. */
  readonly subscribe: (subject: string, detail: unknown, listener: (news: unknown) => void) => () => void;
  readonly close: () => void;
};

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8_000;
const POLL_MS = 1_000;

type Subscription = {
  readonly subject: string;
  readonly detail: unknown;
  readonly listener: (news: unknown) => void;
  id?: string;
};

/** @param path of the node's proxy on this origin, `/rpc/0`. */
export function createNodeSocket(path: string, rpc: RpcClient): NodeSocket {
  return new ReconnectingSocket(path, rpc);
}

/** Keeps one WebSocket open, and what is subscribed to through it. */
class ReconnectingSocket implements NodeSocket {
  readonly state: Store<LinkState> = createStore<LinkState>("connecting");
  readonly #url: string;
  readonly #rpc: RpcClient;
  readonly #subscriptions = new Set<Subscription>();
  readonly #asked = new Map<number, Subscription>();
  #socket: WebSocket | undefined;
  #nextId = 1;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #polledHead: string | undefined;
  #isClosed = false;

  constructor(path: string, rpc: RpcClient) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.#url = url.href;
    this.#rpc = rpc;
    this.#connect();
  }

  subscribe(subject: string, detail: unknown, listener: (news: unknown) => void): () => void {
    const subscription: Subscription = { subject, detail, listener };
    this.#subscriptions.add(subscription);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      if (subscription.id !== undefined) this.#send("eth_unsubscribe", [subscription.id]);
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#pollTimer);
    this.#socket?.close();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      clearTimeout(this.#pollTimer);
      this.#pollTimer = undefined;
      this.state.set("live");
      for (const subscription of this.#subscriptions) this.#ask(subscription);
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)));
    socket.onclose = () => {
      if (this.#isClosed) return;
      this.#asked.clear();
      for (const subscription of this.#subscriptions) delete subscription.id;
      this.#retryTimer = setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
      if (this.#pollTimer === undefined) void this.#poll();
    };
  }

  #send(method: string, params: readonly unknown[]): number | undefined {
    if (this.#socket?.readyState !== WebSocket.OPEN) return undefined;
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return id;
  }

  #ask(subscription: Subscription): void {
    const { subject, detail } = subscription;
    const id = this.#send("eth_subscribe", detail === undefined ? [subject] : [subject, detail]);
    if (id !== undefined) this.#asked.set(id, subscription);
  }

  #receive(message: {
    readonly id?: number;
    readonly result?: unknown;
    readonly params?: { readonly subscription?: string; readonly result?: unknown };
  }): void {
    if (message.id !== undefined) {
      const subscription = this.#asked.get(message.id);
      this.#asked.delete(message.id);
      if (subscription === undefined || typeof message.result !== "string") return;
      if (this.#subscriptions.has(subscription)) subscription.id = message.result;
      // It was given up before the node had answered.
      else this.#send("eth_unsubscribe", [message.result]);
      return;
    }
    const id = message.params?.subscription;
    if (id === undefined) return;
    for (const subscription of this.#subscriptions) {
      if (subscription.id === id) subscription.listener(message.params?.result);
    }
  }

  async #poll(): Promise<void> {
    this.#pollTimer = setTimeout(() => void this.#poll(), POLL_MS);
    try {
      const head = await this.#rpc.call<{ readonly hash: string } | null>("eth_getBlockByNumber", [
        "latest",
        false,
      ]);
      if (this.#pollTimer === undefined || this.#isClosed) return;
      this.state.set("polling");
      if (head === null || head.hash === this.#polledHead) return;
      this.#polledHead = head.hash;
      for (const { subject, listener } of this.#subscriptions) if (subject === "newHeads") listener(head);
    } catch {
      if (this.#pollTimer !== undefined) this.state.set("offline");
    }
  }
}
