import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRules } from "./access.ts";
import { type AccessControl, AccessError, type Session } from "./access-control.ts";
import { errorText } from "./answer-text.ts";
import type { RpcLimits } from "./limits.ts";
import { busy, limitExceeded, RPC_ERROR, RpcError } from "./rpc-error.ts";

/** What the HTTP side needs of the server. */
export type HttpServices = {
  readonly access: AccessRules;
  readonly limits: RpcLimits;
  readonly control: AccessControl;
  /** @param onRefused the request, alone in its message, may not be made. @returns undefined where nothing is to be answered. */
  readonly answer: (
    message: string,
    session: Session,
    onRefused: (error: AccessError) => void,
  ) => string | undefined | Promise<string | undefined>;
  /** What GET / says: for people, and for health checks. */
  readonly health: () => { readonly isReady: boolean; readonly body: string };
  readonly load: Load;
};

/** What the server has in hand, of HTTP and WebSocket together. */
export type Load = {
  /** Requests that are worked on, or whose answers are not taken yet. */
  inFlight: number;
  /** Bytes of HTTP answers not taken yet. */
  unreadBytes: number;
  /** Bytes of HTTP bodies that are being received or worked on. */
  receivedBytes: number;
  /** Requests of each HTTP connection that are not answered yet. */
  readonly ofConnection: WeakMap<object, number>;
};

export function createLoad(): Load {
  return { inFlight: 0, unreadBytes: 0, receivedBytes: 0, ofConnection: new WeakMap() };
}

/** What who is refused by a 503 waits before it tries again. */
const RETRY_AFTER_SECONDS = 1;

const JSON_TYPES: readonly string[] = ["application/json", "application/json-rpc", "application/jsonrequest"];
const PREFLIGHT_SECONDS = "7200";
const PATHS: readonly string[] = ["/", "/health"];

/** Answers one HTTP request: POST / (JSON-RPC), GET / and GET /health (state of the node), OPTIONS / (CORS). */
export function handleHttp(services: HttpServices, request: IncomingMessage, response: ServerResponse): void {
  const { access } = services;
  const { host, origin } = request.headers;
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const forbidden = access.refuseHost(host) ?? access.refuseOrigin(origin);
  if (forbidden === undefined && origin !== undefined) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "Origin");
  }
  if (forbidden !== undefined) refuse(response, 403, forbidden);
  else if (!PATHS.includes(path)) refuse(response, 404, "JSON-RPC is served at /");
  else if (request.method === "POST") handlePost(services, request, response);
  else if (request.method === "OPTIONS") preflight(request, response);
  else if (request.method === "GET" || request.method === "HEAD") tellHealth(services, path, response);
  else {
    response.setHeader("allow", "POST, GET, HEAD, OPTIONS");
    refuse(response, 405, "send JSON-RPC requests with POST");
  }
}

function tellHealth(services: HttpServices, path: string, response: ServerResponse): void {
  const { isReady, body } = services.health();
  // A person who opens the address in a browser is no load balancer.
  send(response, isReady || path === "/" ? 200 : 503, body);
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
  if (!isJson(request.headers["content-type"])) {
    refuse(response, 415, "the content-type must be application/json");
  } else if (Number(request.headers["content-length"] ?? 0) > limits.bodyBytes) {
    refuseTooLarge(response, limits);
  } else if (isFull(services, request)) {
    refuseBusy(response);
  } else {
    const session = sessionOf(services.control, request);
    // Before the body is read: who sends a token that is not good is told nothing else.
    if (session instanceof AccessError) return refuseAccess(response, session);
    countIn(load, request, response);
    receive(services, request, response, session);
  }
}

/** Whether there is no room for one more request: its ids are not known before its body is read, so this alone is answered by HTTP. */
function isFull({ limits, load }: HttpServices, request: IncomingMessage): boolean {
  const announced = Number(request.headers["content-length"] ?? 0);
  return (
    load.inFlight >= limits.concurrentRequests ||
    load.unreadBytes >= limits.unreadResponseBytes ||
    // One body always has room, whatever the limits are.
    (load.receivedBytes > 0 && load.receivedBytes + announced > limits.receivedBytes) ||
    (load.ofConnection.get(request.socket) ?? 0) >= limits.connectionRequests
  );
}

