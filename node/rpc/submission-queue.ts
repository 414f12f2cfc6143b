import { assert, type Bytes, type Failure, type Hash, type Result } from "@ostrom/base";
import type { PoolPort } from "./backend.ts";
import type { SubmissionGate } from "./submission-gate.ts";

/** Hands transactions to the pool in groups: the hundred of a batch, and those of other connections that came in the
 * same turn of the event loop, cross to the pool's thread in one message. */
export type SubmissionQueue = {
  /** One result for each, in order. Rejects with an RpcError for all of them where the node is busy. */
  readonly submit: (raws: readonly Bytes[]) => Promise<readonly Result<Hash, Failure>[]>;
};

/** Bounds one message to the pool's thread. */
const MAX_GROUP = 1_000;
/** The pool's codes for "no room now". */
const NO_ROOM: ReadonlySet<string> = new Set(["txpool/full", "txpool/busy"]);

type Results = readonly Result<Hash, Failure>[];

type Waiting = {
  readonly raws: readonly Bytes[];
  readonly resolve: (results: Results) => void;
  readonly reject: (error: unknown) => void;
};

/** @param nowMs a clock that only goes forward. */
export function createSubmissionQueue(
  pool: Pick<PoolPort, "submit">,
  gate: SubmissionGate,
  nowMs: () => number,
): SubmissionQueue {
  let waiting: Waiting[] = [];
  let isScheduled = false;

  const flush = (): void => {
    isScheduled = false;
    const groups = waiting;
    waiting = [];
    let first = 0;
    let count = 0;
    groups.forEach(({ raws }, index) => {
      if (count > 0 && count + raws.length > MAX_GROUP) {
        void submitGroups(pool, groups.slice(first, index));
        first = index;
        count = 0;
      }
      count += raws.length;
    });
    void submitGroups(pool, groups.slice(first));
  };
  const enqueue = (raws: readonly Bytes[]): Promise<Results> =>
    new Promise((resolve, reject) => {
      waiting.push({ raws, resolve, reject });
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(flush);
    });

  return {
    submit: async (raws) => {
      const bytes = raws.reduce((sum, raw) => sum + raw.length, 0);
      const refused = gate.enter(raws.length, bytes);
      if (refused !== undefined) throw refused;
      const enteredMs = nowMs();
      let isFull = false;
      try {
        const results = await enqueue(raws);
        isFull = results.some((result) => !result.ok && NO_ROOM.has(result.error.code));
        return results;
      } finally {
        gate.leave(raws.length, bytes, nowMs() - enteredMs, isFull);
      }
    },
  };
}

async function submitGroups(pool: Pick<PoolPort, "submit">, groups: readonly Waiting[]): Promise<void> {
  try {
    const alone = groups.length === 1 ? groups[0] : undefined;
    const results = await pool.submit(alone?.raws ?? groups.flatMap(({ raws }) => raws));
    let start = 0;
    for (const { raws, resolve } of groups) {
      const own = results.slice(start, start + raws.length);
      start += raws.length;
      assert(own.length === raws.length, "the pool must answer each transaction that it was offered");
      resolve(own);
    }
  } catch (error) {
    for (const { reject } of groups) reject(error);
  }
}
