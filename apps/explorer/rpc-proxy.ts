import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { refuse } from "./responses.ts";

/** `/rpc/{n}`: the n-th node's JSON-RPC on the console's own origin, over HTTP and WebSocket. What goes through is marked as forwarded, so
 * that a node never takes a page for a program of its own machine (node/rpc, "Who may call what"). */
export type RpcProxy = {
  readonly handle: (index: number, request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (index: number, request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly close: () => void;
};

export const PROXY_LIMITS: Readonly<
  Record<
    | "bodyBytes"
    | "concurrentRequests"
    | "webSockets"
    | "webSocketMessageBytes"
    | "bufferedBytes"
    | "earlyMessages"
    | "timeoutMs",
    number
  >
> = {
  bodyBytes: 16 * 1024 * 1024,
  /** Requests on their way to nodes at once. */
  concurrentRequests: 256,
  webSockets: 256,
  webSocketMessageBytes: 16 * 1024 * 1024,
  /** Waiting for a page, or a node, that does not read; past it the connection ends. */
  bufferedBytes: 16 * 1024 * 1024,
  /** Messages of a page that wait until the node's side is open. */
  earlyMessages: 64,
  timeoutMs: 35_000,
};

const VIA = "1.1 ostrom-console";
const FORWARDED_ANSWER_HEADERS: readonly string[] = ["content-type", "retry-after", "www-authenticate"];
const GOING_AWAY = 1001;
const TOO_MUCH = 1009;
const TRY_AGAIN = 1013;
/** For a page to hear why. */
const CLOSE_MS = 1_000;

export function createRpcProxy(urls: readonly string[]): RpcProxy {
  const targets = urls.map((url) => new URL(url));
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: true,
    maxPayload: PROXY_LIMITS.webSocketMessageBytes,
  });
  let inFlight = 0;
  return {
    handle: (index, request, response) => {
      const target = targets[index];
      if (target === undefined) return refuse(response, 404, "not-found", `there is no node ${index}`);
      if (request.method !== "POST") return refuse(response, 405, "bad-method", "send JSON-RPC with POST");
      const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
      // A form of a foreign page can post without asking first, but not as JSON.
      if (type !== "application/json") return refuse(response, 415, "bad-type", "send application/json");
      if (Number(request.headers["content-length"] ?? 0) > PROXY_LIMITS.bodyBytes)
        return refuse(response, 413, "too-large", `a body has at most ${PROXY_LIMITS.bodyBytes} bytes`);
      if (inFlight >= PROXY_LIMITS.concurrentRequests)
        return refuse(response, 503, "busy", "too many requests are on their way");
      inFlight++;
      response.once("close", () => {
        inFlight--;
      });
      forward(target, request, response);
    },
    upgrade: (index, request, socket, head) => {
      const target = targets[index];
      if (target === undefined || server.clients.size >= PROXY_LIMITS.webSockets) {
        socket.end(`HTTP/1.1 ${target === undefined ? "404 Not Found" : "503 Service Unavailable"}\r\n\r\n`);
        return;
      }
      server.handleUpgrade(request, socket, head, (page) => join(page, target, request));
    },
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

function headersFor(request: IncomingMessage): Record<string, string> {
  const { authorization } = request.headers;
  return {
    via: VIA,
    "x-forwarded-for": request.socket.remoteAddress ?? "unknown",
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function forward(target: URL, request: IncomingMessage, response: ServerResponse): void {
  const length = request.headers["content-length"];
  const send = target.protocol === "https:" ? httpsRequest : httpRequest;
  const onward = send(target, {
    method: "POST",
    timeout: PROXY_LIMITS.timeoutMs,
    headers: {
      ...headersFor(request),
      "content-type": "application/json",
      ...(length === undefined ? {} : { "content-length": length }),
    },
  });
  onward.on("response", (answer) => {
    const headers = FORWARDED_ANSWER_HEADERS.flatMap((name) => {
      const value = answer.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  onward.on("timeout", () => onward.destroy(new Error("no answer in time")));
  onward.on("error", (error) => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502, "node-unreachable", `the node does not answer: ${error.message}`);
  });
  response.once("close", () => onward.destroy());
  let received = 0;
  request.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > PROXY_LIMITS.bodyBytes) request.destroy();
  });
  request.pipe(onward);
}

/** Ties a page's socket to one of the node's. Either's end is the other's. */
function join(page: WebSocket, target: URL, request: IncomingMessage): void {
  const address = new URL(target);
  address.protocol = target.protocol === "https:" ? "wss:" : "ws:";
  const node = new WebSocket(address, {
    headers: headersFor(request),
    maxPayload: PROXY_LIMITS.webSocketMessageBytes,
    handshakeTimeout: PROXY_LIMITS.timeoutMs,
    perMessageDeflate: false,
  });
  const early: string[] = [];
  let earlyBytes = 0;
  page.on("message", (data, isBinary) => {
    if (isBinary) return page.close(TOO_MUCH, "text only");
    const text = textOf(data);
    if (node.readyState === WebSocket.OPEN) return pass(node, page, text);
    earlyBytes += text.length;
    const isTooMuch = early.length >= PROXY_LIMITS.earlyMessages || earlyBytes > PROXY_LIMITS.bufferedBytes;
    if (!isTooMuch) early.push(text);
    else if (page.readyState === WebSocket.OPEN) {
      page.close(TRY_AGAIN, "busy");
      // Who goes on sending is not read any more.
      page.pause();
      setTimeout(() => page.terminate(), CLOSE_MS).unref();
    }
  });
  node.on("open", () => {
    for (const text of early.splice(0)) node.send(text);
  });
  node.on("message", (data) => pass(page, node, textOf(data)));
  for (const [one, other] of [
    [page, node],
    [node, page],
  ] as const) {
    one.on("error", () => one.terminate());
    one.on("close", () => {
      if (other.readyState === WebSocket.CONNECTING) other.terminate();
      else other.close(GOING_AWAY);
    });
  }
}

function pass(to: WebSocket, from: WebSocket, text: string): void {
  if (to.bufferedAmount > PROXY_LIMITS.bufferedBytes) {
    to.terminate();
    from.close(TOO_MUCH, "the other side does not read");
  } else if (to.readyState === WebSocket.OPEN) to.send(text);
}

function textOf(data: RawData): string {
  return Array.isArray(data)
    ? Buffer.concat(data).toString("utf8")
    : Buffer.from(data as Buffer).toString("utf8");
}
