import type { LightServer, RpcCall } from "@ostrom/sdk";

type Exchange = { readonly call: RpcCall; readonly answer: unknown };

/** A server and what it was last asked: which of its answers were proofs is shown to people after they have been verified. */
export type RecordedServer = {
  readonly server: LightServer;
  /** Forgets all exchanges. */
  readonly clear: () => void;
  readonly wasAsked: (method: string) => boolean;
  /** The answer to the last call of a method since `clear`. */
  readonly lastAnswer: (method: string) => unknown;
};

/** Answers that are kept between two questions: a walk over many epochs is long and of no interest afterwards. */
const MAX_EXCHANGES = 64;

/** Listens to a server. */
export function recordServer(server: LightServer): RecordedServer {
  let exchanges: Exchange[] = [];
  const last = (method: string): Exchange | undefined =>
    exchanges.findLast(({ call }) => call.method === method);
  return {
    server: {
      name: server.name,
      ask: async (calls) => {
        const answers = await server.ask(calls);
        const added = calls.map((call, index): Exchange => {
          const answer = answers[index];
          return { call, answer: answer?.ok === true ? answer.value : undefined };
        });
        exchanges = [...exchanges, ...added].slice(-MAX_EXCHANGES);
        return answers;
      },
    },
    clear: () => {
      exchanges = [];
    },
    wasAsked: (method) => last(method) !== undefined,
    lastAnswer: (method) => last(method)?.answer,
  };
}
