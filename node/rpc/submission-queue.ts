import { type Bytes, type Failure, type Hash, must, type Result } from "@ostrom/base";
import type { PoolPort } from "./backend.ts";

/** Hands transactions to the pool in groups: the hundred of a batch, and those of other connections that came in the
 * same turn of the event loop, cross to the pool's thread in one message. */
export type SubmissionQueue = {
  readonly submit: (raw: Bytes) => Promise<Result<Hash, Failure>>;
};

/** Bounds one message to the pool's thread. */
const MAX_GROUP = 1_000;

type Waiting = {
  readonly raw: Bytes;
  readonly resolve: (result: Result<Hash, Failure>) => void;
  readonly reject: (error: unknown) => void;
};

export function createSubmissionQueue(pool: Pick<PoolPort, "submit">): SubmissionQueue {
  let waiting: Waiting[] = [];
  let isScheduled = false;

  const flush = (): void => {
    isScheduled = false;
    const group = waiting;
    waiting = [];
    for (let start = 0; start < group.length; start += MAX_GROUP) {
      void submitGroup(pool, group.slice(start, start + MAX_GROUP));
    }
  };

  return {
    submit: (raw) =>
      new Promise((resolve, reject) => {
        waiting.push({ raw, resolve, reject });
        if (isScheduled) return;
        isScheduled = true;
        setImmediate(flush);
      }),
  };
}

async function submitGroup(pool: Pick<PoolPort, "submit">, group: readonly Waiting[]): Promise<void> {
  try {
    const results = await pool.submit(group.map(({ raw }) => raw));
    group.forEach(({ resolve }, i) => {
      resolve(must(results[i], "the pool must answer each transaction that it was offered"));
    });
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}
