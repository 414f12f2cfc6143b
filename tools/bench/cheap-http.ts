import { Agent, request } from "node:http";

/** A client that shares its machine with what it measures: connections stay open, bodies are made ahead, answers are read as text. */
export type CheapClient = {
  /** @returns HTTP's status and the body. @throws if the connection fails. */
  readonly post: (url: string, body: Buffer | string) => Promise<HttpAnswer>;
  readonly close: () => void;
};

export type HttpAnswer = { readonly status: number; readonly text: string };

export function createCheapClient(connectionsEach: number): CheapClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsEach });
  const post = (url: string, body: Buffer | string): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
      const headers = { "content-type": "application/json", "content-length": length };
      const outgoing = request(url, { method: "POST", agent, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
          resolve({ status: incoming.statusCode ?? 0, text: whole.toString("latin1") });
        });
        incoming.on("error", reject);
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  return { post, close: () => agent.destroy() };
}

/** One JSON-RPC call. @throws with the answer's error. */
export async function callOnce<T>(
  client: CheapClient,
  url: string,
  method: string,
  params: readonly unknown[],
): Promise<T> {
  const { text } = await client.post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  const answer = JSON.parse(text) as { readonly result: T; readonly error?: unknown };
  if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}
