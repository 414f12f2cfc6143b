import type { Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";

/** Where a connection comes from, and where it arrives. */
export type ConnectionEnds = {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
};

/** First byte of a TLS connection: a record of the handshake (RFC 8446, 5.1). No HTTP request begins with it. */
const TLS_HANDSHAKE = 0x16;
const REFUSAL =
  "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nThis port speaks TLS: use https:// or wss://\n";

/** One port for TLS and, from this machine alone, for plain HTTP: the node's own tools and services need no certificate.
 * @param plain, secure servers that do not listen themselves.
 * @param isLocal whether a connection is from this machine.
 * @param firstByteMs how long who connects may be silent. */
export function createFrontDoor(
  plain: HttpServer,
  secure: HttpsServer,
  isLocal: (ends: ConnectionEnds) => boolean,
  firstByteMs: number,
): Server {
  const silent = new Set<Socket>();
  const door = createServer((socket) => {
    silent.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => silent.delete(socket));
    const patience = setTimeout(() => socket.destroy(), firstByteMs);
    socket.once("data", (first: Buffer) => {
      clearTimeout(patience);
      silent.delete(socket);
      const isSecure = first[0] === TLS_HANDSHAKE;
      if (!isSecure && !isLocal(socket)) {
        socket.end(REFUSAL);
        return;
      }
      // The server reads it as if it had just come.
      socket.pause();
      socket.unshift(first);
      (isSecure ? secure : plain).emit("connection", socket);
      process.nextTick(() => socket.resume());
    });
    socket.once("close", () => clearTimeout(patience));
  });
  // What makes them watch over slow requests.
  for (const server of [plain, secure]) server.emit("listening");
  door.once("close", () => {
    for (const socket of silent) socket.destroy();
  });
  return door;
}

/** Whether somebody connects from this machine: from its loopback, or from the very address that the connection goes to. */
export function isFromThisMachine({ remoteAddress, localAddress }: ConnectionEnds): boolean {
  if (remoteAddress === undefined) return false;
  return /^(?:::ffff:)?127\.|^::1$/.test(remoteAddress) || remoteAddress === localAddress;
}
