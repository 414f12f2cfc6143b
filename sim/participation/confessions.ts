import { toHexDigits } from "@ostrom/base";
import {
  type ConsensusDomain,
  executedSigningBytes,
  type Message,
  orderDigest,
  type ValidatorSet,
  voteSigningBytes,
} from "@ostrom/consensus";
import { seatIn } from "../known-sets.ts";

/** What actors have really said, by the frames that left them: who has contradicted itself in which epoch. */
export class Confessions {
  readonly #domain: ConsensusDomain;
  readonly #setOf: (epoch: number) => ValidatorSet | undefined;
  readonly #said = new Map<string, string>();
  readonly #guilty = new Set<string>();

  constructor(domain: ConsensusDomain, setOf: (epoch: number) => ValidatorSet | undefined) {
    this.#domain = domain;
    this.#setOf = setOf;
  }

  hasConfessed(identity: number, epoch: number): boolean {
    return this.#guilty.has(`${identity}/${epoch}`);
  }

  /** @param identity of the actor: only what its own key has signed counts. */
  hear(identity: number, message: Message): void {
    switch (message.kind) {
      case "vote": {
        const { vote, signature } = message.vote;
        const key = this.#keyOf(identity, vote.epoch);
        if (key === undefined) return;
        if (!this.#domain.signatures.verifyOne(key, voteSigningBytes(this.#domain, vote), signature)) return;
        const digest = toHexDigits(vote.digest);
        if (vote.kind === "notarize") this.#once(identity, vote.epoch, `notarize ${vote.view}`, digest);
        else this.#once(identity, vote.epoch, `end ${vote.view}`, `${vote.kind} ${digest}`);
        return;
      }
      case "proposal": {
        const { epoch, view } = message.block;
        const digest = orderDigest(this.#domain, message.block);
        const key = this.#keyOf(identity, epoch);
        if (key === undefined) return;
        const statement = voteSigningBytes(this.#domain, { kind: "notarize", epoch, view, digest });
        if (!this.#domain.signatures.verifyOne(key, statement, message.signature)) return;
        this.#once(identity, epoch, `notarize ${view}`, toHexDigits(digest));
        return;
      }
      case "executed": {
        const { executed, signature } = message.executed;
        const key = this.#keyOf(identity, executed.epoch);
        if (key === undefined) return;
        const statement = executedSigningBytes(this.#domain, executed);
        if (!this.#domain.signatures.verifyOne(key, statement, signature)) return;
        const { executedHash, nextSetHash, orderDigest: ordered } = executed;
        const result = [executedHash, nextSetHash, ordered].map(toHexDigits).join(" ");
        this.#once(identity, executed.epoch, `result ${executed.height}`, result);
        return;
      }
      default:
    }
  }

  #keyOf(identity: number, epoch: number): Uint8Array | undefined {
    const set = this.#setOf(epoch);
    const seat = set === undefined ? undefined : seatIn(set, identity);
    return seat === undefined ? undefined : set?.validators[seat]?.consensusKey;
  }

  #once(identity: number, epoch: number, about: string, word: string): void {
    const subject = `${identity}/${epoch}/${about}`;
    const before = this.#said.get(subject);
    if (before === undefined) this.#said.set(subject, word);
    else if (before !== word) this.#guilty.add(`${identity}/${epoch}`);
  }
}
