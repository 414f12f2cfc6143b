import { AccessError } from "./access-control.ts";
import { isParsedObject, type Json, own } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import type { Method, RequestContext } from "./method.ts";
import { limitExceeded, RPC_ERROR, RpcError } from "./rpc-error.ts";

/** From a message's text to the answer's text, whatever carried it. Source: JSON-RPC 2.0.
 * @returns undefined where nothing is to be answered (notifications). Never throws or rejects. */
export type Dispatcher = (
  message: string,
  context: Omit<RequestContext, "deadlineMs">,
  /** Told why the whole message is refused, if it is one request that its sender may not make. */
  onRefused?: (error: AccessError) => void,
) => string | undefined | Promise<string | undefined>;

/** Longer than this without a break, and other clients would notice. */
const SLICE_MS = 8;

type Answer = string | undefined;
type Id = string | number | null;

/** A promise that a whole message's requests share: it comes true when their time is up. */
type Deadline = {
  readonly atMs: number;
  readonly passed: () => Promise<typeof TIMED_OUT>;
  readonly clear: () => void;
};
const TIMED_OUT: unique symbol = Symbol("timed out");

export function createDispatcher(
  methods: ReadonlyMap<string, Method>,
  limits: RpcLimits,
  reportError: (method: string, error: unknown) => void,
): Dispatcher {
  const answerOne = (
    request: unknown,
    context: RequestContext,
    deadline: Deadline,
    onRefused?: (error: AccessError) => void,
  ): Answer | Promise<Answer> => {
    if (!isParsedObject(request)) return errorText(null, invalidRequest("a request must be an object"));
    const id = own(request, "id");
    if (id !== undefined && !isId(id)) {
      return errorText(null, invalidRequest("id must be a string, a number or null"));
    }
    const isNotification = id === undefined;
    const name = own(request, "method");
    const run = (): Json | Promise<Json> => {
      if (own(request, "jsonrpc") !== "2.0") throw invalidRequest('"jsonrpc" must be "2.0"');
      if (typeof name !== "string") throw invalidRequest('"method" must be a string');
      const method = methods.get(name);
      if (method === undefined) throw methodNotFound(name);
      const refusal = context.access.refusal(name, context.session);
      if (refusal !== undefined) throw refusal;
      return method.call(context, positionalParams(own(request, "params")));
    };
    const failed = (error: unknown): Answer => {
      if (error instanceof AccessError) onRefused?.(error);
      if (!(error instanceof RpcError)) reportError(String(name), error);
      return isNotification ? undefined : errorText(id, error);
    };
    try {
      const result = run();
      if (!(result instanceof Promise)) return isNotification ? undefined : resultText(id, result);
      return Promise.race([result, deadline.passed()])
        .then((value) => {
          if (value === TIMED_OUT) throw new RpcError(RPC_ERROR.timeout, "request timed out");
          return isNotification ? undefined : resultText(id, value);
        })
        .catch(failed);
    } catch (error) {
      return failed(error);
    }
  };

  return (message, shared, onRefused) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(message);
    } catch {
      return errorText(null, new RpcError(RPC_ERROR.parse, "parse error: the message is not valid JSON"));
    }
    const deadline = createDeadline(limits.requestTimeoutMs);
    const context: RequestContext = { ...shared, deadlineMs: deadline.atMs };
    const answer = Array.isArray(parsed)
      ? answerBatch(parsed, limits, deadline, (request) => answerOne(request, context, deadline))
      : answerOne(parsed, context, deadline, onRefused);
    if (!(answer instanceof Promise)) return answer;
    return answer.finally(deadline.clear).catch((error: unknown) => {
      reportError("batch", error);
      return errorText(null, error);
    });
  };
}

