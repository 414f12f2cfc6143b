import type { Bytes } from "@ostrom/base";
import { decodePayload, encodePayload } from "@ostrom/execution";
import type { Network, PeerId } from "@ostrom/network";
import type { Clock } from "./ports.ts";

/** New transactions wait this long for others before they are sent on together. */
const GATHER_MS = 5;
/** A frame is sent at once when it has this many bytes. */
const MAX_GOSSIP_BYTES = 256 * 1024;

export type GossipPorts = {
  readonly network: Network;
  readonly clock: Clock;
  /** Takes transactions that a peer sent; they are unchecked. */
  readonly receive: (raws: readonly Bytes[]) => void;
};

/** Sends new transactions to all other validators, which are few: each gets each transaction whole from the node it was submitted to. What
 * came by gossip is not sent on. */
export class TransactionGossip {
  readonly #ports: GossipPorts;
  #gathered: Bytes[] = [];
  #bytes = 0;
  #cancel: (() => void) | undefined;

  constructor(ports: GossipPorts) {
    this.#ports = ports;
  }

  spread(raws: readonly Bytes[]): void {
    for (const raw of raws) {
      this.#gathered.push(raw);
      this.#bytes += raw.length;
      if (this.#bytes >= MAX_GOSSIP_BYTES) this.#flush();
    }
    if (this.#gathered.length > 0) this.#cancel ??= this.#ports.clock.after(GATHER_MS, () => this.#flush());
  }

  /** @returns false if the frame is none of ours. */
  frame(_peerId: PeerId, payload: Bytes): boolean {
    const raws = decodePayload(payload);
    if (raws.ok) this.#ports.receive(raws.value);
    return raws.ok;
  }

  stop(): void {
    this.#cancel?.();
  }

  #flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const raws = this.#gathered;
    this.#gathered = [];
    this.#bytes = 0;
    if (raws.length > 0) this.#ports.network.broadcast("transactions", encodePayload(raws));
  }
}
