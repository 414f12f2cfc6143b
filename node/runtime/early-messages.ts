import type { Message } from "@ostrom/consensus";
import type { PeerId } from "@ostrom/network";

/** What one peer may say of an epoch that has not begun here; of more, the newest is kept. Some twenty views of a validator. */
const MAX_MESSAGES_OF_A_PEER = 64;
const MAX_BYTES_OF_A_PEER: number = 4 * 1024 * 1024;
/** Of all peers together. */
const MAX_BYTES: number = 64 * 1024 * 1024;

type Early = { readonly epoch: number; readonly message: Message; readonly bytes: number };

/** Messages that came before their epoch began here: the others are a little ahead, and would have to say it all again. */
export class EarlyMessages {
  readonly #kept = new Map<PeerId, Early[]>();
  #bytes = 0;

  keep(peerId: PeerId, epoch: number, message: Message, bytes: number): void {
    const kept = this.#kept.get(peerId) ?? [];
    this.#kept.set(peerId, kept);
    kept.push({ epoch, message, bytes });
    this.#bytes += bytes;
    let ofPeer = kept.reduce((sum, early) => sum + early.bytes, 0);
    while (
      kept.length > MAX_MESSAGES_OF_A_PEER ||
      ofPeer > MAX_BYTES_OF_A_PEER ||
      (this.#bytes > MAX_BYTES && kept.length > 0)
    ) {
      const dropped = kept.shift()!;
      ofPeer -= dropped.bytes;
      this.#bytes -= dropped.bytes;
    }
  }

  /** Takes out everything, in the order in which it came of each peer. */
  takeAll(): readonly { readonly peerId: PeerId; readonly message: Message; readonly bytes: number }[] {
    const all = [...this.#kept].flatMap(([peerId, kept]) => kept.map((early) => ({ peerId, ...early })));
    this.#kept.clear();
    this.#bytes = 0;
    return all;
  }

  get bytes(): number {
    return this.#bytes;
  }
}
