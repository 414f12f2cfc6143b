import type { Failure, Hash } from "@ostrom/base";
import type { ConsensusDomain, LogRecord } from "@ostrom/consensus";
import type { Genesis, InstalledModules, SignedTransaction } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import type { Store } from "@ostrom/storage";
import type { DropReason } from "@ostrom/txpool";
import type { BatchLimits, TransportKey } from "./batch-ports.ts";
import type { NodeKeys } from "./epoch-sets.ts";
import type { ExecutedHead, Execution, ExecutionReport } from "./execution-port.ts";
import type { Ports } from "./ports.ts";
import type { RecoveredChain } from "./recovered-chain.ts";
import type { SignatureChecker } from "./signature-checker.ts";
import type { StrangerLinks } from "./stranger-links.ts";
import type { ViewRecorder } from "./view-recorder.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** What a node's core stands on: its ports, and what it found on disk. */
export type NodeCoreOptions = Ports & {
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  /** They say what this node is in an epoch: a validator, if they are in its set; else it follows. */
  readonly keys: NodeKeys;
  readonly store: Store;
  readonly network: Network;
  /** Drops a peer for a while because of what it sent. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  /** undefined: nobody is linked but validators and those that node.json names. */
  readonly strangers?: StrangerLinks | undefined;
  /** From which height on a peer says that it has blocks. */
  readonly floorOf?: ((peerId: PeerId) => number) | undefined;
  readonly execution: Execution;
  readonly checker: SignatureChecker;
  /** The key of this node's links; without it, it takes part in no batches. */
  readonly transport?: TransportKey | undefined;
  readonly batchLimits?: Partial<BatchLimits> | undefined;
  /** What the program has, for what the pool lets in. */
  readonly modules?: InstalledModules | undefined;
  readonly journal: VoteJournal;
  /** What the write-ahead log held. */
  readonly records: readonly LogRecord[];
  readonly recovered: RecoveredChain;
  readonly head: ExecutedHead;
  readonly listener: NodeListener;
  /** Writes down what becomes of views. */
  readonly views?: ViewRecorder | undefined;
};

/** What others of the process want to know. */
export type NodeListener = {
  readonly block: (report: ExecutionReport) => void;
  readonly certified: (height: number) => void;
  readonly admitted: (transactions: readonly SignedTransaction[]) => void;
  readonly dropped: (dropped: readonly { readonly hash: Hash; readonly reason: DropReason }[]) => void;
  /** Others may be linked than before: `NodeCore.linkedSets` says who. */
  readonly setsChanged: () => void;
  /** The node cannot go on. Called once. */
  readonly failed: (failure: Failure) => void;
};
