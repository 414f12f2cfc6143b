import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAccessRules } from "./access.ts";
import type { RpcBackend } from "./backend.ts";
import { createDispatcher } from "./dispatch.ts";
import { type HttpServices, handleHttp, type Load } from "./http-transport.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import { combineListeners, createServices } from "./services.ts";
import type { SubscriptionConnection } from "./subscription-hub.ts";
import { createWebSocketTransport } from "./websocket-transport.ts";

export type RpcServerOptions = {
  readonly backend: RpcBackend;
  /** Where to listen; 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Replaces some of `DEFAULT_LIMITS`. */
  readonly limits?: Partial<RpcLimits>;
  /** Names that clients may call this machine by, besides localhost and IP addresses; "*" allows all. */
  readonly allowedHosts?: readonly string[];
  /** Web pages that may use the server, besides those of this machine and browser extensions; "*" allows all. */
  readonly allowedOrigins?: readonly string[];
  readonly log?: RpcLog;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
};

export type RpcLog = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export type RpcServer = {
  /** @returns the port it listens on. Rejects with an RpcStartError. */
  readonly start: () => Promise<{ readonly port: number }>;
  /** Ends all connections and releases the port. */
  readonly stop: () => Promise<void>;
  readonly connections: () => { readonly webSockets: number; readonly requestsInFlight: number };
};

/** Codes: `rpc/port-taken`, `rpc/cannot-listen`. The message says what to do. */
export class RpcStartError extends Error {
  override readonly name = "RpcStartError";
  readonly code: "rpc/port-taken" | "rpc/cannot-listen";
  constructor(code: "rpc/port-taken" | "rpc/cannot-listen", message: string) {
    super(message);
    this.code = code;
  }
}

/** JSON-RPC 2.0 over HTTP and WebSocket on one port. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  const { backend, host = "127.0.0.1", log = () => {} } = options;
  const limits: RpcLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const services = createServices(options, limits, (error) => {
    log("error", "a subscription failed", { error });
  });
  const dispatch = createDispatcher(services.methods, limits, (method, error) => {
    log("error", "a JSON-RPC method failed", { method, error });
  });
  const answer = (message: string, connection: SubscriptionConnection | undefined) =>
    dispatch(message, { ...services, connection });
  const access = createAccessRules({
    host,
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
  });
  const load: Load = { inFlight: 0, unreadBytes: 0 };
  const webSockets = createWebSocketTransport({
    access,
    limits,
    load,
    subscriptions: services.subscriptions,
    answer,
  });
  const httpServices: HttpServices = {
    access,
    limits,
    load,
    answer: (message) => answer(message, undefined),
    health: () => health(backend, services.clientVersion),
  };
  const http = createServer(
    {
      headersTimeout: limits.receiveTimeoutMs,
      requestTimeout: limits.receiveTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      // How often the two timeouts above are looked at.
      connectionsCheckingInterval: Math.max(50, Math.floor(limits.receiveTimeoutMs / 4)),
    },
    (request, response) => handleHttp(httpServices, request, response),
  );
  http.maxConnections = limits.connections;
  // A client that takes no answer bytes for this long, after its request, is dropped.
  http.setTimeout(limits.requestTimeoutMs + limits.idleTimeoutMs);
  http.on("upgrade", webSockets.upgrade);
  http.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    else socket.destroy();
  });

  let endEvents = (): void => {};
  return {
    start: async () => {
      const port = await listen(http, host, options.port);
      http.on("error", (error) => log("error", "the JSON-RPC server failed", { error }));
      endEvents = backend.events.subscribe(combineListeners(services));
      return { port };
    },
    stop: async () => {
      endEvents();
      services.waiter.close();
      webSockets.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
    connections: () => ({ webSockets: webSockets.connections(), requestsInFlight: load.inFlight }),
  };
}

function listen(http: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once("error", (error: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`;
      reject(
        error.code === "EADDRINUSE"
          ? new RpcStartError(
              "rpc/port-taken",
              `port ${port} is taken on ${host}: stop what uses it, or choose another`,
            )
          : new RpcStartError("rpc/cannot-listen", `cannot listen on ${where}: ${error.message}`),
      );
    });
    http.listen(port, host, () => {
      http.removeAllListeners("error");
      resolve((http.address() as AddressInfo).port);
    });
  });
}

function health(
  backend: RpcBackend,
  clientVersion: string,
): { readonly isReady: boolean; readonly body: string } {
  const { latest, certified } = backend.chain.heads();
  const progress = backend.syncing();
  const body = {
    client: clientVersion,
    chainId: Number(backend.info.rules.chainId),
    latest,
    certified,
    syncing: progress ?? false,
    peers: backend.peerCount(),
    help: "Send JSON-RPC 2.0 requests with POST, or open a WebSocket, at this address; rpc.discover lists the methods.",
  };
  return { isReady: progress === undefined, body: `${JSON.stringify(body, null, 2)}\n` };
}
