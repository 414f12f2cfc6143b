import { quantity } from "@ostrom/rpc-schema";
import { hash } from "./decode.ts";
import { defineMethod, type Method, required } from "./method.ts";
import { refusalText } from "./pool-error.ts";

/** What this chain can tell beyond Ethereum's methods. */
export const ostromMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getMining",
    summary: "What this node's miner does, and what the next block costs; null on a chain that is not mined.",
    parameters: [],
    returns: "null or {mining, hashrate, difficulty}",
    run: ({ backend }) => {
      const report = backend.mining?.();
      if (report === undefined) return null;
      const { isMining, hashesPerSecond, difficulty } = report;
      return { mining: isMining, hashrate: quantity(hashesPerSecond), difficulty: quantity(difficulty) };
    },
  }),
  defineMethod({
    name: "ostrom_getTransactionStatus",
    summary: "Where a transaction stands: included (and certified or not), in the pool, or dropped and why.",
    parameters: [required("hash", hash)],
    returns:
      "{status: included | pending | queued | dropped | unknown, blockNumber, certified, reason, message}",
    run: async ({ backend, blocks }, transactionHash) => {
      const location = backend.chain.transactionLocation(transactionHash);
      if (location !== undefined) {
        const certified = location.blockNumber <= blocks.heads().certified;
        return { status: "included", blockNumber: quantity(location.blockNumber), certified };
      }
      const pooled = await backend.pool.get(transactionHash);
      if (pooled !== undefined) {
        const isRunnable = pooled.nonce < (await backend.pool.pendingNonce(pooled.sender));
        return { status: isRunnable ? "pending" : "queued" };
      }
      const reason = backend.chain.dropReason(transactionHash);
      if (reason === undefined) return { status: "unknown" };
      return { status: "dropped", reason: reason.code, message: refusalText(reason) };
    },
  }),
];
