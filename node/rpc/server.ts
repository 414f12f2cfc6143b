import type { RequestListener, Server, ServerOptions } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { createAccessRules } from "./access.ts";
import { type AccessError, type AccessSettings, OPEN_ACCESS, type Session } from "./access-control.ts";
import type { AccessReads } from "./access-roles.ts";
import type { RpcBackend } from "./backend.ts";
import { createDispatcher } from "./dispatch.ts";
import { type ConnectionEnds, createFrontDoor, isFromThisMachine } from "./front-door.ts";
import { createLoad, type HttpServices, handleHttp } from "./http-transport.ts";
import { DEFAULT_LIMITS, type RpcLimits } from "./limits.ts";
import type { Method } from "./method.ts";
import { observeConnections, observeMethods } from "./metrics-observer.ts";
import { combineListeners, createServices, isLoopback } from "./services.ts";
import type { SubscriptionConnection } from "./subscription-hub.ts";
import { createWebSocketTransport } from "./websocket-transport.ts";

/** As an import they would cost 50 ms more: Node makes all that they export, fetch and HTTP/2 included, ready for it. */
const HTTP = "node:http";
const HTTPS = "node:https";

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
  /** Methods besides those that every node has. */
  readonly methods?: readonly Method[];
  /** Methods that take the place of those which every node has: a development chain's. */
  readonly replacing?: readonly Method[];
  /** Who may call what; all is open to this machine unless told. `reads`: what the chain knows of accounts. */
  readonly access?: { readonly settings: AccessSettings; readonly reads?: AccessReads | undefined };
  readonly log?: RpcLog;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
  /** The port speaks TLS; plain HTTP is for programs of this machine alone. */
  readonly tls?: RpcTls | undefined;
  /** Whether a connection is from this machine; told by its addresses unless a test says otherwise. */
  readonly isLocal?: (ends: ConnectionEnds) => boolean;
};

/** PEM texts: the certificate with its chain, and its private key. */
export type RpcTls = { readonly certificate: string; readonly key: string };

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
  /** Takes a new certificate for connections to come. @throws RpcStartError `rpc/certificate`; the old one stays. */
  readonly renew: (tls: RpcTls) => void;
};

export type RpcStartErrorCode =
  | "rpc/port-taken"
  | "rpc/cannot-listen"
  | "rpc/unprotected"
  | "rpc/certificate";