function refuseBusy(response: ServerResponse): void {
  response.setHeader("retry-after", String(RETRY_AFTER_SECONDS));
  const error = busy("the node is busy: try again in a second", RETRY_AFTER_SECONDS * 1_000);
  send(response, 503, errorText(null, error));
}

function countIn(load: Load, { socket }: IncomingMessage, response: ServerResponse): void {
  load.inFlight++;
  load.ofConnection.set(socket, (load.ofConnection.get(socket) ?? 0) + 1);
  response.once("close", () => {
    load.inFlight--;
    load.ofConnection.set(socket, (load.ofConnection.get(socket) ?? 1) - 1);
  });
}

/** Which proxies set. To a server that listens to this machine alone, all that a proxy on it lets through comes from this machine. */
const PROXY_HEADERS: readonly string[] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/** Who speaks by a request. @returns why its token is refused. */
export function sessionOf(control: AccessControl, { headers }: IncomingMessage): Session | AccessError {
  try {
    const isIndirect = ["origin", ...PROXY_HEADERS].some((name) => headers[name] !== undefined);
    return { caller: control.callerOf(headers.authorization), isIndirect };
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
}

function refuseAccess(response: ServerResponse, error: AccessError): void {
  response.setHeader("connection", "close");
  challenge(response, error);
  send(response, error.status, errorText(null, error));
}

/** Source: RFC 6750, section 3. */
function challenge(response: ServerResponse, { status, data }: AccessError): void {
  if (status !== 401) return;
  const { reason } = data as { readonly reason: string };
  const isMissing = reason === "rpc/unauthenticated";
  response.setHeader("www-authenticate", isMissing ? "Bearer" : 'Bearer error="invalid_token"');
}

/** Forms of foreign pages can post without asking first, but not as JSON. */
function isJson(type: string | undefined): boolean {
  return type === undefined || JSON_TYPES.includes(type.split(";", 1)[0]!.trim().toLowerCase());
}

function receive(
  { limits, answer, load }: HttpServices,
  request: IncomingMessage,
  response: ServerResponse,
  session: Session,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.once("close", () => {
    load.receivedBytes -= length;
  });
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    load.receivedBytes += chunk.length;
    chunks.push(chunk);
    const isTooMuch = length > limits.bodyBytes;
    // Who did not say how much it sends is stopped where the room ends.
    if (!isTooMuch && (load.receivedBytes <= limits.receivedBytes || load.receivedBytes === length)) return;
    chunks.length = 0;
    request.removeAllListeners("data").removeAllListeners("end");
    if (isTooMuch) refuseTooLarge(response, limits);
    else {
      response.setHeader("connection", "close");
      refuseBusy(response);
    }
  });
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    let refused: AccessError | undefined;
    const finish = (text: string | undefined): void => {
      if (refused !== undefined) challenge(response, refused);
      sendAnswer(load, response, text, refused?.status ?? 200);
    };
    const answered = answer(body.toString("utf8"), session, (error) => {
      refused = error;
    });
    if (answered instanceof Promise) void answered.then(finish);
    else finish(answered);
  });
}

function sendAnswer(load: Load, response: ServerResponse, text: string | undefined, status: number): void {
  if (response.destroyed) return;
  if (text === undefined) {
    response.writeHead(204).end();
    return;
  }
  const bytes = send(response, status, text);
  load.unreadBytes += bytes;
  response.once("close", () => {
    load.unreadBytes -= bytes;
  });
}

function refuseTooLarge(response: ServerResponse, limits: RpcLimits): void {
  // What is still on its way is not read: the connection ends.
  response.setHeader("connection", "close");
  const message = `request body too large: the limit is ${limits.bodyBytes} bytes`;
  send(response, 413, errorText(null, limitExceeded(message, limits.bodyBytes)));
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  code: number = RPC_ERROR.invalidRequest,
): void {
  send(response, status, errorText(null, new RpcError(code, message)));
}

/** @returns how many bytes the body has. */
function send(response: ServerResponse, status: number, json: string): number {
  const body = Buffer.from(json, "utf8");
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
  return body.length;
}
