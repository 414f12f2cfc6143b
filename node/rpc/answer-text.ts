import { isParsedObject, own } from "./json.ts";
import { observeError } from "./metrics-observer.ts";
import { RPC_ERROR, RpcError } from "./rpc-error.ts";

/** One request's answer; undefined for a notification. */
export type Answer = string | undefined;
export type Id = string | number | null;

export function isId(value: unknown): value is Id {
  return value === null || typeof value === "string" || typeof value === "number";
}

export function invalidRequest(message: string): RpcError {
  return new RpcError(RPC_ERROR.invalidRequest, `invalid request: ${message}`);
}

/** @param result JSON text. */
export function resultText(id: Id, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${result}}`;
}

/** An answer that carries an error. */
export function errorText(id: Id, error: unknown): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"error":${bodyOf(error)}}`;
}

/** The same refusal for all requests of a message that was not looked into, each under its own id.
 * @param maxRequests of a batch: a longer one is refused as a whole, for its answer would be many times as long. */
export function refusalText(message: string, error: RpcError, maxRequests: number): Answer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    return errorText(null, error);
  }
  if (!Array.isArray(parsed)) return refuseOne(parsed, error);
  if (parsed.length > maxRequests) return errorText(null, error);
  const given = parsed.map((request) => refuseOne(request, error)).filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : `[${given.join(",")}]`;
}

/** A refusal of one request, whatever it is. */
export function refuseOne(request: unknown, error: RpcError): Answer {
  const id = isParsedObject(request) ? own(request, "id") : null;
  return id === undefined ? undefined : errorText(isId(id) ? id : null, error);
}

/** What JSON.stringify makes of numbers; most ids are small ones. */
function idText(id: Id): string {
  return Number.isSafeInteger(id) ? `${id as number}` : JSON.stringify(id);
}

/** Of what is no RpcError only this much is told: its text may hold what is nobody's business. */
const INTERNAL_ERROR: RpcError = new RpcError(RPC_ERROR.internal, "internal error: the node's log says more");

/** One refusal may answer many requests, so its text is kept while somebody has it. */
const bodies = new WeakMap<RpcError, string>();

function bodyOf(error: unknown): string {
  const known = error instanceof RpcError ? error : INTERNAL_ERROR;
  observeError(known);
  let body = bodies.get(known);
  if (body === undefined) {
    const { code, message, data } = known;
    body = JSON.stringify(data === undefined ? { code, message } : { code, message, data });
    bodies.set(known, body);
  }
  return body;
}
