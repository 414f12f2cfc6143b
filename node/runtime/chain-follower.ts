import type { Address, Hash } from "@ostrom/base";
import {
  encodeBlock,
  encodeCertificate,
  type Executed,
  feeRecipientOf,
  type ValidatorSet,
} from "@ostrom/consensus";
import { decodePayload } from "@ostrom/execution";
import { keccak256 } from "@ostrom/crypto";
import type { TransactionPool } from "@ostrom/txpool";
import type { Execution, ExecutionReport, OrderedInput } from "./execution-port.ts";
import type { FinalizedBlock } from "./ordering.ts";
import { Epoch, Height } from "@ostrom/base";

/** Finalized blocks that may wait for execution before block sync pauses. */
const MAX_WAITING_BLOCKS = 64;

export type ChainFollowerPorts = {
  readonly execution: Execution;
  readonly pool: TransactionPool;
  readonly validators: ValidatorSet;
  readonly executed: (report: ExecutionReport, result: Executed) => void;
  readonly failed: (error: unknown) => void;
};

/** Carries finalized blocks to execution and what came of them back, in height order. */
export class ChainFollower {
  readonly #ports: ChainFollowerPorts;
  #waiting = 0;

  constructor(ports: ChainFollowerPorts) {
    this.#ports = ports;
  }

  hasRoom(): boolean {
    return this.#waiting < MAX_WAITING_BLOCKS;
  }

  finalized(finalized: FinalizedBlock): void {
    this.#waiting++;
    this.#ports.execution
      .execute(this.#inputOf(finalized))
      .then((report) => {
        this.#waiting--;
        this.#ports.executed(report, executedOf(report));
      })
      .catch((error: unknown) => this.#ports.failed(error));
  }

  #inputOf({ block, digest, finalization }: FinalizedBlock): OrderedInput {
    const payload = decodePayload(block.payload);
    const transactions = payload.ok ? payload.value : [];
    return {
      height: block.height,
      view: block.view,
      epoch: block.epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: feeRecipientOf(this.#ports.validators, block.proposer) as Address,
      transactions,
      senders: transactions.map((raw) => this.#ports.pool.get(keccak256(raw))?.sender),
      orderedBlock: encodeBlock(block),
      finalization: encodeCertificate(finalization),
    };
  }
}

function executedOf(report: ExecutionReport): Executed {
  return {
    epoch: Epoch(report.epoch),
    height: Height(report.height),
    orderDigest: report.orderDigest as Hash,
    executedHash: report.executedHash,
    nextSetHash: report.nextSetHash,
  };
}
