import { AccessError } from "./access-control.ts";
import { type Answer, errorText, invalidRequest, isId, resultText } from "./answer-text.ts";
import { answerBatch } from "./dispatch-batch.ts";
import { createDeadline, type Deadline, TIMED_OUT } from "./dispatch-deadline.ts";
import { isParsedObject, type Json, own, type ParsedObject } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import type { Method, RequestContext } from "./method.ts";
import { RPC_ERROR, RpcError } from "./rpc-error.ts";

/** From a message's text to the answer's text, whatever carried it. Source: JSON-RPC 2.0.
 * @returns undefined where nothing is to be answered (notifications). Never throws or rejects. */
export type Dispatcher = (
  message: string,
  context: Omit<RequestContext, "deadlineMs">,
  /** Told why the whole message is refused, if it is one request that its sender may not make. */
  onRefused?: (error: AccessError) => void,
) => string | undefined | Promise<string | undefined>;

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
    const failed = (error: unknown): Answer => {
      if (error instanceof AccessError) onRefused?.(error);
      if (!(error instanceof RpcError)) reportError(String(own(request, "method")), error);
      return isNotification ? undefined : errorText(id, error);
    };
    try {
      const result = runOne(methods, request, context);
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
      ? answerBatch(parsed, {
          limits,
          deadline,
          methods,
          context,
          answerOne: (request) => answerOne(request, context, deadline),
          reportError,
        })
      : answerOne(parsed, context, deadline, onRefused);
    if (!(answer instanceof Promise)) return answer;
    return answer.finally(deadline.clear).catch((error: unknown) => {
      reportError("batch", error);
      return errorText(null, error);
    });
  };
}

/** The result of one request as JSON text. Throws or rejects where it is refused. */
function runOne(
  methods: ReadonlyMap<string, Method>,
  request: ParsedObject,
  context: RequestContext,
): string | Promise<string> {
  const name = own(request, "method");
  if (own(request, "jsonrpc") !== "2.0") throw invalidRequest('"jsonrpc" must be "2.0"');
  if (typeof name !== "string") throw invalidRequest('"method" must be a string');
  const method = methods.get(name);
  if (method === undefined) throw methodNotFound(name);
  const refusal = context.access.refusal(name, context.session);
  if (refusal !== undefined) throw refusal;
  const given = positionalParams(own(request, "params"));
  if (method.text !== undefined) return method.text(context, given);
  const result = method.call(context, given);
  return result instanceof Promise ? result.then(encode) : encode(result);
}

function encode(result: Json): string {
  return JSON.stringify(result);
}

function positionalParams(params: unknown): readonly unknown[] {
  if (params === undefined || params === null) return [];
  if (Array.isArray(params)) return params;
  throw new RpcError(RPC_ERROR.invalidParams, "params must be an array: parameters go by position");
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
