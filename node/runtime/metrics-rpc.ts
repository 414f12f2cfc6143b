import type { RpcObserver, RpcServer } from "@ostrom/rpc";
import { RPC } from "./metrics-catalog.ts";
import {
  count,
  countMethod,
  countOf,
  gauge,
  gaugeOf,
  type MetricsPage,
  nameMethods,
  observe,
} from "./metrics-counters.ts";

/** Counts what this thread's JSON-RPC does. */
export function countingObserver(page: MetricsPage): RpcObserver {
  let sockets = 0;
  return {
    methods: (names) => nameMethods(page, names),
    called: (method, calls, tookMs) => {
      const seconds = tookMs / 1_000;
      countMethod(RPC.requests, method, calls);
      countMethod(RPC.methodSeconds, method, seconds);
      observe(RPC.seconds, seconds);
    },
    failed: (code, isBusy) => {
      countOf(RPC.errors, String(code));
      if (isBusy) count(RPC.busy);
    },
    connected: (difference) => {
      sockets += difference;
      gaugeOf(RPC.sockets, "tcp", sockets);
    },
  };
}

export function showRpc({ webSockets, requestsInFlight }: ReturnType<RpcServer["connections"]>): void {
  gaugeOf(RPC.sockets, "websocket", webSockets);
  gauge(RPC.inFlight, requestsInFlight);
}
