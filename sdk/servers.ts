import { type LightFailure, type LightResult, Refusal } from "./failure.ts";
import type { LightServer, RpcCall } from "./server.ts";

/** Asks servers one after the other until one of them gives what can be verified. */
export type Ask = <T>(
  calls: readonly RpcCall[],
  /** Reads and verifies; what it refuses, the next server is asked for. */
  read: (answers: Answers, server: LightServer) => T | Promise<T>,
) => Promise<T>;

/** The answers to the calls, in their order. */
export type Answers = {
  /** Refuses where the server gave an error. */
  readonly at: (index: number) => unknown;
  readonly all: readonly LightResult<unknown>[];
};

/** @throws Refusal with what the first server did wrong, if none gives what is wanted. */
export function askInTurn(servers: readonly LightServer[]): Ask {
  return async (calls, read) => {
    let failure: LightFailure = { code: "light/unreachable", message: "no server is given" };
    for (const [index, server] of servers.entries()) {
      try {
        return await read(answersOf(await server.ask(calls)), server);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (index === 0) failure = error.failure;
      }
    }
    throw new Refusal(failure);
  };
}

/** Asks one server. @throws Refusal */
export async function askOne(server: LightServer, calls: readonly RpcCall[]): Promise<Answers> {
  return answersOf(await server.ask(calls));
}

function answersOf(all: readonly LightResult<unknown>[]): Answers {
  return {
    all,
    at: (index) => {
      const answer = all[index];
      if (answer === undefined)
        throw new Refusal({ code: "light/unreachable", message: "an answer is missing" });
      if (!answer.ok) throw new Refusal(answer.error);
      return answer.value;
    },
  };
}
