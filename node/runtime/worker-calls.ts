import type { MessagePort, Worker } from "node:worker_threads";

/** Requests and answers over a worker's port. Errors thrown by a handler travel back as their message; a worker that dies
 * rejects what was asked of it. */
type Wire =
  | { readonly kind: "request"; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly message: string; readonly code: string | undefined }
  | { readonly kind: "event"; readonly name: string; readonly argument: unknown };

/** One side's vocabulary: what may be asked of it, with argument and answer. */
export type Vocabulary = Readonly<Record<string, { readonly argument: unknown; readonly answer: unknown }>>;

export type Handlers<V extends Vocabulary> = {
  readonly [Method in keyof V]: (argument: V[Method]["argument"]) => V[Method]["answer"] | Promise<V[Method]["answer"]>;
};

export type Peer<Theirs extends Vocabulary, TheirEvents, OurEvents> = {
  readonly call: <Method extends keyof Theirs & string>(
    method: Method,
    argument: Theirs[Method]["argument"],
  ) => Promise<Theirs[Method]["answer"]>;
  readonly emit: <Name extends keyof OurEvents & string>(name: Name, argument: OurEvents[Name]) => void;
  readonly on: <Name extends keyof TheirEvents & string>(
    name: Name,
    listener: (argument: TheirEvents[Name]) => void,
  ) => void;
  /** Rejects all that is waiting and refuses what comes. */
  readonly close: (reason: string) => void;
};

/** Connects to the other side of `port` (a Worker from outside, parentPort from inside, or one end of a channel). */
export function connectWorker<
  Ours extends Vocabulary,
  Theirs extends Vocabulary,
  OurEvents = Record<never, never>,
  TheirEvents = Record<never, never>,
>(port: Worker | MessagePort, handlers: Handlers<Ours>): Peer<Theirs, TheirEvents, OurEvents> {
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const listeners = new Map<string, ((argument: never) => void)[]>();
  let nextId = 1;
  let closed: string | undefined;
  const post = (message: Wire): void => (port as MessagePort).postMessage(message);

  const answer = async (message: Extract<Wire, { kind: "request" }>): Promise<void> => {
    try {
      const handler = handlers[message.method];
      if (handler === undefined) throw new Error(`no handler for "${message.method}"`);
      post({ kind: "answer", id: message.id, value: await handler(message.argument as never) });
    } catch (error) {
      const { message: text, code } = error as { message?: string; code?: unknown };
      post({
        kind: "failure",
        id: message.id,
        message: text ?? String(error),
        code: typeof code === "string" ? code : undefined,
      });
    }
  };

  port.on("message", (message: Wire) => {
    switch (message.kind) {
      case "request":
        void answer(message);
        return;
      case "answer":
        waiting.get(message.id)?.resolve(message.value as never);
        waiting.delete(message.id);
        return;
      case "failure":
        waiting
          .get(message.id)
          ?.reject(Object.assign(new Error(message.message), message.code === undefined ? {} : { code: message.code }));
        waiting.delete(message.id);
        return;
      case "event":
        for (const listener of listeners.get(message.name) ?? []) listener(message.argument as never);
        return;
      default:
        message satisfies never;
    }
  });

  return {
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) {
          reject(new Error(closed));
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve: resolve as (value: never) => void, reject });
        post({ kind: "request", id, method, argument });
      }),
    emit: (name, argument) => {
      if (closed === undefined) post({ kind: "event", name, argument });
    },
    on: (name, listener) => {
      const list = listeners.get(name) ?? [];
      list.push(listener as (argument: never) => void);
      listeners.set(name, list);
    },
    close: (reason) => {
      closed = reason;
      for (const { reject } of waiting.values()) reject(new Error(reason));
      waiting.clear();
    },
  };
}
