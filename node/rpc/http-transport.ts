import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRules } from "./access.ts";
import { errorText } from "./dispatch.ts";
import type { RpcLimits } from "./limits.ts";
import { limitExceeded, RPC_ERROR, RpcError } from "./rpc-error.ts";

/** What the HTTP side needs of the server. */
export type HttpServices = {
  readonly access: AccessRules;
  readonly limits: RpcLimits;
  /** @returns undefined where nothing is to be answered. */
  readonly answer: (message: string) => string | undefined | Promise<string | undefined>;
  /** What GET / says: for people, and for health checks. */
  readonly health: () => { readonly isReady: boolean; readonly body: string };
  readonly load: Load;
};

/** Requests being worked on, of HTTP and WebSocket together. */
export type Load = { inFlight: number };

const JSON_TYPES: readonly string[] = ["application/json", "application/json-rpc", "application/jsonrequest"];
const PREFLIGHT_SECONDS = "7200";
const PATHS: readonly string[] = ["/", "/health"];

/** Answers one HTTP request: POST / (JSON-RPC), GET / and GET /health (state of the node), OPTIONS / (CORS). */
export function handleHttp(services: HttpServices, request: IncomingMessage, response: ServerResponse): void {
  const { access } = services;
  const refusedHost = access.refuseHost(request.headers.host);
  if (refusedHost !== undefined) return refuse(response, 403, refusedHost);
  const { origin } = request.headers;
  const refusedOrigin = access.refuseOrigin(origin);
  if (refusedOrigin !== undefined) return refuse(response, 403, refusedOrigin);
  if (origin !== undefined) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "Origin");
  }
  const path = (request.url ?? "/").split("?", 1)[0]!;
  if (!PATHS.includes(path)) return refuse(response, 404, "JSON-RPC is served at /");
  switch (request.method) {
    case "POST":
      return handlePost(services, request, response);
    case "OPTIONS":
      return preflight(request, response);
    case "GET":
    case "HEAD": {
      const { isReady, body } = services.health();
      return send(response, isReady || path === "/" ? 200 : 503, "application/json", body);
    }
    default:
      response.setHeader("allow", "POST, GET, HEAD, OPTIONS");
      return refuse(response, 405, "send JSON-RPC requests with POST");
  }
}

function preflight(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("access-control-allow-methods", "POST, GET, OPTIONS");
  response.setHeader("access-control-allow-headers", "content-type, authorization");
  response.setHeader("access-control-max-age", PREFLIGHT_SECONDS);
  // A public page that reaches into the user's own network asks for this too (Private Network Access).
  if (request.headers["access-control-request-private-network"] === "true") {
    response.setHeader("access-control-allow-private-network", "true");
  }
  response.writeHead(204).end();
}

function handlePost(services: HttpServices, request: IncomingMessage, response: ServerResponse): void {
  const { limits, load } = services;
  const type = request.headers["content-type"];
  // Forms of foreign pages can post without asking first, but not as JSON.
  if (type !== undefined && !JSON_TYPES.includes(type.split(";", 1)[0]!.trim().toLowerCase())) {
    return refuse(response, 415, "the content-type must be application/json");
  }
  if (Number(request.headers["content-length"] ?? 0) > limits.bodyBytes) return tooLarge(response, limits);
  if (load.inFlight >= limits.concurrentRequests) {
    response.setHeader("retry-after", "1");
    return refuse(response, 503, "the node is busy: try again in a second", RPC_ERROR.limitExceeded);
  }
  load.inFlight++;
  response.once("close", () => load.inFlight--);
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > limits.bodyBytes) {
      chunks.length = 0;
      request.removeAllListeners("data").removeAllListeners("end");
      return tooLarge(response, limits);
    }
    chunks.push(chunk);
  });
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    const answer = services.answer(body.toString("utf8"));
    if (answer instanceof Promise) void answer.then((text) => sendAnswer(response, text));
    else sendAnswer(response, answer);
  });
}

function sendAnswer(response: ServerResponse, text: string | undefined): void {
  if (response.destroyed) return;
  if (text === undefined) response.writeHead(204).end();
  else send(response, 200, "application/json", text);
}

function tooLarge(response: ServerResponse, limits: RpcLimits): void {
  // What is still on its way is not read: the connection ends.
  response.setHeader("connection", "close");
  const message = `request body too large: the limit is ${limits.bodyBytes} bytes`;
  send(response, 413, "application/json", errorText(null, limitExceeded(message, limits.bodyBytes)));
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  code: number = RPC_ERROR.invalidRequest,
): void {
  send(response, status, "application/json", errorText(null, new RpcError(code, message)));
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const body = Buffer.from(text, "utf8");
  response.writeHead(status, { "content-type": type, "content-length": body.length });
  response.end(body);
}
