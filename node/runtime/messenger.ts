import { encodeMessage, type Message, ValidatorIndex, type ValidatorSet } from "@ostrom/consensus";
import type { Channel, Network, PeerId } from "@ostrom/network";
import { peerIdsOf } from "./epoch-sets.ts";

/** Carries the messages of one epoch over the network: validators are named by their index in its set here and by transport key
 * there. */
export class Messenger {
  readonly #network: Network;
  readonly #peerIds: readonly PeerId[];
  readonly #indices: ReadonlyMap<PeerId, ValidatorIndex>;

  constructor(network: Network, validators: ValidatorSet) {
    this.#network = network;
    this.#peerIds = peerIdsOf(validators);
    this.#indices = new Map(this.#peerIds.map((peerId, index) => [peerId, ValidatorIndex(index)]));
  }

  peerIdOf(index: ValidatorIndex): PeerId | undefined {
    return this.#peerIds[index];
  }

  indexOf(peerId: PeerId): ValidatorIndex | undefined {
    return this.#indices.get(peerId);
  }

  send(to: ValidatorIndex, message: Message): void {
    const peerId = this.#peerIds[to];
    if (peerId !== undefined) sendMessage(this.#network, peerId, message);
  }

  /** To all that this node is linked with: who follows without a vote listens too. */
  broadcast(message: Message): void {
    this.#network.broadcast(channelOf(message), encodeMessage(message));
  }
}

export function sendMessage(network: Network, peerId: PeerId, message: Message): void {
  network.send(peerId, channelOf(message), encodeMessage(message));
}

function channelOf(message: Message): Channel {
  return message.kind === "block-range" || message.kind === "block-range-request" ? "sync" : "consensus";
}
