import type { LightFailure, LightResult } from "./failure.ts";

/** One method of a server and its positional parameters. */
export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

/** Where answers come from. Nothing that it says is believed. */
export type LightServer = {
  /** For messages: its address. */
  readonly name: string;
  /** One answer for each call, in their order: the JSON value, `light/server-error` or `light/unreachable`. Never rejects. */
  readonly ask: (calls: readonly RpcCall[]) => Promise<readonly LightResult<unknown>[]>;
};

export type HttpServerOptions = {
  /** Defaults to the global one. */
  readonly fetch?: typeof globalThis.fetch;
  readonly timeoutMs?: number;
};

const DEFAULT_TIMEOUT_MS = 20_000;
/** Longest answer that is read. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Calls in one request, so that servers with small limits answer too. */
const MAX_BATCH = 100;

/** A JSON-RPC server over HTTP; several calls go as batches. */
export function httpServer(url: string, options: HttpServerOptions = {}): LightServer {
  return {
    name: url,
    ask: async (calls) => {
      const answers: LightResult<unknown>[] = [];
      for (let start = 0; start < calls.length; start += MAX_BATCH) {
        answers.push(...(await askBatch(url, calls.slice(start, start + MAX_BATCH), options)));
      }
      return answers;
    },
  };
}

async function askBatch(
  url: string,
  calls: readonly RpcCall[],
  { fetch = globalThis.fetch, timeoutMs = DEFAULT_TIMEOUT_MS }: HttpServerOptions,
): Promise<readonly LightResult<unknown>[]> {
  const requests = calls.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(requests.length === 1 ? requests[0] : requests),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readBounded(response);
    if (text === undefined) return all(calls, unreachable(`${url}: an answer too long`));
    return sortAnswers(url, calls, JSON.parse(text));
  } catch (error) {
    return all(calls, unreachable(`${url}: ${(error as Error).message}`));
  }
}

/** @returns undefined for more than is read. */
async function readBounded(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

function sortAnswers(
  url: string,
  calls: readonly RpcCall[],
  answer: unknown,
): readonly LightResult<unknown>[] {
  const entries: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  const byId = new Map<unknown, { readonly result?: unknown; readonly error?: unknown }>();
  for (const entry of entries) {
    if (typeof entry === "object" && entry !== null) byId.set((entry as { id?: unknown }).id, entry);
  }
  return calls.map((call, id) => {
    const found = byId.get(id);
    if (found === undefined) return unreachable(`${url}: no answer to ${call.method}`);
    if (found.error !== undefined) return { ok: false, error: describeError(call, found.error) };
    return { ok: true, value: found.result };
  });
}

function describeError({ method }: RpcCall, error: unknown): LightFailure {
  const { code, message, data } = (error ?? {}) as { code?: unknown; message?: unknown; data?: unknown };
  return {
    code: "light/server-error",
    message: typeof message === "string" ? message : `${method} failed`,
    rpc: { code: typeof code === "number" ? code : -32603, data },
  };
}

function unreachable(message: string): LightResult<never> {
  return { ok: false, error: { code: "light/unreachable", message } };
}

function all(calls: readonly RpcCall[], answer: LightResult<never>): readonly LightResult<never>[] {
  return calls.map(() => answer);
}
