import { Epoch, type Hash, Height, View } from "@ostrom/base";
import type { FinalizedTip, Message } from "../index.ts";

export const GENESIS_TIMESTAMP_MS = 1_000_000;

/** Where a restarted node begins. @param newest the newest block on disk; undefined: there is none. */
export function startAfter(
  newest: FinalizedTip | undefined,
  epochLength: number,
  genesisHash: Hash,
): FinalizedTip {
  if (newest !== undefined && newest.height % epochLength !== 0) return newest;
  return {
    epoch: Epoch(newest === undefined ? 0 : newest.epoch + 1),
    view: View(0),
    height: newest?.height ?? Height(0),
    digest: newest?.digest ?? genesisHash,
    timestampMs: newest?.timestampMs ?? GENESIS_TIMESTAMP_MS,
    stateCertificate: newest?.stateCertificate,
    finalization: undefined,
  };
}

/** What is known of votes that may be missing from the log: none is; some may be, and it has not voted since; it has voted again,
 * first in `epoch`, and not yet in a later one. */
export type LostVotes =
  | { readonly kind: "whole" | "lost" }
  | { readonly kind: "returned"; readonly epoch: number };

/** Rule E7: it asks in the epoch where it finds itself, and in the next one that it enters. */
export function mustAskIn(lost: LostVotes, epoch: number): boolean {
  if (lost.kind === "returned") return epoch === lost.epoch + 1;
  return lost.kind === "lost";
}

export function lostAfterVote(lost: LostVotes, epoch: number): LostVotes {
  if (lost.kind === "lost") return { kind: "returned", epoch };
  return lost.kind === "returned" && epoch > lost.epoch ? { kind: "whole" } : lost;
}

const MAX_EARLY_MESSAGES_OF_A_MACHINE = 64;

/** Messages of an epoch that has not begun here; of more than may be kept of a machine, the newest are. */
export class EarlyMessages {
  #kept = new Map<number, Message[]>();

  keep(from: number, message: Message): void {
    const kept = this.#kept.get(from) ?? [];
    kept.push(message);
    this.#kept.set(from, kept.slice(-MAX_EARLY_MESSAGES_OF_A_MACHINE));
  }

  takeAll(): readonly { readonly from: number; readonly message: Message }[] {
    const all = [...this.#kept].flatMap(([from, messages]) => messages.map((message) => ({ from, message })));
    this.#kept = new Map();
    return all;
  }
}
