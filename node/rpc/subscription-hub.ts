import { randomBytes } from "node:crypto";
import { type Hash, toHex } from "@ostrom/base";
import { headerToJson, pendingTransactionToJson } from "@ostrom/rpc-schema";
import type { EventListener, PoolPort, UnwoundBlock } from "./backend.ts";
import { type BlockReader, type ReadBlock, readBlock } from "./block-reader.ts";
import type { Json } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { type LogCriteria, logsOfBlock } from "./log-search.ts";
import { limitExceeded } from "./rpc-error.ts";
import type { ViewNews } from "./view-news.ts";

/** A client that news can be pushed to. */
export type SubscriptionConnection = {
  readonly send: (message: string) => void;
  readonly subscriptions: Map<string, Subscription>;
};

export type Subject =
  | { readonly kind: "newHeads" }
  | { readonly kind: "logs"; readonly criteria: LogCriteria }
  | { readonly kind: "newPendingTransactions"; readonly isFull: boolean }
  | { readonly kind: "views" };

/** Until the client has been told the id, news wait in `held`: it could not tell whose they are. */
export type Subscription = {
  readonly id: string;
  readonly subject: Subject;
  readonly connection: SubscriptionConnection;
  held: string[] | undefined;
};

const ID_BYTES = 16;
/** News held for a subscription whose id is not told yet. */
const MAX_HELD = 10_000;

/** Pushes news to WebSocket clients (eth_subscribe). Each piece of news is encoded once, whoever gets it. */
export class SubscriptionHub {
  readonly #all: Record<Subject["kind"], Set<Subscription>> = {
    newHeads: new Set(),
    logs: new Set(),
    newPendingTransactions: new Set(),
    views: new Set(),
  };
  readonly #blocks: Pick<BlockReader, "byNumber">;
  readonly #pool: Pick<PoolPort, "get">;
  readonly #maxOfConnection: number;
  readonly #views: ViewNews | undefined;
  readonly #reportError: (error: unknown) => void;

  constructor(
    blocks: Pick<BlockReader, "byNumber">,
    pool: Pick<PoolPort, "get">,
    limits: Pick<RpcLimits, "webSocketSubscriptions">,
    reportError: (error: unknown) => void,
    views?: ViewNews,
  ) {
    this.#views = views;
    this.#blocks = blocks;
    this.#pool = pool;
    this.#maxOfConnection = limits.webSocketSubscriptions;
    this.#reportError = reportError;
  }

  readonly listener: EventListener = {
    onBlock: ({ number }) => this.#tellBlock(number),
    onUnwound: (unwound) => this.#tellUnwound(unwound),
    onPendingTransactions: (hashes) => {
      if (this.#all.newPendingTransactions.size > 0) this.#tellPending(hashes).catch(this.#reportError);
    },
  };

  /** @returns the new subscription's id; its news wait until `release`. */
  subscribe(connection: SubscriptionConnection, subject: Subject): string {
    if (connection.subscriptions.size >= this.#maxOfConnection) {
      throw limitExceeded("too many subscriptions on this connection", this.#maxOfConnection);
    }
    const id = toHex(randomBytes(ID_BYTES));
    const subscription: Subscription = { id, subject, connection, held: [] };
    connection.subscriptions.set(id, subscription);
    this.#all[subject.kind].add(subscription);
    if (subject.kind === "views") this.#views?.start((news) => this.#tellViews(news));
    return id;
  }

  /** @returns whether it was there. */
  unsubscribe(connection: SubscriptionConnection, id: string): boolean {
    const subscription = connection.subscriptions.get(id);
    if (subscription === undefined) return false;
    this.#all[subscription.subject.kind].delete(subscription);
    if (this.#all.views.size === 0) this.#views?.stop();
    return connection.subscriptions.delete(id);
  }

  /** Lets the news of new subscriptions go, after the answer with their ids was sent. */
  release(connection: SubscriptionConnection): void {
    for (const subscription of connection.subscriptions.values()) {
      const held = subscription.held ?? [];
      subscription.held = undefined;
      for (const message of held) connection.send(message);
    }
  }

  /** Ends all subscriptions of a connection. */
  close(connection: SubscriptionConnection): void {
    for (const id of [...connection.subscriptions.keys()]) this.unsubscribe(connection, id);
  }

  #tellBlock(blockNumber: number): void {
    const { newHeads, logs } = this.#all;
    if (newHeads.size === 0 && logs.size === 0) return;
    const block = this.#blocks.byNumber(blockNumber);
    if (block === undefined) return;
    const head = newHeads.size === 0 ? "" : stringify(headerToJson(block.hash, block.header));
    for (const subscription of newHeads) notify(subscription, head);
    this.#tellLogs(block, false);
  }

  /** Logs are told again, as removed; of heads, those that take their place tell enough. Source: go-ethereum. */
  #tellUnwound({ block, receipts }: UnwoundBlock): void {
    if (this.#all.logs.size > 0)
      this.#tellLogs(
        readBlock(() => receipts, block),
        true,
      );
  }

  #tellLogs(block: ReadBlock, isRemoved: boolean): void {
    for (const subscription of this.#all.logs) {
      if (subscription.subject.kind !== "logs") continue;
      for (const log of logsOfBlock(block, subscription.subject.criteria, isRemoved))
        notify(subscription, stringify(log));
    }
  }

  #tellViews(news: Json): void {
    const text = stringify(news);
    for (const subscription of this.#all.views) notify(subscription, text);
  }

  async #tellPending(hashes: readonly Hash[]): Promise<void> {
    const subscriptions = this.#all.newPendingTransactions;
    const hasFull = [...subscriptions].some(isFull);
    for (const hash of hashes) {
      const short = stringify(toHex(hash));
      const transaction = hasFull ? await this.#pool.get(hash) : undefined;
      const full = transaction === undefined ? undefined : stringify(pendingTransactionToJson(transaction));
      for (const subscription of subscriptions) {
        const news = isFull(subscription) ? full : short;
        if (news !== undefined) notify(subscription, news);
      }
    }
  }
}

function isFull({ subject }: Subscription): boolean {
  return subject.kind === "newPendingTransactions" && subject.isFull;
}

function stringify(news: Json): string {
  return JSON.stringify(news);
}

/** @param news JSON text. Source: go-ethereum's publish-subscribe protocol. */
function notify(subscription: Subscription, news: string): void {
  const message = `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${subscription.id}","result":${news}}}`;
  if (subscription.held === undefined) subscription.connection.send(message);
  else if (subscription.held.length < MAX_HELD) subscription.held.push(message);
}
