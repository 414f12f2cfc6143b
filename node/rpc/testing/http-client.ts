/** What a test sends and gets over plain HTTP. */
export type RpcAnswer = {
  readonly jsonrpc: "2.0";
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
};

/** Posts a body as it is. */
export async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Calls one method. */
export async function call(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  headers: Readonly<Record<string, string>> = {},
): Promise<RpcAnswer> {
  const { text } = await post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), headers);
  return JSON.parse(text) as RpcAnswer;
}

/** Calls one method that must succeed. */
export async function result(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const answer = await call(url, method, params);
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.code} ${answer.error.message}`);
  return answer.result;
}
