import { Address, type Bytes, Epoch, Hash, Height, must, toHexDigits } from "@ostrom/base";
import {
  type Executed,
  encodeBlock,
  encodeCertificate,
  feeRecipientOf,
  type ValidatorSet,
} from "@ostrom/consensus";
import type { SignedTransaction } from "@ostrom/execution";
import type { Execution, ExecutionReport, OrderedInput } from "./execution-port.ts";
import type { FinalizedBlock } from "./ordering.ts";

/** Finalized blocks that may wait for execution before block sync pauses. */
const MAX_WAITING_BLOCKS = 64;

export type ChainFollowerPorts = {
  readonly execution: Execution;
  /** Transactions of an ordered block whose signatures this node has checked. */
  readonly checkedIn: (digest: Hash) => readonly SignedTransaction[];
  readonly validatorsOf: (epoch: number) => ValidatorSet;
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
    return {
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

const HASH_LENGTH = 32;
const ADDRESS_LENGTH = 20;
const KEYS_OFFSET = HASH_LENGTH + ADDRESS_LENGTH;
const ENTRY_LENGTH = KEYS_OFFSET + HASH_LENGTH;

/** What this node has found out about who signed a transaction. */
export type CheckedSigner = Pick<SignedTransaction, "sender" | "verifiedKeys">;

/** Writes `OrderedInput.senders`. */
export function packSenderEntries(transactions: readonly SignedTransaction[]): Bytes {
  const packed = new Uint8Array(transactions.length * ENTRY_LENGTH);
  transactions.forEach(({ hash, sender, verifiedKeys }, index) => {
    packed.set(hash, index * ENTRY_LENGTH);
    packed.set(sender, index * ENTRY_LENGTH + HASH_LENGTH);
    if (verifiedKeys !== undefined) packed.set(verifiedKeys, index * ENTRY_LENGTH + KEYS_OFFSET);
  });
  return packed;
}

/** Reads `OrderedInput.senders`: by the hash's hex digits. */
export function unpackSenderEntries(packed: Bytes): ReadonlyMap<string, CheckedSigner> {
  const senders = new Map<string, CheckedSigner>();
  for (let offset = 0; offset < packed.length; offset += ENTRY_LENGTH) {
    const entry = packed.slice(offset, offset + ENTRY_LENGTH);
    const sender = Address(entry.slice(HASH_LENGTH, KEYS_OFFSET));
    const keys = entry.subarray(KEYS_OFFSET);
    const isChecked = keys.some((byte) => byte !== 0);
    senders.set(
      toHexDigits(entry.subarray(0, HASH_LENGTH)),
      isChecked ? { sender, verifiedKeys: Hash(keys) } : { sender },
    );
  }
  return senders;
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
