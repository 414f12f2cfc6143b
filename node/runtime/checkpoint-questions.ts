import { Epoch } from "@ostrom/base";
import { encodeMessage } from "@ostrom/consensus";
import type { Network, PeerId } from "@ostrom/network";
import type { Clock } from "./ports.ts";

/** What is lacking is asked for so often; as long as nothing comes, ever more slowly. */
const ASK_MS = 5_000;
const MAX_ASK_MS = 120_000;
/** While certificates of earlier epochs are fetched, one after another. */
const CATCH_UP_MS = 250;

/** Asks others for the checkpoints that this node lacks: one peer after another, at first for the next certificate; once all have been asked for that in
 * vain, for what was signed about later epochs, and so on in turn. */
export class CheckpointQuestions {
  readonly #ports: { readonly clock: Clock; readonly network: Network };
  readonly #lacking: () => readonly number[];
  /** Whose answers are expected. */
  readonly #asked = new Set<PeerId>();
  #delayMs = ASK_MS;
  #turn = 0;
  /** Questions since a certificate came. */
  #fruitless = 0;
  #pending: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #stopped = false;

  /** @param lacking epochs that this node has no certificate of, the one that it needs next first. */
  constructor(ports: { readonly clock: Clock; readonly network: Network }, lacking: () => readonly number[]) {
    this.#ports = ports;
    this.#lacking = lacking;
  }

  /** Another epoch has ended. However soon epochs follow one another, the question that waits is put in its time. */
  begin(): void {
    this.#delayMs = ASK_MS;
    this.#later(ASK_MS);
  }

  /** A certificate came. */
  certified(): void {
    this.#fruitless = 0;
    this.#delayMs = ASK_MS;
    if (this.#lacking().length > 0) this.#later(CATCH_UP_MS);
  }

  /** Whether a peer was asked, and has not answered before. */
  takeAnswer(peerId: PeerId): boolean {
    return this.#asked.delete(peerId);
  }

  stop(): void {
    this.#stopped = true;
    this.#pending?.cancel();
  }

  #later(delayMs: number): void {
    const { clock } = this.#ports;
    const atMs = clock.nowMs() + delayMs;
    if (this.#stopped || (this.#pending !== undefined && this.#pending.atMs <= atMs)) return;
    this.#pending?.cancel();
    const cancel = clock.after(delayMs, () => {
      this.#pending = undefined;
      this.#ask();
    });
    this.#pending = { atMs, cancel };
  }

  #ask(): void {
    const [next, ...others] = this.#lacking();
    if (this.#stopped || next === undefined) return;
    const { network } = this.#ports;
    const peers = network.connected();
    const peerId = peers[this.#turn % Math.max(1, peers.length)];
    const round = Math.floor(this.#fruitless / Math.max(1, peers.length));
    const epoch = round % 2 === 0 ? next : (others[round % Math.max(1, others.length)] ?? next);
    this.#turn++;
    this.#fruitless++;
    if (peerId !== undefined) {
      this.#asked.clear();
      this.#asked.add(peerId);
      network.send(peerId, "sync", encodeMessage({ kind: "checkpoint-request", epoch: Epoch(epoch) }));
    }
    this.#later(this.#delayMs);
    this.#delayMs = Math.min(MAX_ASK_MS, 2 * this.#delayMs);
  }
}
