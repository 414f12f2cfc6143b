import { type Decoder, decodeArgument, flag, shown, text } from "./decode.ts";
import type { RpcLimits } from "./limits.ts";
import { createCriteria, type LogFilter, logFilter } from "./log-search.ts";
import { defineMethod, type Method, optional, type RequestContext, required } from "./method.ts";
import { invalidParams, RPC_ERROR, RpcError } from "./rpc-error.ts";
import type { Subject, SubscriptionConnection } from "./subscription-hub.ts";

/** What the second parameter may be depends on the first; it is read when that is known. */
const anything: Decoder<unknown> = {
  type: "log filter, or true for whole transactions",
  decode: (value) => value,
};

function connectionOf({ connection }: RequestContext): SubscriptionConnection {
  if (connection !== undefined) return connection;
  throw new RpcError(RPC_ERROR.methodNotFound, "notifications not supported: subscribe over a WebSocket");
}

function subjectOf(kind: string, detail: unknown, filter: Decoder<LogFilter>): Subject {
  const isGiven = detail !== undefined && detail !== null;
  switch (kind) {
    case "newHeads":
      return { kind };
    case "logs": {
      const criteria = isGiven ? decodeArgument(filter, detail, 1).criteria : createCriteria([], []);
      return { kind, criteria };
    }
    case "newPendingTransactions":
      return { kind, isFull: isGiven && decodeArgument(flag, detail, 1) };
    case "views":
      return { kind };
    default:
      throw invalidParams(
        `no ${shown(kind)} subscription: there are newHeads, logs, newPendingTransactions, views`,
      );
  }
}

export const ethSubscribeMethods = (limits: RpcLimits): readonly Method[] => [
  defineMethod({
    name: "eth_subscribe",
    summary:
      "Pushes new blocks (newHeads), logs, pending transactions or what changes in views of consensus (views: lists as of ostrom_getViews) to this WebSocket.",
    parameters: [required("subject", text), optional("detail", anything, undefined)],
    returns: "id",
    run: (context, kind, detail) =>
      context.subscriptions.subscribe(connectionOf(context), subjectOf(kind, detail, logFilter(limits))),
  }),
  defineMethod({
    name: "eth_unsubscribe",
    summary: "Ends a subscription of this WebSocket.",
    parameters: [required("id", text)],
    returns: "whether it was there",
    run: (context, id) => {
      const wasThere = context.subscriptions.unsubscribe(connectionOf(context), id);
      if (!wasThere) throw new RpcError(RPC_ERROR.server, "subscription not found");
      return true;
    },
  }),
];
