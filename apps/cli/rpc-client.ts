import { UsageError } from "./command.ts";

export const DEFAULT_RPC_URL = "http://127.0.0.1:8545";

export type RpcAnswer = {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
};

/** A token for nodes that want to know who asks, for all commands. */
export const TOKEN_VARIABLE = "OSTROM_TOKEN";

/** Asks a node one thing. @param token shown to the node; else that of the variable OSTROM_TOKEN, if there is one.
 * @throws UsageError if nobody answers there, or with the node's own message. */
export async function ask<T>(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  token?: string,
): Promise<T> {
  const [answer] = await askMany(url, [{ method, params }], token);
  if (answer?.error !== undefined)
    throw new UsageError(`${url}: ${answer.error.message} (${method}, code ${answer.error.code})`);
  return answer?.result as T;
}

/** Asks several things in one batch; answers come in the order of the questions. */
export async function askMany(
  url: string,
  questions: readonly { readonly method: string; readonly params: readonly unknown[] }[],
  token: string | undefined = process.env[TOKEN_VARIABLE],
): Promise<readonly RpcAnswer[]> {
  if (questions.length === 0) return [];
  const body = JSON.stringify(questions.map((question, id) => ({ jsonrpc: "2.0", id, ...question })));
  const text = await post(url, body, token);
  const answers = parse(text);
  const refused = (answers as RpcAnswer | undefined)?.error;
  if (refused !== undefined) throw new UsageError(`${url}: ${refused.message} (code ${refused.code})`);
  if (!Array.isArray(answers)) throw new UsageError(`${url}: what answers there is no JSON-RPC server`);
  const byId = new Map(
    (answers as (RpcAnswer & { readonly id: number })[]).map((answer) => [answer.id, answer]),
  );
  return questions.map((_, id) => byId.get(id) ?? { error: { code: 0, message: "no answer" } });
}

async function post(url: string, body: string, token: string | undefined): Promise<string> {
  if (!URL.canParse(url))
    throw new UsageError(`"${url}" is no address; expected one such as ${DEFAULT_RPC_URL}`);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
    });
    return await response.text();
  } catch (error) {
    const { message, cause } = error as Error & { readonly cause?: Error & { readonly code?: string } };
    const reason = cause?.code ?? cause?.message ?? message;
    if (/CERT|VERIFY_LEAF/.test(reason))
      throw new UsageError(
        `${url} shows a certificate that is not trusted here (${reason}): name its authority's PEM file in NODE_EXTRA_CA_CERTS`,
      );
    throw new UsageError(
      `no node answers at ${url} (${reason}): start one with ostrom up, or name another with --rpc URL`,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
