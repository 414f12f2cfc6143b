import type { Message } from "../index.ts";

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
