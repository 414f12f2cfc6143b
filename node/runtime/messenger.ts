import { toHexDigits } from "@ostrom/base";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  ValidatorIndex,
  type ValidatorSet,
} from "@ostrom/consensus";
import type { Channel, Network, PeerId } from "@ostrom/network";
import type { Log } from "./ports.ts";

/** Carries consensus messages over the network: validators are named by index here and by transport key there. */
export class Messenger {
  readonly #network: Network;
  readonly #peerIds: readonly PeerId[];
  readonly #indices: ReadonlyMap<PeerId, ValidatorIndex>;
  readonly #log: Log;

  constructor(network: Network, validators: ValidatorSet, log: Log) {
    this.#network = network;
    this.#log = log;
    this.#peerIds = validators.validators.map((validator) => toHexDigits(validator.transportKey));
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
    if (peerId !== undefined) this.#network.send(peerId, channelOf(message), encodeMessage(message));
  }

  broadcast(message: Message): void {
    this.#network.broadcast(channelOf(message), encodeMessage(message));
  }

  /** Reads a frame of a consensus channel. @returns undefined, and logs, if it is none of ours or from no validator. */
  read(
    peerId: PeerId,
    payload: Uint8Array,
  ): { readonly from: ValidatorIndex; readonly message: Message } | undefined {
    const from = this.#indices.get(peerId);
    if (from === undefined) return undefined;
    const message = decodeMessage(payload);
    if (message.ok) return { from, message: message.value };
    this.#log("warn", "a peer sent a message that cannot be read", {
      peer: from,
      code: message.error.code,
      reason: message.error.message,
    });
    return undefined;
  }
}

function channelOf(message: Message): Channel {
  return message.kind === "block-range" || message.kind === "block-range-request" ? "sync" : "consensus";
}
