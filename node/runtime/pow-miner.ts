import type { Bytes } from "@ostrom/base";
import type { PowHashName } from "@ostrom/execution";

/** What a miner searches: the nonce with which a header's work hash meets the target. */
export type MiningJob = {
  readonly hash: PowHashName;
  /** What is hashed; the nonce is its last 8 bytes, big-endian, which may be anything here. */
  readonly header: Bytes;
  /** The greatest work hash, as a number of 256 bits, that is low enough. */
  readonly target: bigint;
};

/** Searches nonces, off the thread that asks. In production threads (`pow-miner-threads.ts`); under the simulator a stream of
 * chance in simulated time. */
export type Miner = {
  /** Begins a search; a newer one takes the place of an older one, which then finds nothing any more.
   * @param found is called at most once. */
  readonly search: (job: MiningJob, found: (nonce: bigint) => void) => void;
  /** Ends the search. */
  readonly pause: () => void;
  /** In the last seconds. */
  readonly hashesPerSecond: () => number;
  readonly stop: () => Promise<void>;
};

/** Of a node that does not mine. */
export const NO_MINER: Miner = {
  search: () => undefined,
  pause: () => undefined,
  hashesPerSecond: () => 0,
  stop: async () => undefined,
};