async function answerBatch(
  requests: readonly unknown[],
  limits: RpcLimits,
  deadline: Deadline,
  answerOne: (request: unknown) => Answer | Promise<Answer>,
): Promise<Answer> {
  if (requests.length === 0) return errorText(null, invalidRequest("empty batch"));
  if (requests.length > limits.batchRequests) {
    const message = `batch too large: ${requests.length} requests, the limit is ${limits.batchRequests}`;
    return errorText(null, limitExceeded(message, limits.batchRequests));
  }
  const answers: Answer[] = new Array(requests.length);
  const waiting: Promise<void>[] = [];
  let bytes = 0;
  const keep = (index: number, answer: Answer): void => {
    if (answer === undefined) return;
    const isTooMuch = bytes + answer.length > limits.batchResponseBytes;
    const kept = isTooMuch ? tooLarge(requests[index], limits) : answer;
    bytes += kept?.length ?? 0;
    answers[index] = kept;
  };
  let sliceStart = performance.now();
  for (let i = 0; i < requests.length; i++) {
    // Once the answers are full, what was not begun is not worth beginning.
    const answer = bytes > limits.batchResponseBytes ? tooLarge(requests[i], limits) : answerOne(requests[i]);
    if (answer instanceof Promise) waiting.push(answer.then((text) => keep(i, text)));
    else keep(i, answer);
    const now = performance.now();
    if (now - sliceStart < SLICE_MS) continue;
    if (now > deadline.atMs) {
      for (let rest = i + 1; rest < requests.length; rest++) keep(rest, timedOut(requests[rest]));
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
  await Promise.all(waiting);
  const given = answers.filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : `[${given.join(",")}]`;
}

function tooLarge(request: unknown, limits: RpcLimits): Answer {
  const message = `response too large: the batch's answers exceed ${limits.batchResponseBytes} bytes`;
  return errorFor(request, limitExceeded(message, limits.batchResponseBytes));
}

function timedOut(request: unknown): Answer {
  return errorFor(request, new RpcError(RPC_ERROR.timeout, "request timed out"));
}

function errorFor(request: unknown, error: RpcError): Answer {
  const id = isParsedObject(request) ? own(request, "id") : null;
  if (id === undefined) return undefined;
  return errorText(isId(id) ? id : null, error);
}

function createDeadline(timeoutMs: number): Deadline {
  let timer: NodeJS.Timeout | undefined;
  let promise: Promise<typeof TIMED_OUT> | undefined;
  return {
    atMs: performance.now() + timeoutMs,
    // Made when first needed: most messages are answered at once.
    passed: () => {
      promise ??= new Promise((resolve) => {
        timer = setTimeout(() => resolve(TIMED_OUT), timeoutMs);
      });
      return promise;
    },
    clear: () => clearTimeout(timer),
  };
}

function isId(value: unknown): value is Id {
  return value === null || typeof value === "string" || typeof value === "number";
}

function positionalParams(params: unknown): readonly unknown[] {
  if (params === undefined || params === null) return [];
  if (Array.isArray(params)) return params;
  throw new RpcError(RPC_ERROR.invalidParams, "params must be an array: parameters go by position");
}

function invalidRequest(message: string): RpcError {
  return new RpcError(RPC_ERROR.invalidRequest, `invalid request: ${message}`);
}

const MAX_SHOWN_NAME = 80;
/** What people look for who come from a development node that signs for them. */
const NEEDS_KEYS = /^(?:eth_(?:sendTransaction|sign|signTransaction|signTypedData.*)|personal_.*)$/;

function methodNotFound(name: string): RpcError {
  const shown = name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}...` : name;
  const hint = NEEDS_KEYS.test(name)
    ? ": this node holds no keys, sign with your own and use eth_sendRawTransaction"
    : "";
  return new RpcError(RPC_ERROR.methodNotFound, `the method ${shown} does not exist/is not available${hint}`);
}

function resultText(id: Id, result: Json): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(result)}}`;
}

/** Of what is no RpcError only this much is told: its text may hold what is nobody's business. */
const INTERNAL_ERROR: RpcError = new RpcError(RPC_ERROR.internal, "internal error: the node's log says more");

/** An answer that carries an error. */
export function errorText(id: Id, error: unknown): string {
  const { code, message, data } = error instanceof RpcError ? error : INTERNAL_ERROR;
  const body = JSON.stringify(data === undefined ? { code, message } : { code, message, data });
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${body}}`;
}
