import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describeChecks, type HealthAnswer, judgeHealth, judgeReadiness } from "./health.ts";
import { type MetricsPage, readMethods, readSeats } from "./metrics-counters.ts";
import { type ComputedSamples, describeMetrics } from "./metrics-text.ts";

export type MetricsServerOptions = {
  readonly page: MetricsPage;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly uptimeSeconds: () => number;
  readonly compute: () => Promise<ComputedSamples>;
};

export type MetricsServer = { readonly port: number; readonly stop: () => Promise<void> };

/** Codes: `metrics/port-taken`, `metrics/cannot-listen`. */
export class MetricsError extends Error {
  override readonly name = "MetricsError";
  readonly code: "metrics/port-taken" | "metrics/cannot-listen";
  constructor(code: MetricsError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const MAX_CONNECTIONS = 32;
const TIMEOUT_MS = 10_000;
const HELP =
  "GET /metrics (Prometheus), /health (the process and its threads), /ready (whether it should be given work)\n";

/** Answers GET /metrics, /health and /ready from memory that the node's threads share. Rejects with MetricsError. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_MS },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("clientError", (_error, socket) => socket.destroy());
  const port = await listen(server, options);
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { page, uptimeSeconds, compute }: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0];
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    send(response, 405, TEXT_TYPE, HELP);
    return;
  }
  switch (path) {
    case "/metrics": {
      const computed = await compute();
      const text = describeMetrics(readSeats(page), readMethods(page), computed, uptimeSeconds());
      send(response, 200, TEXT_TYPE, text);
      return;
    }
    case "/health":
      sendHealth(response, describeChecks("live", judgeHealth(readSeats(page), uptimeSeconds())));
      return;
    case "/ready":
      sendHealth(response, describeChecks("ready", judgeReadiness(readSeats(page), uptimeSeconds())));
      return;
    default:
      send(response, path === "/" ? 200 : 404, TEXT_TYPE, HELP);
  }
}

function sendHealth(response: ServerResponse, { isGood, body }: HealthAnswer): void {
  send(response, isGood ? 200 : 503, "application/json", body);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text, "utf8");
  response.writeHead(status, {
    "content-type": type,
    "content-length": body.length,
    "cache-control": "no-store",
  });
  response.end(body);
}

function listen(server: Server, { host, port }: MetricsServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      reject(
        isTaken
          ? new MetricsError(
              "metrics/port-taken",
              `port ${port} of ${host} for metrics is taken: stop what uses it, or choose another (metrics.port of node.json, --metrics-port)`,
            )
          : new MetricsError(
              "metrics/cannot-listen",
              `metrics cannot listen on ${host}:${port}: ${error.message}`,
            ),
      );
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      resolve((server.address() as AddressInfo).port);
    });
  });
}
