import { assert, type Brand, type Bytes, type Epoch, type Hash } from "@ostrom/base";
import type { ConsensusDomain, StateCertificate, ValidatorIndex, ValidatorSet } from "../types.ts";

/** A layer of the DAG, from 1; 0 stands for the epoch's beginning, of which nobody makes a block. */
export type Round = Brand<number, "Round">;

export function Round(value: number): Round {
  assert(Number.isSafeInteger(value) && value >= 0, "a round must be a safe non-negative integer");
  return value as Round;
}

/** A block among those of the round before its child. */
export type Parent = { readonly author: ValidatorIndex; readonly digest: Hash };

/** The place of a block, and which of those that may claim it. */
export type BlockReference = Parent & { readonly round: Round };

/** What one validator says in one round. */
export type DagBlock = {
  readonly epoch: Epoch;
  readonly round: Round;
  readonly author: ValidatorIndex;
  /** The author's own block before this one, of whichever round below; undefined in its first one of the epoch. */
  readonly previous: { readonly round: Round; readonly digest: Hash } | undefined;
  /** Blocks of others of the round before, in ascending order of their authors. */
  readonly parents: readonly Parent[];
  /** Milliseconds since 1970; not below those of the blocks it builds on. */
  readonly timestampMs: number;
  /** The newest that the author holds, if it is newer than those of all blocks below. */
  readonly stateCertificate: StateCertificate | undefined;
  readonly payload: Bytes;
};

export type SignedDagBlock = { readonly block: DagBlock; readonly signature: Bytes };

/** All times in milliseconds. One epoch has one configuration. */
export type MysticetiConfig = {
  /** Of the set's scheme (`domainOfSet`). */
  readonly domain: ConsensusDomain;
  readonly validators: ValidatorSet;
  /** undefined: this node follows and makes no blocks. */
  readonly own: ValidatorIndex | undefined;
  /** Parameters of the protocol's family: rounds from a leader to what certifies it, at least 3 (propose, vote, certify), and how many leaders a
   * round has (rule M6). */
  readonly waveLength: number;
  readonly leadersPerRound: number;
  /** Rounds below a committed leader's that its commit still orders (rule M9). */
  readonly gcDepth: number;
  /** How long a quorum of a round waits for the round's leaders. */
  readonly leaderTimeoutMs: number;
  /** A validator makes no two blocks within this time. */
  readonly minRoundMs: number;
  /** With nothing to order anywhere it waits this long. At least minRoundMs. */
  readonly emptyRoundMs: number;
  /** Period of resending while no round begins (M12), and of asking again for what is missing. */
  readonly standstillMs: number;
  readonly fetchRetryMs: number;
  /** True if this validator may have made blocks of this epoch and its log is gone (M13). */
  readonly lostLog: boolean;
};

/** What a leader's commit orders, once and for all. */
export type Commit = {
  /** From 1 in each epoch, without gaps. */
  readonly index: number;
  readonly leader: BlockReference;
  /** The leader's place among the leaders of its round. */
  readonly offset: number;
  /** The leader's own history that no commit before had, by round, then author, then digest; the leader is the last. */
  readonly blocks: readonly DagBlock[];
};

export type DagMessage =
  /** Only its author sends it unasked. */
  | ({ readonly kind: "dag-block" } & SignedDagBlock)
  /** Asks for blocks that others refer to. */
  | { readonly kind: "dag-request"; readonly epoch: Epoch; readonly references: readonly BlockReference[] }
  | { readonly kind: "dag-blocks"; readonly epoch: Epoch; readonly blocks: readonly SignedDagBlock[] }
  /** A validator that lost its log asks how far the others are. */
  | { readonly kind: "dag-round-request"; readonly epoch: Epoch }
  /** The highest round that the sender has accepted a block of. */
  | { readonly kind: "dag-round-report"; readonly epoch: Epoch; readonly round: Round };

/** `leader` ends the wait for a round's leaders, `standstill` resends, `fetch` repeats requests. */
export type DagTimerId = "leader" | "standstill" | "fetch";

export type DagInput =
  | { readonly kind: "message"; readonly from: ValidatorIndex; readonly message: DagMessage }
  /** `token` is the one that the timer was set with: late firings are recognized by it. */
  | { readonly kind: "timer"; readonly id: DagTimerId; readonly token: number }
  /** Answers `buildPayload` of that round. */
  | {
      readonly kind: "payload";
      readonly round: Round;
      readonly timestampMs: number;
      readonly payload: Bytes;
      readonly stateCertificate: StateCertificate | undefined;
    }
  /** Answers `checkBlock`. Data missing or a timestamp ahead of the clock: answer later, when that has passed. */
  | { readonly kind: "verdict"; readonly digest: Hash; readonly valid: boolean }
  /** Whether there is something to include. */
  | { readonly kind: "work"; readonly pending: boolean }
  /** Answers `sign`: the block is signed, and on disk, synced. */
  | { readonly kind: "signed"; readonly signed: SignedDagBlock };

/** What the runtime must do, in this order. `sign` is a barrier: what follows it waits until the block, and all records appended before, are
 * synced. */
export type DagEffect =
  /** Sign dagSigningBytes(domain, digest), append the block, sync, then input `signed`. Do not send. */
  | { readonly kind: "sign"; readonly block: DagBlock; readonly digest: Hash }
  /** Append to the log: an accepted block. The next `sign` syncs it; losing an unsynced tail is safe. */
  | { readonly kind: "persist"; readonly signed: SignedDagBlock }
  | { readonly kind: "broadcast"; readonly message: DagMessage }
  | { readonly kind: "send"; readonly to: ValidatorIndex; readonly message: DagMessage }
  | { readonly kind: "setTimer"; readonly id: DagTimerId; readonly token: number; readonly delayMs: number }
  /** Answer with `payload` when the clock has reached `notBeforeMs`, or, with nothing to include, `emptyNotBeforeMs`. A newer one
   * replaces an older one. */
  | {
      readonly kind: "buildPayload";
      readonly round: Round;
      readonly notBeforeMs: number;
      readonly emptyNotBeforeMs: number;
    }
  /** Check what consensus cannot, without regard to any order: static validity, batches at hand, the clock. */
  | { readonly kind: "checkBlock"; readonly block: DagBlock; readonly digest: Hash }
  | { readonly kind: "committed"; readonly commit: Commit }
  /** This node is so far behind that the others no longer keep what it lacks: fetch ordered blocks from this peer. */
  | { readonly kind: "behind"; readonly peer: ValidatorIndex; readonly round: Round }
  /** Two blocks of one author in one round; both signatures were verified. */
  | { readonly kind: "evidence"; readonly first: SignedDagBlock; readonly second: SignedDagBlock }
  | {
      readonly kind: "fault";
      readonly peer: ValidatorIndex;
      readonly code: DagFaultCode;
      readonly message: string;
    };

export type DagFaultCode =
  | "mysticeti/wrong-sender"
  | "mysticeti/bad-signature"
  | "mysticeti/bad-block"
  | "mysticeti/unasked";

/** Most blocks that one request names, and one answer brings. */
export const MAX_REQUESTED_BLOCKS = 64;
/** Blocks of rounds farther above the newest accepted one are not kept: who is so far behind fetches what is ordered. */
export const MAX_ROUNDS_AHEAD = 32;
/** Blocks of one author that wait for their ancestors or their verdict. */
export const MAX_WAITING_PER_AUTHOR = 48;
/** Blocks of one author and round that are kept: what more an equivocator makes is read only where accepted blocks refer to it. */
export const MAX_BLOCKS_PER_SLOT = 3;
