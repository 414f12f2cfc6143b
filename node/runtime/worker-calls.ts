import type { MessagePort, Worker } from "node:worker_threads";

/** Requests and answers over a worker's port. Errors thrown by a handler travel back as their message; a worker that dies
 * rejects what was asked of it. */
type Wire =
  | { readonly kind: "request"; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "failure";
      readonly id: number;
      readonly message: string;
      readonly code: string | undefined;
    }
  | { readonly kind: "event"; readonly name: string; readonly argument: unknown };

/** One side's vocabulary: what may be asked of it, with argument and answer. */
export type Vocabulary = Readonly<Record<string, { readonly argument: unknown; readonly answer: unknown }>>;

export type Handlers<V extends Vocabulary> = {
  readonly [Method in keyof V]: (
    argument: V[Method]["argument"],
  ) => V[Method]["answer"] | Promise<V[Method]["answer"]>;
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
  readonly isClosed: () => boolean;
};

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };

/** Connects to the other side of `port` (a Worker from outside, parentPort from inside, or one end of a channel). */
export function connectWorker<
  Ours extends Vocabulary,
  Theirs extends Vocabulary,
  OurEvents = Record<never, never>,
  TheirEvents = Record<never, never>,
>(port: Worker | MessagePort, handlers: Handlers<Ours>): Peer<Theirs, TheirEvents, OurEvents> {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, ((argument: never) => void)[]>();
  let nextId = 1;
  let closed: string | undefined;
  const post = (message: Wire): void => (port as MessagePort).postMessage(message);

  port.on("message", (message: Wire) => {
    switch (message.kind) {
      case "request":
        void answerRequest(message, handlers[message.method] as Handler | undefined)
          .then(post)
          // What cannot cross threads is a failure too.
          .catch((error: unknown) => post(failureOf(message.id, error)));
        return;
      case "answer":
      case "failure":
        settle(waiting.get(message.id), message);
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
        post({ kind: "request", id, method, argument });
        waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      }),
    emit: (name, argument) => {
      if (closed === undefined) post({ kind: "event", name, argument });
    },
    on: (name, listener) => {
      listeners.set(name, [...(listeners.get(name) ?? []), listener as (argument: never) => void]);
    },
    close: (reason) => {
      closed = reason;
      for (const { reject } of waiting.values()) reject(new Error(reason));
      waiting.clear();
    },
    isClosed: () => closed !== undefined,
  };
}

/** Closes the peer and tells why, once, if its worker fails or ends before somebody else closed the peer.
 * @param name for the message. */
export function watchWorker(
  worker: Worker,
  name: string,
  peer: Pick<Peer<Vocabulary, object, object>, "close" | "isClosed">,
  tell: (error: Error) => void,
): void {
  const die = (how: string): void => {
    if (peer.isClosed()) return;
    const failure = new Error(`the ${name} worker ${how}`);
    peer.close(failure.message);
    tell(failure);
  };
  worker.on("error", (error) => die(`failed: ${(error as Error).message}`));
  worker.on("exit", (code) => die(`ended by itself, with code ${code}`));
}

type Handler = (argument: unknown) => unknown;

async function answerRequest(
  { id, method, argument }: Extract<Wire, { kind: "request" }>,
  handler: Handler | undefined,
): Promise<Wire> {
  try {
    if (handler === undefined) throw new Error(`no handler for "${method}"`);
    return { kind: "answer", id, value: await handler(argument) };
  } catch (error) {
    return failureOf(id, error);
  }
}

function failureOf(id: number, error: unknown): Wire {
  const { message, code } = error as { message?: string; code?: unknown };
  return {
    kind: "failure",
    id,
    message: message ?? String(error),
    code: typeof code === "string" ? code : undefined,
  };
}

function settle(asked: Waiting | undefined, message: Extract<Wire, { kind: "answer" | "failure" }>): void {
  if (message.kind === "answer") {
    asked?.resolve(message.value as never);
    return;
  }
  const { message: text, code } = message;
  asked?.reject(Object.assign(new Error(text), code === undefined ? {} : { code }));
}
