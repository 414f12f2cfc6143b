import { Height, type Random, toHexDigits } from "@ostrom/base";
import { decodePowMessage, encodePowMessage, type PowHeader, type PowMessage } from "@ostrom/consensus";
import type { Channel, Network, PeerId } from "@ostrom/network";
import type { SimulatedClock } from "./clock.ts";

/** Actors of mined chains by name. Each is a real node whose outgoing messages, clock or both are bent.
 * - selfishMiner: keeps the blocks that it has found to itself until others come as far.
 * - timestampLiar: its clock is as wrong as others tolerate.
 * - workForger: announces blocks without work.
 * - bodyLiar: answers with other bodies than those that were asked for. */
export const POW_ACTOR_NAMES = ["selfishMiner", "timestampLiar", "workForger", "bodyLiar"] as const;

export type PowActorName = (typeof POW_ACTOR_NAMES)[number];

export type PowActorTools = {
  readonly random: Random;
  readonly clock: SimulatedClock;
  /** Hex digits of the address that its blocks pay. */
  readonly coinbase: string;
  /** Longest time for which a block is kept back. */
  readonly patienceMs: number;
  readonly bent: () => void;
};

export type PowActor = {
  readonly network: Network;
  readonly heard: (payload: Uint8Array) => void;
};

/** Puts an actor between a node and its network. */
export function createPowActor(name: PowActorName, network: Network, tools: PowActorTools): PowActor {
  const selfish = new WithheldBlocks(tools);
  const send = (peerId: PeerId, channel: Channel, payload: Uint8Array): boolean => {
    if (channel === "transactions") return network.send(peerId, channel, payload);
    const message = decodePowMessage(payload);
    if (!message.ok) return network.send(peerId, channel, payload);
    if (name === "selfishMiner" && selfish.keeps(message.value, () => network.send(peerId, channel, payload)))
      return true;
    const bent = bend(name, message.value);
    if (bent === undefined) return network.send(peerId, channel, payload);
    tools.bent();
    return network.send(peerId, channel, encodePowMessage(bent));
  };
  return {
    network: {
      send,
      broadcast: (channel, payload) =>
        network.connected().filter((peerId) => send(peerId, channel, payload)).length,
      connected: network.connected,
    },
    heard: (payload) => {
      const message = name === "selfishMiner" ? decodePowMessage(payload) : undefined;
      if (message?.ok) selfish.hear(message.value);
    },
  };
}

function bend(name: PowActorName, message: PowMessage): PowMessage | undefined {
  if (name === "workForger" && message.kind === "announce") {
    return {
      ...message,
      headers: message.headers.map((header) => ({ ...header, nonce: header.nonce & 0xffn })),
    };
  }
  if (name === "bodyLiar" && message.kind === "block") {
    return {
      kind: "block",
      block: { ...message.block, payload: Uint8Array.of(...message.block.payload, 1) },
    };
  }
  return undefined;
}

/** Announcements of own blocks, until somebody else is as far. */
class WithheldBlocks {
  readonly #tools: PowActorTools;
  #kept: { readonly height: number; readonly send: () => void }[] = [];

  constructor(tools: PowActorTools) {
    this.#tools = tools;
  }

  keeps(message: PowMessage, send: () => void): boolean {
    const newest = message.kind === "announce" ? message.headers.at(-1) : undefined;
    if (newest === undefined || toHexDigits(newest.miner) !== this.#tools.coinbase) return false;
    this.#tools.bent();
    this.#kept.push({ height: newest.height, send });
    this.#tools.clock.at(this.#tools.patienceMs, () => this.#release(Height(newest.height)));
    return true;
  }

  hear(message: PowMessage): void {
    const headers: readonly PowHeader[] = message.kind === "announce" ? message.headers : [];
    const newest = headers.at(-1);
    if (newest !== undefined) this.#release(newest.height);
  }

  #release(through: number): void {
    const due = this.#kept.filter(({ height }) => height <= through);
    this.#kept = this.#kept.filter(({ height }) => height > through);
    for (const { send } of due) send();
  }
}
