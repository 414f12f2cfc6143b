/** Asks the node one thing; rejects with its words. */
export type AskNode = (method: string, params: readonly unknown[]) => Promise<unknown>;

const TIMEOUT_MS = 10_000;

/** What the node answered instead of a result. */
export class NodeRefusal extends Error {
  override readonly name = "NodeRefusal";
}

/** JSON-RPC over HTTP. @param signal ends what is under way. @param headers of each request: who asks. */
export function createAskNode(
  url: string,
  signal: AbortSignal,
  headers: () => Readonly<Record<string, string>> = () => ({}),
): AskNode {
  return async (method, params) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers() },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer = (await response.json()) as {
      readonly result?: unknown;
      readonly error?: { readonly message: string };
    };
    if (answer.error !== undefined) throw new NodeRefusal(`${method}: ${answer.error.message}`);
    return answer.result;
  };
}
