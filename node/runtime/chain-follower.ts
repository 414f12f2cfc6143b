import { Epoch, type Hash, Height, must, toHexDigits } from "@ostrom/base";
import {
  type Executed,
  encodeBlock,
  encodeCertificate,
  feeRecipientOf,
  type ValidatorSet,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { decodePayload, type SignedTransaction } from "@ostrom/execution";
import type { Execution, ExecutionReport, OrderedInput } from "./execution-port.ts";
import type { FinalizedBlock } from "./ordering.ts";

/** Finalized blocks that may wait for execution before block sync pauses. */
const MAX_WAITING_BLOCKS = 64;

export type ChainFollowerPorts = {
  readonly execution: Execution;
  /** Transactions of an ordered block whose signatures this node has checked. */
  readonly checkedIn: (digest: Hash) => readonly SignedTransaction[];
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
    const checked = this.#ports.checkedIn(digest);
    const senders = new Map(checked.map(({ hash, sender }) => [toHexDigits(hash), sender]));
    return {
      height: block.height,
      view: block.view,
      epoch: block.epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: must(
        feeRecipientOf(this.#ports.validators, block.proposer),
        "a finalized block has a proposer of the set",
      ),
      transactions,
      senders: transactions.map((raw) => senders.get(toHexDigits(keccak256(raw)))),
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
