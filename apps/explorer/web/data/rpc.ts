/** Calls in one HTTP request; the node's own bound is higher. */
const MAX_BATCH = 64;
const TIMEOUT_MS = 20_000;

/** What a node answered instead of a result, or why there is no answer. */
export class RpcError extends Error {
  /** JSON-RPC's code; `undefined`: no answer arrived. */
  readonly code: number | undefined;
  readonly data: unknown;

  constructor(message: string, code?: number, data?: unknown) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.data = data;
  }
}

export type RpcCall = { readonly method: string; readonly params?: readonly unknown[] };

/** JSON-RPC to one node. Calls of one turn of the event loop travel in one request. */
export type RpcClient = {
  readonly url: string;
  /** The result, as the node wrote it. @throws RpcError */
  readonly call: <Result>(method: string, params?: readonly unknown[]) => Promise<Result>;
};

type Waiting = {
  readonly request: { readonly method: string; readonly params: readonly unknown[] };
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RpcError) => void;
};

type Answer = {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly message?: string; readonly data?: unknown };
};

/** @param url `/rpc/0`, or a whole address. */
export function createRpcClient(url: string): RpcClient {
  let waiting: Waiting[] = [];
  const flush = (): void => {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += MAX_BATCH)
      void send(url, all.slice(from, from + MAX_BATCH));
  };
  return {
    url,
    call: <Result>(method: string, params: readonly unknown[] = []) =>
      new Promise<Result>((resolve, reject) => {
        if (waiting.length === 0) setTimeout(flush, 0);
        waiting.push({
          request: { method, params },
          resolve: resolve as (result: unknown) => void,
          reject,
        });
      }),
  };
}

async function send(url: string, calls: readonly Waiting[]): Promise<void> {
  try {
    const body = calls.map(({ request }, id) => ({ jsonrpc: "2.0", id, ...request }));
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body.length === 1 ? body[0] : body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answers = await readAnswers(response);
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    const common = byId.get(null);
    for (const [id, call] of calls.entries()) settle(call, byId.get(id) ?? common);
  } catch (error) {
    const reason = error instanceof RpcError ? error : new RpcError(describe(error));
    for (const { reject } of calls) reject(reason);
  }
}

async function readAnswers(response: Response): Promise<readonly Answer[]> {
  try {
    const body = (await response.json()) as Answer | readonly Answer[];
    return Array.isArray(body) ? body : [body as Answer];
  } catch {
    throw new RpcError(`HTTP ${response.status}`, undefined, { status: response.status });
  }
}

function settle({ resolve, reject }: Waiting, answer: Answer | undefined): void {
  if (answer === undefined) reject(new RpcError("the node left this call without an answer"));
  else if (answer.error !== undefined) {
    const { code, message = "unknown error", data } = answer.error;
    reject(new RpcError(message, code, data));
  } else resolve(answer.result);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
