import { must, unwrap } from "@ostrom/base";
import { type CheckpointVotes, decodeCheckpointCertificate, encodeMessage } from "@ostrom/consensus";
import type { Network, PeerId } from "@ostrom/network";
import { readCheckpoint, type StoreView } from "@ostrom/storage";
import type { CheckpointTallies } from "./checkpoint-tallies.ts";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import type { Clock } from "./ports.ts";

/** Answers may be hundreds of kilobytes: what one peer is given, and all together. */
const ANSWERS: QuotaLimits = { perSecond: 2, burst: 16 };
const ALL_ANSWERS: QuotaLimits = { perSecond: 16, burst: 64 };
/** So far ahead of what is asked for a certificate is looked for. */
export const MAX_SEARCHED_EPOCHS = 64;

/** Tells others what this node has of checkpoints. */
export class CheckpointAnswers {
  readonly #ports: { readonly store: StoreView; readonly network: Network };
  readonly #tallies: CheckpointTallies;
  readonly #answers: PeerQuota<PeerId>;
  readonly #allAnswers: PeerQuota<"all">;

  constructor(
    ports: { readonly store: StoreView; readonly network: Network; readonly clock: Clock },
    tallies: CheckpointTallies,
  ) {
    this.#ports = ports;
    this.#tallies = tallies;
    this.#answers = new PeerQuota(ports.clock, ANSWERS);
    this.#allAnswers = new PeerQuota(ports.clock, ALL_ANSWERS);
  }

  /** Answers with the certificate of an epoch, else with the signatures that are here, else with the next certificate; who asks too often is
   * given nothing. @param newest epoch that is certified here. */
  give(peerId: PeerId, epoch: number, newest: number): void {
    if (!this.#answers.spend(peerId, 1) || !this.#allAnswers.spend("all", 1)) return;
    const votes = this.#stored(epoch) ?? this.#gathered(epoch) ?? this.#later(epoch, newest);
    if (votes !== undefined)
      this.#ports.network.send(peerId, "sync", encodeMessage({ kind: "checkpoint-votes", votes }));
  }

  #stored(epoch: number): CheckpointVotes | undefined {
    const bytes = readCheckpoint(this.#ports.store, epoch);
    return bytes === undefined ? undefined : unwrap(decodeCheckpointCertificate(bytes));
  }

  #gathered(epoch: number): CheckpointVotes | undefined {
    const signatures = this.#tallies.signaturesOf(epoch);
    if (signatures.length === 0) return undefined;
    return { statement: must(this.#tallies.statementOf(epoch), "it is tallied"), signatures };
  }

  #later(epoch: number, newest: number): CheckpointVotes | undefined {
    const last = Math.min(newest, epoch + MAX_SEARCHED_EPOCHS);
    for (let later = epoch + 1; later <= last; later++) {
      const found = this.#stored(later);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
