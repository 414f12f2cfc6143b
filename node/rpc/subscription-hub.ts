import { randomBytes } from "node:crypto";
import { type Hash, toHex } from "@ostrom/base";
import type { EventListener, PoolPort } from "./backend.ts";
import type { BlockReader, ReadBlock } from "./block-reader.ts";
import { headerToJson, pendingTransactionToJson } from "./encode.ts";
import type { Json } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import { type LogCriteria, logsOfBlock } from "./log-search.ts";
import { limitExceeded } from "./rpc-error.ts";

/** A client that news can be pushed to. */
export type SubscriptionConnection = {
  readonly send: (message: string) => void;
  readonly subscriptions: Map<string, Subscription>;
};

export type Subject =
  | { readonly kind: "newHeads" }
  | { readonly kind: "logs"; readonly criteria: LogCriteria }
  | { readonly kind: "newPendingTransactions"; readonly isFull: boolean };

/** Until the client has been told the id, news wait in `held`: it could not tell whose they are. */
export type Subscription = {
  readonly id: string;
  readonly subject: Subject;
  readonly connection: SubscriptionConnection;
  held: string[] | undefined;
};

/** Pushes news to WebSocket clients (eth_subscribe). Each piece of news is encoded once, whoever gets it. */
export type SubscriptionHub = {
  readonly subscribe: (connection: SubscriptionConnection, subject: Subject) => string;
  readonly unsubscribe: (connection: SubscriptionConnection, id: string) => boolean;
  /** Lets the news of new subscriptions go, after the answer with their ids was sent. */
  readonly release: (connection: SubscriptionConnection) => void;
  readonly close: (connection: SubscriptionConnection) => void;
  readonly listener: EventListener;
};

const ID_BYTES = 16;
/** News held for a subscription whose id is not told yet. */
const MAX_HELD = 10_000;

export function createSubscriptionHub(
  blocks: Pick<BlockReader, "byNumber">,
  pool: Pick<PoolPort, "get">,
  limits: Pick<RpcLimits, "webSocketSubscriptions">,
  reportError: (error: unknown) => void,
): SubscriptionHub {
  const all: Record<Subject["kind"], Set<Subscription>> = {
    newHeads: new Set(),
    logs: new Set(),
    newPendingTransactions: new Set(),
  };

  const tellLogs = (block: ReadBlock): void => {
    for (const subscription of all.logs) {
      if (subscription.subject.kind !== "logs") continue;
      for (const log of logsOfBlock(block, subscription.subject.criteria)) notify(subscription, stringify(log));
    }
  };
  const tellPending = async (hashes: readonly Hash[]): Promise<void> => {
    const hasFull = [...all.newPendingTransactions].some(isFull);
    for (const hash of hashes) {
      const short = stringify(toHex(hash));
      const transaction = hasFull ? await pool.get(hash) : undefined;
      const full = transaction === undefined ? undefined : stringify(pendingTransactionToJson(transaction));
      for (const subscription of all.newPendingTransactions) {
        const news = isFull(subscription) ? full : short;
        if (news !== undefined) notify(subscription, news);
      }
    }
  };

  return {
    subscribe: (connection, subject) => {
      if (connection.subscriptions.size >= limits.webSocketSubscriptions) {
        throw limitExceeded("too many subscriptions on this connection", limits.webSocketSubscriptions);
      }
      const id = toHex(randomBytes(ID_BYTES));
      const subscription: Subscription = { id, subject, connection, held: [] };
      connection.subscriptions.set(id, subscription);
      all[subject.kind].add(subscription);
      return id;
    },
    unsubscribe: (connection, id) => {
      const subscription = connection.subscriptions.get(id);
      if (subscription === undefined) return false;
      all[subscription.subject.kind].delete(subscription);
      return connection.subscriptions.delete(id);
    },
    release: (connection) => {
      for (const subscription of connection.subscriptions.values()) {
        const held = subscription.held ?? [];
        subscription.held = undefined;
        for (const message of held) connection.send(message);
      }
    },
    close: (connection) => {
      for (const subscription of connection.subscriptions.values()) {
        all[subscription.subject.kind].delete(subscription);
      }
      connection.subscriptions.clear();
    },
    listener: {
      onBlock: ({ number }) => {
        if (all.newHeads.size === 0 && all.logs.size === 0) return;
        const block = blocks.byNumber(number);
        if (block === undefined) return;
        if (all.newHeads.size > 0) {
          const head = stringify(headerToJson(block.hash, block.header));
          for (const subscription of all.newHeads) notify(subscription, head);
        }
        tellLogs(block);
      },
      onPendingTransactions: (hashes) => {
        if (all.newPendingTransactions.size > 0) tellPending(hashes).catch(reportError);
      },
    },
  };
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
