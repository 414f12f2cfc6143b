import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  DEFAULT_DEVELOPMENT,
  type DevelopmentNode,
  type DevelopmentOptions,
  startDevelopmentNode,
} from "../index.ts";

export type RpcAnswer = {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
};

export type StartedChain = {
  readonly node: DevelopmentNode;
  readonly url: string;
  /** The result; an error fails the test. */
  readonly call: (method: string, ...params: readonly unknown[]) => Promise<unknown>;
  /** The error; a result fails the test. */
  readonly refusal: (
    method: string,
    ...params: readonly unknown[]
  ) => Promise<NonNullable<RpcAnswer["error"]>>;
};

/** A development chain in this process, on a port of the system's choice, until the test ends. */
export async function startChain(
  context: TestContext,
  options: Partial<DevelopmentOptions> = {},
): Promise<StartedChain> {
  const node = await startDevelopmentNode({ ...DEFAULT_DEVELOPMENT, port: 0, ...options });
  let isStopped = false;
  const stop = node.stop;
  context.after(() => (isStopped ? undefined : stop()));
  const url = `http://127.0.0.1:${node.port}`;
  const ask = async (method: string, params: readonly unknown[]): Promise<RpcAnswer> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    return (await response.json()) as RpcAnswer;
  };
  return {
    node: {
      ...node,
      stop: () => {
        isStopped = true;
        return stop();
      },
    },
    url,
    call: async (method, ...params) => {
      const { result, error } = await ask(method, params);
      assert.equal(error, undefined, `${method}: ${error?.message}`);
      return result;
    },
    refusal: async (method, ...params) => {
      const { error } = await ask(method, params);
      assert.ok(error !== undefined, `${method} was not refused`);
      return error;
    },
  };
}
