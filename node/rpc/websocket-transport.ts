import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { AccessRules } from "./access.ts";
import { type AccessControl, AccessError, type Session } from "./access-control.ts";
import { errorText, refusalText } from "./answer-text.ts";
import { type Load, sessionOf } from "./http-transport.ts";
import type { RpcLimits } from "./limits.ts";
import { busy, RPC_ERROR, RpcError } from "./rpc-error.ts";
import type { SubscriptionConnection, SubscriptionHub } from "./subscription-hub.ts";

/** The WebSocket side of the server, on the same port as HTTP. */
export type WebSocketTransport = {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly connections: () => number;
  /** Roles may have changed: closes the connections of those who have none left. */
  readonly review: () => void;
  /** Says goodbye to all clients and drops those that do not answer. */
  readonly close: () => void;
};

export type WebSocketServices = {
  readonly access: AccessRules;
  readonly limits: RpcLimits;
  readonly subscriptions: SubscriptionHub;
  readonly control: AccessControl;
  readonly answer: (
    message: string,
    connection: SubscriptionConnection,
    session: Session,
  ) => string | undefined | Promise<string | undefined>;
  readonly load: Load;
};

/** What who is refused for want of room waits before it tries again. */
const RETRY_AFTER_MS = 1_000;
const GOING_AWAY = 1001;
/** Source: RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;
/** How long a client that must say who it is may take before it does. */
const AUTHENTICATION_MS = 10_000;

type Connection = SubscriptionConnection & {
  readonly socket: WebSocket;
  inFlight: number;
  isAlive: boolean;
  readonly session: Session;
  /** Ends the connection when its token does. */
  expiry: NodeJS.Timeout | undefined;
};

export function createWebSocketTransport(services: WebSocketServices): WebSocketTransport {
  const { limits, access } = services;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.webSocketMessageBytes,
    // Compression costs memory for each connection, and hostile input can make it expensive.
    perMessageDeflate: false,
    clientTracking: false,
  });
  const connections = new Set<Connection>();

  const pinging = setInterval(() => {
    for (const connection of connections) {
      // While its requests are worked on, a connection may be paused, so that its pongs are not read.
      if (!connection.isAlive && connection.inFlight === 0) connection.socket.terminate();
      connection.isAlive = false;
      connection.socket.ping();
    }
  }, limits.webSocketPingMs);
  pinging.unref();

  return {
    upgrade: (request, socket, head) => {
      // Until the handshake is done nobody else listens for this socket's errors.
      socket.on("error", ignoreError);
      const refused = access.refuseHost(request.headers.host) ?? access.refuseOrigin(request.headers.origin);
      if (refused !== undefined) {
        return refuseUpgrade(socket, "403 Forbidden", new RpcError(RPC_ERROR.invalidRequest, refused));
      }
      const session = sessionOf(services.control, request);
      if (session instanceof AccessError) return refuseUpgrade(socket, "401 Unauthorized", session);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", ignoreError);
        const connection = createConnection(webSocket, services, session);
        connections.add(connection);
        webSocket.on("close", () => {
          connections.delete(connection);
          clearTimeout(connection.expiry);
          services.subscriptions.close(connection);
        });
        serve(services, connection);
      });
    },
    connections: () => connections.size,
    review: () => {
      for (const { session, socket, subscriptions } of connections) {
        if (!services.control.mayStay(session.caller, subscriptions.size > 0))
          socket.close(POLICY_VIOLATION, "this account has no rights here");
      }
    },
    close: () => {
      clearInterval(pinging);
      for (const { socket } of connections) {
        socket.close(GOING_AWAY, "the node stops");
        socket.terminate();
      }
      server.close();
    },
  };
}

/** The socket closes by itself after an error; there is nobody to tell. */
function ignoreError(): void {}

function createConnection(
  socket: WebSocket,
  { limits, control }: WebSocketServices,
  first: Session,
): Connection {
  const send = (message: string): void => {
    if (socket.readyState !== socket.OPEN) return;
    // A client that does not read would make the node remember everything for it.
    if (socket.bufferedAmount + message.length > limits.webSocketSendBufferBytes) socket.terminate();
    else socket.send(message);
  };
  const session: Session = {
    ...first,
    authenticate: (caller) => {
      session.caller = caller;
      endWithToken(connection, control);
    },
  };
  const connection: Connection = {
    socket,
    send,
    subscriptions: new Map(),
    inFlight: 0,
    isAlive: true,
    session,
    expiry: undefined,
  };
  endWithToken(connection, control);
  return connection;
}

/** Closes a connection when its token is no longer good, and one that must show a token and does not. */
function endWithToken(connection: Connection, control: AccessControl): void {
  const { socket, session } = connection;
  clearTimeout(connection.expiry);
  const close = (reason: string): void => socket.close(POLICY_VIOLATION, reason);
  const { caller } = session;
  if (caller.kind === "anonymous") {
    if (!control.needsToken()) return;
    connection.expiry = setTimeout(() => close("no token was shown"), AUTHENTICATION_MS).unref();
    return;
  }
  const check = (): void => {
    if (control.mayStay(caller)) endWithToken(connection, control);
    else close("the token has expired");
  };
  connection.expiry = setTimeout(check, control.millisecondsLeft(caller)).unref();
}

function serve({ answer, limits, load, subscriptions }: WebSocketServices, connection: Connection): void {
  const { socket, send } = connection;
  const finish = (text: string | undefined): void => {
    if (text !== undefined) send(text);
    subscriptions.release(connection);
  };
  const finishLater = async (pending: Promise<string | undefined>): Promise<void> => {
    load.inFlight++;
    connection.inFlight++;
    // What the client sends meanwhile waits in its socket, not in our memory.
    if (connection.inFlight >= limits.webSocketConcurrentMessages) socket.pause();
    try {
      finish(await pending);
    } finally {
      load.inFlight--;
      connection.inFlight--;
      if (socket.isPaused) socket.resume();
    }
  };
  socket.on("message", (data: RawData) => {
    connection.isAlive = true;
    if (load.inFlight >= limits.concurrentRequests) {
      const error = busy("the node is busy: try again in a second", RETRY_AFTER_MS);
      return finish(refusalText(textOf(data), error, limits.batchRequests));
    }
    const pending = answer(textOf(data), connection, connection.session);
    if (pending instanceof Promise) void finishLater(pending);
    else finish(pending);
  });
  socket.on("pong", () => {
    connection.isAlive = true;
  });
  socket.on("error", ignoreError);
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return data instanceof ArrayBuffer ? Buffer.from(data).toString("utf8") : data.toString("utf8");
}

function refuseUpgrade(socket: Duplex, status: string, error: RpcError): void {
  const body = errorText(null, error);
  const head = [
    `HTTP/1.1 ${status}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
