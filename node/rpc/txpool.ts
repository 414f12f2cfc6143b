import { toHex, toHexDigits } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";
import { checksumAddress, pendingTransactionToJson, quantity } from "@ostrom/rpc-schema";
import { address } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { defineMethod, type Method, required } from "./method.ts";

/** {sender: {nonce: shown transaction}}, the sender with EIP-55's checksum, as geth has it. */
function bySender(
  transactions: readonly SignedTransaction[],
  show: (transaction: SignedTransaction) => Json,
): JsonObject {
  const groups = new Map<string, [string, Json][]>();
  const names = new Map<string, string>();
  for (const transaction of transactions) {
    const key = toHexDigits(transaction.sender);
    const group = groups.get(key) ?? [];
    group.push([transaction.nonce.toString(), show(transaction)]);
    groups.set(key, group);
    if (!names.has(key)) names.set(key, checksumAddress(transaction.sender));
  }
  return Object.fromEntries([...groups].map(([key, group]) => [names.get(key)!, Object.fromEntries(group)]));
}

function byNonce(transactions: readonly SignedTransaction[]): JsonObject {
  return Object.fromEntries(
    transactions.map((transaction) => [transaction.nonce.toString(), pendingTransactionToJson(transaction)]),
  );
}

function summary(transaction: SignedTransaction): string {
  const to = transaction.to === undefined ? "contract creation" : toHex(transaction.to);
  return `${to}: ${transaction.value} wei + ${transaction.gasLimit} gas × ${transaction.maxFeePerGas} wei`;
}

export const txpoolMethods: readonly Method[] = [
  defineMethod({
    name: "txpool_status",
    summary: "How many transactions this node's pool holds.",
    parameters: [],
    returns: "{pending, queued}",
    run: async ({ backend }) => {
      const { pending, queued } = await backend.pool.status();
      return { pending: quantity(pending), queued: quantity(queued) };
    },
  }),
  defineMethod({
    name: "txpool_content",
    summary: "All transactions in this node's pool, by sender and nonce.",
    parameters: [],
    returns: "{pending, queued}",
    run: async ({ backend }) => {
      const { pending, queued } = await backend.pool.content();
      return {
        pending: bySender(pending, pendingTransactionToJson),
        queued: bySender(queued, pendingTransactionToJson),
      };
    },
  }),
  defineMethod({
    name: "txpool_contentFrom",
    summary: "One sender's transactions in this node's pool, by nonce.",
    parameters: [required("address", address)],
    returns: "{pending, queued}",
    run: async ({ backend }, sender) => {
      const { pending, queued } = await backend.pool.content(sender);
      return { pending: byNonce(pending), queued: byNonce(queued) };
    },
  }),
  defineMethod({
    name: "txpool_inspect",
    summary: "All transactions in this node's pool, one line each, for people.",
    parameters: [],
    returns: "{pending, queued}",
    run: async ({ backend }) => {
      const { pending, queued } = await backend.pool.content();
      return { pending: bySender(pending, summary), queued: bySender(queued, summary) };
    },
  }),
];
