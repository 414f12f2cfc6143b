import { UsageError } from "./command.ts";

export const DEFAULT_RPC_URL = "http://127.0.0.1:8545";

type Answer = { readonly result?: unknown; readonly error?: { readonly code: number; readonly message: string } };

/** Asks a node one thing. @throws UsageError if nobody answers there, or with the node's own message. */
export async function ask<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const [answer] = await askMany(url, [{ method, params }]);
  if (answer?.error !== undefined) throw new UsageError(`${url}: ${answer.error.message} (${method}, code ${answer.error.code})`);
  return answer?.result as T;
}

/** Asks several things in one batch; answers come in the order of the questions. */
export async function askMany(
  url: string,
  questions: readonly { readonly method: string; readonly params: readonly unknown[] }[],
): Promise<readonly Answer[]> {
  if (questions.length === 0) return [];
  const body = JSON.stringify(questions.map((question, id) => ({ jsonrpc: "2.0", id, ...question })));
  let answers: readonly (Answer & { readonly id: number })[];
  try {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    answers = (await response.json()) as typeof answers;
  } catch (error) {
    const reason = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
    throw new UsageError(`no node answers at ${url} (${reason}). Start one with: npm start, or name another with --rpc URL`);
  }
  if (!Array.isArray(answers)) throw new UsageError(`${url}: this is no JSON-RPC server`);
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return questions.map((_, id) => byId.get(id) ?? { error: { code: 0, message: "no answer" } });
}