/** Codes: `rpc/port-taken`, `rpc/cannot-listen`, `rpc/unprotected`, `rpc/certificate`. The message says what to do. */
export class RpcStartError extends Error {
  override readonly name = "RpcStartError";
  readonly code: RpcStartErrorCode;
  constructor(code: RpcStartErrorCode, message: string) {
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
  const dispatch = createDispatcher(observeMethods(services.methods), limits, (method, error) => {
    log("error", "a JSON-RPC method failed", { method, error });
  });
  const answer = (
    message: string,
    connection: SubscriptionConnection | undefined,
    session: Session,
    onRefused?: (error: AccessError) => void,
  ) => dispatch(message, { ...services, connection, session }, onRefused);
  const access = createAccessRules({
    host,
    allowedHosts: options.allowedHosts ?? [],
    allowedOrigins: options.allowedOrigins ?? [],
  });
  const load = createLoad();
  const webSockets = createWebSocketTransport({
    access,
    control: services.access,
    limits,
    load,
    subscriptions: services.subscriptions,
    answer,
  });
  const httpServices: HttpServices = {
    access,
    control: services.access,
    limits,
    load,
    answer: (message, session, onRefused) => answer(message, undefined, session, onRefused),
    health: () => health(backend, services.clientVersion),
  };
  const { door, https, servers } = createServers(options, limits, (request, response) =>
    handleHttp(httpServices, request, response),
  );
  for (const server of servers) server.on("upgrade", webSockets.upgrade);

  let endEvents = (): void => {};
  return {
    start: async () => {
      refuseUnprotected(options);
      const port = await listen(door, host, options.port);
      door.on("error", (error) => log("error", "the JSON-RPC server failed", { error }));
      const endNews = backend.events.subscribe(combineListeners(services));
      const endReviews = backend.events.subscribe({ onBlock: () => webSockets.review() });
      endEvents = () => {
        endNews();
        endReviews();
      };
      return { port };
    },
    stop: async () => {
      endEvents();
      services.waiter.close();
      webSockets.close();
      await closeAll(door, servers);
    },
    renew: (tls) => {
      if (https !== undefined) withCertificate(() => https.setSecureContext(contextOf(tls)));
    },
    connections: () => ({ webSockets: webSockets.connections(), requestsInFlight: load.inFlight }),
  };
}

/** Plain HTTP alone, or both behind one door. */
function createServers(
  { tls, isLocal = isFromThisMachine }: RpcServerOptions,
  limits: RpcLimits,
  listener: RequestListener,
): {
  /** The one that listens. */
  readonly door: NetServer;
  readonly https: SecureServer | undefined;
  readonly servers: readonly (Server | SecureServer)[];
} {
  const http = protect(process.getBuiltinModule(HTTP).createServer(timeouts(limits), listener), limits);
  const https = tls && protect(secureServer(tls, limits, listener), limits);
  const door = https === undefined ? http : createFrontDoor(http, https, isLocal, limits.receiveTimeoutMs);
  door.maxConnections = limits.connections;
  observeConnections(door);
  return { door, https, servers: https === undefined ? [http] : [http, https] };
}

async function closeAll(door: NetServer, servers: readonly (Server | SecureServer)[]): Promise<void> {
  const closed = new Promise<void>((resolve) => door.close(() => resolve()));
  for (const server of servers) {
    server.closeAllConnections();
    if (server !== door) server.close();
  }
  await closed;
}

function timeouts(limits: RpcLimits): ServerOptions {
  return {
    headersTimeout: limits.receiveTimeoutMs,
    requestTimeout: limits.receiveTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    // How often the two timeouts above are looked at.
    connectionsCheckingInterval: Math.max(50, Math.floor(limits.receiveTimeoutMs / 4)),
  };
}

function secureServer(tls: RpcTls, limits: RpcLimits, listener: RequestListener): SecureServer {
  const handshakeTimeout = limits.receiveTimeoutMs;
  return withCertificate(() =>
    process
      .getBuiltinModule(HTTPS)
      .createServer({ ...timeouts(limits), ...contextOf(tls), handshakeTimeout }, listener),
  );
}

function contextOf({ certificate, key }: RpcTls): {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2";
} {
  return { cert: certificate, key, minVersion: "TLSv1.2" };
}

function withCertificate<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new RpcStartError(
      "rpc/certificate",
      `rpc.tls: ${(error as Error).message}: give the PEM files of a certificate and of its own private key`,
    );
  }
}

function protect<S extends Server | SecureServer>(http: S, limits: RpcLimits): S {
  // A client that takes no answer bytes for this long, after its request, is dropped.
  http.setTimeout(limits.requestTimeoutMs + limits.idleTimeoutMs);
  http.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Where the handshake failed there is nobody to answer.
    const isTls = /^ERR_(?:SSL|TLS)/.test(error.code ?? "");
    if (socket.writable && !isTls) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    else socket.destroy();
  });
  return http;
}

/** Operator methods that must be served are never served to strangers. */
function refuseUnprotected({ host = "127.0.0.1", access }: RpcServerOptions): void {
  const { operatorMethods, kind } = access?.settings ?? OPEN_ACCESS;
  if (operatorMethods !== "on" || kind !== "none" || isLoopback(host)) return;
  throw new RpcStartError(
    "rpc/unprotected",
    `rpc.operatorMethods is "on" and JSON-RPC listens on ${host}, where others may reach it: set rpc.authentication to "jwt", or listen on 127.0.0.1`,
  );
}

function listen(http: NetServer, host: string, port: number): Promise<number> {
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
