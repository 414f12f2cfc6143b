import type { Address, Failure, Hash } from "@ostrom/base";
import type { PowConfig } from "@ostrom/consensus";
import type { InstalledModules, PowGenesis, SignedTransaction } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import type { UnwoundBlock } from "@ostrom/rpc";
import type { Store } from "@ostrom/storage";
import type { DropReason } from "@ostrom/txpool";
import type { ExecutedHead, ExecutionReport } from "./execution-port.ts";
import type { Ports } from "./ports.ts";
import type { UnwindingExecution } from "./pow-execution.ts";
import type { Miner } from "./pow-miner.ts";
import type { SignatureChecker } from "./signature-checker.ts";

/** What the core of a node of a mined chain stands on. All of it are ports: production binds them to the machine, the simulator to a
 * seed. */
export type PowCoreOptions = Ports & {
  readonly genesis: PowGenesis;
  readonly config: PowConfig;
  readonly store: Store;
  readonly network: Network;
  /** Drops a peer for a while because of what it sent. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  readonly execution: UnwindingExecution;
  readonly checker: SignatureChecker;
  /** What the program has, for what the pool lets in. */
  readonly modules?: InstalledModules | undefined;
  readonly miner: Miner;
  /** Gets the rewards and fees of the blocks that are mined here. */
  readonly coinbase: Address;
  /** The newest executed block. */
  readonly head: ExecutedHead;
  readonly listener: PowListener;
};

/** What others of the process want to know. */
export type PowListener = {
  readonly block: (report: ExecutionReport) => void;
  /** The newest block was taken off the chain. */
  readonly unwound: (unwound: UnwoundBlock) => void;
  /** The block of this height is so deep that clients are told it is final. */
  readonly finalized: (height: number) => void;
  readonly admitted: (transactions: readonly SignedTransaction[]) => void;
  readonly dropped: (dropped: readonly { readonly hash: Hash; readonly reason: DropReason }[]) => void;
  /** The node cannot go on. Called once. */
  readonly failed: (failure: Failure) => void;
};
