import type { Failure, Hash } from "@ostrom/base";
import type { ConsensusDomain, LogRecord, ValidatorIndex, ValidatorSet } from "@ostrom/consensus";
import type { Genesis, SignedTransaction } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import type { Store } from "@ostrom/storage";
import type { DropReason } from "@ostrom/txpool";
import type { ExecutedHead, Execution, ExecutionReport } from "./execution-port.ts";
import type { Ports } from "./ports.ts";
import type { RecoveredChain } from "./recovered-chain.ts";
import type { SignatureChecker } from "./signature-checker.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** What a validator's core stands on: its ports, and what it found on disk. */
export type NodeCoreOptions = Ports & {
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly validators: ValidatorSet;
  /** This node's place in the set. */
  readonly own: ValidatorIndex;
  readonly store: Store;
  readonly network: Network;
  /** Drops a peer for a while because of what it sent. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  readonly execution: Execution;
  readonly checker: SignatureChecker;
  readonly journal: VoteJournal;
  /** What the write-ahead log held. */
  readonly records: readonly LogRecord[];
  readonly recovered: RecoveredChain;
  readonly head: ExecutedHead;
  readonly listener: NodeListener;
};

/** What others of the process want to know. */
export type NodeListener = {
  readonly block: (report: ExecutionReport) => void;
  readonly certified: (height: number) => void;
  readonly admitted: (transactions: readonly SignedTransaction[]) => void;
  readonly dropped: (dropped: readonly { readonly hash: Hash; readonly reason: DropReason }[]) => void;
  /** The node cannot go on. Called once. */
  readonly failed: (failure: Failure) => void;
};
