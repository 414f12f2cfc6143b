import {
  type Answer,
  errorText,
  type Id,
  invalidRequest,
  isId,
  refuseOne,
  resultText,
} from "./answer-text.ts";
import { type Deadline, TIMED_OUT } from "./dispatch-deadline.ts";
import { isParsedObject, own } from "./json.ts";
import type { RpcLimits } from "./limits.ts";
import type { Method, RequestContext } from "./method.ts";
import { limitExceeded, RPC_ERROR, RpcError } from "./rpc-error.ts";

/** Longer than this without a break, and other clients would notice. */
const SLICE_MS = 8;

export type BatchServices = {
  readonly limits: RpcLimits;
  readonly deadline: Deadline;
  readonly methods: ReadonlyMap<string, Method>;
  readonly context: RequestContext;
  readonly answerOne: (request: unknown) => Answer | Promise<Answer>;
  readonly reportError: (method: string, error: unknown) => void;
};

/** Calls of one method that are answered together. */
type Group = {
  readonly positions: number[];
  readonly ids: (Id | undefined)[];
  readonly given: (readonly unknown[])[];
};

/** Answers a batch: requests of methods that take many at once go together, the others one by one, with breaks. */
export async function answerBatch(requests: readonly unknown[], services: BatchServices): Promise<Answer> {
  const { limits, deadline, answerOne } = services;
  if (requests.length === 0) return errorText(null, invalidRequest("empty batch"));
  if (requests.length > limits.batchRequests) {
    const message = `batch too large: ${requests.length} requests, the limit is ${limits.batchRequests}`;
    return errorText(null, limitExceeded(message, limits.batchRequests));
  }
  const answers: Answer[] = new Array(requests.length);
  const waiting: Promise<void>[] = [];
  const groups = new Map<Method, Group>();
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
    if (joinGroup(groups, requests[i], i, services)) continue;
    // Once the answers are full, what was not begun is not worth beginning.
    const answer = bytes > limits.batchResponseBytes ? tooLarge(requests[i], limits) : answerOne(requests[i]);
    if (answer instanceof Promise) waiting.push(answer.then((text) => keep(i, text)));
    else keep(i, answer);
    const now = performance.now();
    if (now - sliceStart < SLICE_MS) continue;
    if (now > deadline.atMs) {
      for (let rest = i + 1; rest < requests.length; rest++)
        keep(rest, refuseOne(requests[rest], timedOut()));
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    sliceStart = performance.now();
  }
  for (const [method, group] of groups) waiting.push(answerGroup(method, group, services, keep));
  await Promise.all(waiting);
  const given = answers.filter((answer) => answer !== undefined);
  return given.length === 0 ? undefined : `[${given.join(",")}]`;
}

/** @returns whether the request is answered with others of its method; one that is wrong somehow never is. */
function joinGroup(
  groups: Map<Method, Group>,
  request: unknown,
  position: number,
  { methods, context }: BatchServices,
): boolean {
  if (!isParsedObject(request) || own(request, "jsonrpc") !== "2.0") return false;
  const name = own(request, "method");
  const method = typeof name === "string" ? methods.get(name) : undefined;
  if (method?.callMany === undefined) return false;
  const id = own(request, "id");
  const params = own(request, "params");
  if ((id !== undefined && !isId(id)) || !Array.isArray(params)) return false;
  let group = groups.get(method);
  if (group === undefined) {
    if (context.access.refusal(method.name, context.session) !== undefined) return false;
    group = { positions: [], ids: [], given: [] };
    groups.set(method, group);
  }
  group.positions.push(position);
  group.ids.push(id);
  group.given.push(params);
  return true;
}

async function answerGroup(
  method: Method,
  { positions, ids, given }: Group,
  { context, deadline, reportError }: BatchServices,
  keep: (index: number, answer: Answer) => void,
): Promise<void> {
  let results: readonly (string | RpcError)[] | Error;
  try {
    const raced = await Promise.race([method.callMany!(context, given), deadline.passed()]);
    results = raced === TIMED_OUT ? timedOut() : raced;
  } catch (error) {
    if (!(error instanceof RpcError)) reportError(method.name, error);
    results = error as Error;
  }
  for (let i = 0; i < positions.length; i++) {
    const id = ids[i];
    if (id === undefined) continue;
    const result = results instanceof Error ? results : results[i]!;
    keep(positions[i]!, typeof result === "string" ? resultText(id, result) : errorText(id, result));
  }
}

function tooLarge(request: unknown, limits: RpcLimits): Answer {
  const message = `response too large: the batch's answers exceed ${limits.batchResponseBytes} bytes`;
  return refuseOne(request, limitExceeded(message, limits.batchResponseBytes));
}

function timedOut(): RpcError {
  return new RpcError(RPC_ERROR.timeout, "request timed out");
}
