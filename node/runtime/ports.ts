import type { Bytes } from "@ostrom/base";

/** The ports of a node: all that it asks of the world. Production binds them to the machine (machine.ts), the simulator to a
 * seed. Nothing in the node's own code (ordering, intake, certification) touches the world by another way. */
export type Ports = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
};

export type Clock = {
  /** Milliseconds since 1970. May jump when the machine's clock is set. */
  readonly nowMs: () => number;
  /** Calls back once, after at least `delayMs`. @returns a function that cancels it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
};

export type Entropy = { readonly bytes: (length: number) => Bytes };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes one line. Fields never hold keys. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** The write-ahead log as ordering sees it: what is appended is durable when `sync` resolves. */
export type DurableLog = {
  readonly append: (records: readonly Bytes[]) => void;
  readonly sync: () => Promise<void>;
  /** Replaces all records by these, atomically. */
  readonly rotate: (records: readonly Bytes[]) => Promise<void>;
};
