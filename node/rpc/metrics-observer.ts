import type { Server } from "node:net";
import type { Json } from "./json.ts";
import type { Method } from "./method.ts";
import type { RpcError } from "./rpc-error.ts";

/** Hears what the JSON-RPC of its thread does: for metrics. What it does itself must be cheap, and must not throw. */
export type RpcObserver = {
  /** The methods that a server has, when it is made. */
  readonly methods: (names: readonly string[]) => void;
  /** So many calls of one method have ended after this time, answered or refused. */
  readonly called: (method: string, calls: number, tookMs: number) => void;
  /** An answer carries an error. @param isBusy the same may be tried again. */
  readonly failed: (code: number, isBusy: boolean) => void;
  /** Connections of clients came (1) or went (-1). */
  readonly connected: (difference: 1 | -1) => void;
};

let observer: RpcObserver | undefined;

/** From now on everything that this thread's servers do is told there; undefined: nowhere. Servers are made afterwards. */
export function observeRpc(next: RpcObserver | undefined): void {
  observer = next;
}

/** Methods whose calls are told. */
export function observeMethods(methods: ReadonlyMap<string, Method>): ReadonlyMap<string, Method> {
  if (observer === undefined) return methods;
  observer.methods([...methods.keys()]);
  return new Map([...methods].map(([name, method]) => [name, observed(method, observer!)]));
}

/** Tells of the connections of a server. */
export function observeConnections(server: Server): void {
  server.on("connection", (socket) => {
    observer?.connected(1);
    socket.once("close", () => observer?.connected(-1));
  });
}

/** Tells of an answer that carries an error. */
export function observeError({ code, data }: RpcError): void {
  if (observer === undefined) return;
  const isBusy = typeof data === "object" && data !== null && Object.hasOwn(data, "retryAfterMs");
  observer.failed(code, isBusy);
}

function observed(method: Method, { called }: RpcObserver): Method {
  const { name, call, text, callMany } = method;
  const timed = <T>(calls: number, run: () => T): T => {
    const beganMs = performance.now();
    const ended = (): void => called(name, calls, performance.now() - beganMs);
    let answer: T;
    try {
      answer = run();
    } catch (error) {
      ended();
      throw error;
    }
    if (answer instanceof Promise) answer.then(ended, ended);
    else ended();
    return answer;
  };
  return {
    ...method,
    call: (context, given) => timed<Json | Promise<Json>>(1, () => call(context, given)),
    ...(text && { text: (context, given) => timed(1, () => text(context, given)) }),
    ...(callMany && {
      callMany: (context, given) => timed(given.length, () => callMany(context, given)),
    }),
  };
}
