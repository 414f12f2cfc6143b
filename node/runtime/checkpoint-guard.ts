import { type Bytes, toHexDigits } from "@ostrom/base";
import { checkpointKeyHash } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { checkpointName, encodeCheckpointRecord } from "./journal-records.ts";

/** Checkpoints of so many epochs are remembered, of all keys; of older epochs nothing is signed. */
const GUARDED_EPOCHS = 1_024;

/** A key would contradict what it has signed: it signs nothing, and the node goes on. */
export class CheckpointRefusal extends Error {
  override readonly name = "CheckpointRefusal";
}

/** What this node's checkpoint keys have signed: never two statements about one epoch by one key. */
export class CheckpointGuard {
  readonly #signed: Map<string, string>;

  /** @param signed what the log holds, by `checkpointName`. */
  constructor(signed: ReadonlyMap<string, string>) {
    this.#signed = new Map(signed);
  }

  /** Promises that a key signs this message, and no other one, about an epoch.
   * @returns the log's record if that is new. @throws CheckpointRefusal if it signed another, or if what it signed is forgotten. */
  promise(publicKey: Bytes, epoch: number, message: Bytes): Bytes | undefined {
    const name = checkpointName(epoch, toHexDigits(checkpointKeyHash(publicKey)));
    const digest = toHexDigits(keccak256(message));
    const before = this.#signed.get(name);
    if (before === digest) return undefined;
    if (before !== undefined)
      throw new CheckpointRefusal(`epoch ${epoch}: this checkpoint key signed another checkpoint before`);
    if (epoch <= this.#newest() - GUARDED_EPOCHS)
      throw new CheckpointRefusal(`epoch ${epoch}: what this checkpoint key signed about it is forgotten`);
    this.#signed.set(name, digest);
    return encodeCheckpointRecord(name, digest);
  }

  /** What a rewritten log must keep. */
  records(): readonly Bytes[] {
    const oldest = this.#newest() - GUARDED_EPOCHS;
    for (const name of this.#signed.keys()) if (epochOf(name) <= oldest) this.#signed.delete(name);
    return [...this.#signed].map(([name, digest]) => encodeCheckpointRecord(name, digest));
  }

  #newest(): number {
    return [...this.#signed.keys()].reduce((newest, name) => Math.max(newest, epochOf(name)), 0);
  }
}

function epochOf(name: string): number {
  return Number(name.slice(0, name.indexOf(":")));
}
