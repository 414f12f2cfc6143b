import { AccessControl, OPEN_ACCESS } from "./access-control.ts";
import type { EventListener } from "./backend.ts";
import { createBlockReader } from "./block-reader.ts";
import { createFeeOracle } from "./fees.ts";
import { FilterRegistry } from "./filter-registry.ts";
import type { RpcLimits } from "./limits.ts";
import type { Services } from "./method.ts";
import { createMethods } from "./methods.ts";
import type { RpcServerOptions } from "./server.ts";
import { createSimulationQueue } from "./simulation-queue.ts";
import { createSubmissionGate } from "./submission-gate.ts";
import { createSubmissionQueue } from "./submission-queue.ts";
import { SubscriptionHub } from "./subscription-hub.ts";
import { createTransactionWaiter } from "./transaction-waiter.ts";
import { createViewNews } from "./view-news.ts";

/** What web3_clientVersion answers unless the backend says otherwise. */
export const DEFAULT_CLIENT_VERSION = "Ostrom/v0.1.0/typescript";

function performanceNow(): number {
  return performance.now();
}

/** Builds what all requests of one server share, on the port to the node. */
export function createServices(
  options: Pick<RpcServerOptions, "backend" | "methods" | "replacing" | "nowMs" | "host" | "access">,
  limits: RpcLimits,
  reportError: (error: unknown) => void,
): Services {
  const { backend, methods = [], replacing = [], nowMs = Date.now } = options;
  const blocks = createBlockReader(backend.chain, limits);
  return {
    backend,
    blocks,
    limits,
    nowMs,
    submissions: createSubmissionQueue(
      backend.pool,
      createSubmissionGate(limits, performanceNow),
      performanceNow,
    ),
    simulations: createSimulationQueue(backend.executor, limits),
    filters: new FilterRegistry(backend.chain, blocks, limits, nowMs),
    waiter: createTransactionWaiter(blocks),
    subscriptions: new SubscriptionHub(blocks, backend.pool, limits, reportError, createViewNews(backend)),
    fees: createFeeOracle(blocks, backend.chain, backend.info.rules, backend.nextBlock),
    access: createAccessControl(options, nowMs),
    clientVersion: backend.info.clientVersion ?? DEFAULT_CLIENT_VERSION,
    methods: createMethods(limits, methods, replacing),
  };
}

function createAccessControl(
  { backend, host, access }: Pick<RpcServerOptions, "backend" | "host" | "access">,
  nowMs: () => number,
): AccessControl {
  return new AccessControl({
    settings: access?.settings ?? OPEN_ACCESS,
    genesisHash: backend.info.genesisHash,
    reads: access?.reads,
    isLoopback: isLoopback(host ?? "127.0.0.1"),
    newestBlock: () => backend.chain.heads().latest,
    nowMs,
  });
}

/** Whether who listens there is reached by programs of the same machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

/** One listener for all that wait for news. Of a reorganisation (a number not above an earlier one) the cache hears
 * first, so that nobody reads a block that is no more. */
export function combineListeners({ blocks, waiter, filters, subscriptions }: Services): EventListener {
  const listeners = [waiter.listener, filters.listener, subscriptions.listener];
  let newest = -1;
  return {
    onUnwound: (unwound) => {
      const { number } = unwound.block.header;
      blocks.forgetFrom(number);
      filters.rewind(number);
      newest = number - 1;
      for (const listener of listeners) listener.onUnwound?.(unwound);
    },
    onBlock: (block) => {
      if (block.number <= newest) {
        blocks.forgetFrom(block.number);
        filters.rewind(block.number);
      }
      newest = block.number;
      for (const listener of listeners) listener.onBlock?.(block);
    },
    onPendingTransactions: (hashes) => {
      for (const listener of listeners) listener.onPendingTransactions?.(hashes);
    },
    onDropped: (dropped) => {
      for (const listener of listeners) listener.onDropped?.(dropped);
    },
  };
}
