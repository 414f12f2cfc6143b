import { type Bytes, Epoch, type Hash, Height, must } from "@ostrom/base";
import {
  type Executed,
  encodeBlock,
  encodeCertificate,
  feeRecipientOf,
  type ValidatorSet,
} from "@ostrom/consensus";
import type { SignedTransaction } from "@ostrom/execution";
import type { Execution, ExecutionReport, OrderedInput, ResolvedBatch } from "./execution-port.ts";
import type { FinalizedBlock } from "./ordering.ts";
import { packSenderEntries } from "./sender-entries.ts";

/** Finalized blocks that may wait for execution before block sync pauses. */
const MAX_WAITING_BLOCKS = 64;

export type ChainFollowerPorts = {
  readonly execution: Execution;
  /** Transactions of an ordered block whose signatures this node has checked. */
  readonly checkedIn: (digest: Hash) => readonly SignedTransaction[];
  readonly validatorsOf: (epoch: number) => ValidatorSet;
  /** Batches that a payload refers to, when they are all here; undefined where there are none. */
  readonly resolve: (payload: Bytes) => Promise<readonly ResolvedBatch[]> | undefined;
  readonly executed: (report: ExecutionReport, result: Executed, batches: readonly ResolvedBatch[]) => void;
  readonly failed: (error: unknown) => void;
};

/** Carries finalized blocks to execution and what came of them back, in height order. */
export class ChainFollower {
  readonly #ports: ChainFollowerPorts;
  #waiting = 0;
  /** Blocks before the next one are with execution when it resolves; undefined if they are now. */
  #before: Promise<void> | undefined;

  constructor(ports: ChainFollowerPorts) {
    this.#ports = ports;
  }

  hasRoom(): boolean {
    return this.#waiting < MAX_WAITING_BLOCKS;
  }

  /** @param batchCursors after the block, if it has changed them. */
  finalized(finalized: FinalizedBlock, batchCursors?: Bytes): void {
    this.#waiting++;
    const input = this.#inputOf(finalized, batchCursors);
    const batches = this.#ports.resolve(finalized.block.payload);
    if (batches === undefined && this.#before === undefined) {
      this.#execute(input, []);
      return;
    }
    const before: Promise<void> = Promise.all([batches, this.#before])
      .then(([resolved]) => {
        if (this.#before === before) this.#before = undefined;
        this.#execute(input, resolved ?? []);
      })
      .catch((error: unknown) => this.#ports.failed(error));
    this.#before = before;
  }

  #execute(input: OrderedInput, batches: readonly ResolvedBatch[]): void {
    this.#ports.execution
      .execute(batches.length === 0 ? input : { ...input, batches })
      .then((report) => {
        this.#waiting--;
        this.#ports.executed(report, executedOf(report), batches);
      })
      .catch((error: unknown) => this.#ports.failed(error));
  }

  #inputOf({ block, digest, finalization }: FinalizedBlock, batchCursors: Bytes | undefined): OrderedInput {
    return {
      batchCursors,
      height: block.height,
      view: block.view,
      epoch: block.epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: must(
        feeRecipientOf(this.#ports.validatorsOf(block.epoch), block.proposer),
        "a finalized block has a proposer of the set",
      ),
      senders: packSenderEntries(this.#ports.checkedIn(digest)),
      orderedBlock: encodeBlock(block),
      finalization: encodeCertificate(finalization),
    };
  }
}

function executedOf(report: ExecutionReport): Executed {
  return {
    epoch: Epoch(report.epoch),
    height: Height(report.height),
    orderDigest: report.orderDigest,
    executedHash: report.executedHash,
    nextSetHash: report.nextSetHash,
  };
}
