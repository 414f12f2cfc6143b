import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { StorageError } from "./errors.ts";

/** Threads of one process that open one database share it, but its block cache belongs to the handle that was opened first:
 * classic-level 3.0.0 frees the cache with that handle, whoever still uses it, and the process dies of it. So handles are
 * counted across threads, and the first is not really closed while there are others: it stays until the process ends,
 * which costs memory and no data.
 *
 * The count lies in shared memory that workers inherit: a thread must have opened a database before it starts workers
 * that open it too. */
export type HandleCount = {
  /** Opens a handle, while no other is being opened or closed. */
  readonly open: <T>(
    openHandle: () => Promise<T>,
  ) => Promise<{ readonly handle: T; readonly isFirst: boolean }>;
  /** Closes a handle, unless that would harm others. */
  readonly close: (isFirst: boolean, closeHandle: () => Promise<void>) => Promise<void>;
};

const FIRST = 0;
const OTHERS = 1;
const LOCK = 2;
const FIELDS = 3;
const POLL_MS = 1;
const PATIENCE_MS = 30_000;

/** @param folder the database's, spelled alike everywhere. */
export function handleCountOf(folder: string): HandleCount {
  const fields = sharedFields(`ostrom database ${folder}`);
  return {
    open: (openHandle) =>
      exclusively(fields, folder, async () => {
        const handle = await openHandle();
        const isFirst = Atomics.compareExchange(fields, FIRST, 0, 1) === 0;
        if (!isFirst) Atomics.add(fields, OTHERS, 1);
        return { handle, isFirst };
      }),
    close: (isFirst, closeHandle) =>
      exclusively(fields, folder, async () => {
        if (isFirst && Atomics.load(fields, OTHERS) > 0) return;
        await closeHandle();
        if (isFirst) Atomics.store(fields, FIRST, 0);
        else Atomics.sub(fields, OTHERS, 1);
      }),
  };
}

function sharedFields(name: string): Int32Array {
  const inherited = getEnvironmentData(name) as unknown;
  const buffer =
    inherited instanceof SharedArrayBuffer
      ? inherited
      : new SharedArrayBuffer(FIELDS * Int32Array.BYTES_PER_ELEMENT);
  // The type declarations list what can be cloned, and forget what can be shared.
  if (inherited === undefined) setEnvironmentData(name, buffer as unknown as ArrayBuffer);
  return new Int32Array(buffer);
}

async function exclusively<T>(fields: Int32Array, folder: string, work: () => Promise<T>): Promise<T> {
  let waitedMs = 0;
  while (Atomics.compareExchange(fields, LOCK, 0, 1) !== 0) {
    if (waitedMs >= PATIENCE_MS) {
      throw new StorageError(
        "storage/failed",
        `a thread ended while it opened or closed ${folder}: start again`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    waitedMs += POLL_MS;
  }
  try {
    return await work();
  } finally {
    Atomics.store(fields, LOCK, 0);
  }
}
