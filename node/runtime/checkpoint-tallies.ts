import { toHexDigits } from "@ostrom/base";
import {
  type CheckpointCertificate,
  type CheckpointEvidence,
  type CheckpointSet,
  type CheckpointSignature,
  type CheckpointStatement,
  type CheckpointVote,
  checkpointKeyHash,
  formCheckpointCertificate,
} from "@ostrom/consensus";

/** Verified signatures are kept of so many epochs, the newest; of the newest certified ones too, because a second statement may come late. */
export const MAX_TALLIED_EPOCHS = 32;

/** What is known of one epoch's checkpoint. Signatures were verified. */
type Tally = {
  readonly statement: CheckpointStatement;
  /** By the hashes of their keys, in hex digits. */
  readonly signatures: Map<string, CheckpointSignature>;
  /** Statements of others about the same epoch, the first of each key. */
  readonly strange: Map<string, CheckpointVote>;
};

/** Signatures on checkpoints that came in, by epoch: at most one statement and one other of each key. */
export class CheckpointTallies {
  readonly #tallies = new Map<number, Tally>();

  /** Begins to gather for an epoch, with what this node's own chain says of it. */
  open(statement: CheckpointStatement): void {
    if (this.#tallies.has(statement.epoch)) return;
    this.#tallies.set(statement.epoch, { statement, signatures: new Map(), strange: new Map() });
    for (const epoch of this.#tallies.keys())
      if (epoch <= statement.epoch - MAX_TALLIED_EPOCHS) this.#tallies.delete(epoch);
  }

  statementOf(epoch: number): CheckpointStatement | undefined {
    return this.#tallies.get(epoch)?.statement;
  }

  /** Whether this very statement of the key is here already. */
  has(epoch: number, publicKey: Uint8Array): boolean {
    return this.#tallies.get(epoch)?.signatures.has(nameOf(publicKey)) === true;
  }

  /** Whether another statement of the key is here already. */
  hasStrange(epoch: number, publicKey: Uint8Array): boolean {
    return this.#tallies.get(epoch)?.strange.has(nameOf(publicKey)) === true;
  }

  /** @param isOurs whether it says what this node's chain says. @returns what contradicts it, of the same key. */
  add(vote: CheckpointVote, isOurs: boolean): CheckpointEvidence | undefined {
    const tally = this.#tallies.get(vote.statement.epoch);
    if (tally === undefined) return undefined;
    const { signatures, strange, statement } = tally;
    const { publicKey, signature } = vote;
    const name = nameOf(publicKey);
    if (isOurs) signatures.set(name, { publicKey, signature });
    else if (!strange.has(name)) strange.set(name, vote);
    const ours = signatures.get(name);
    const other = strange.get(name);
    return ours === undefined || other === undefined
      ? undefined
      : { first: { statement, ...ours }, second: other };
  }

  signaturesOf(epoch: number): readonly CheckpointSignature[] {
    return [...(this.#tallies.get(epoch)?.signatures.values() ?? [])];
  }

  /** The first epoch from one on for which a set's members have signed enough. */
  certificateFrom(epoch: number, set: CheckpointSet): CheckpointCertificate | undefined {
    for (const one of this.epochsFrom(epoch)) {
      const { statement } = this.#tallies.get(one)!;
      const formed = formCheckpointCertificate(set, statement, this.signaturesOf(one));
      if (formed !== undefined) return formed;
    }
    return undefined;
  }

  /** Ascending. */
  epochsFrom(epoch: number): readonly number[] {
    return [...this.#tallies.keys()].filter((one) => one >= epoch).sort((a, b) => a - b);
  }

  /** How many signatures are kept. */
  get size(): number {
    let size = 0;
    for (const { signatures, strange } of this.#tallies.values()) size += signatures.size + strange.size;
    return size;
  }
}

function nameOf(publicKey: Uint8Array): string {
  return toHexDigits(checkpointKeyHash(publicKey));
}
