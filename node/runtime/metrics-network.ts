import type { CHANNELS, LinksStatistics, Network, NetworkHandlers } from "@ostrom/network";
import { NETWORK } from "./metrics-catalog.ts";
import { count, countOf, gauge } from "./metrics-counters.ts";

/** A network whose frames are counted. */
export function countedNetwork(network: Network): Network {
  return {
    send: (peerId, channel, payload) => {
      const isTaken = network.send(peerId, channel, payload);
      countSent(channel, payload.length, isTaken ? 1 : 0);
      return isTaken;
    },
    broadcast: (channel, payload) => {
      const taken = network.broadcast(channel, payload);
      countSent(channel, payload.length, taken);
      return taken;
    },
    connected: network.connected,
  };
}

function countSent(channel: (typeof CHANNELS)[number], bytes: number, taken: number): void {
  if (taken === 0) {
    countOf(NETWORK.unsent, channel);
    return;
  }
  countOf(NETWORK.sentFrames, channel, taken);
  countOf(NETWORK.sentBytes, channel, taken * bytes);
}

/** Handlers that count what comes before they take it. */
export function countedHandlers({ onFrame, onUp, onDown }: NetworkHandlers): NetworkHandlers {
  return {
    onFrame: (peerId, channel, payload) => {
      countOf(NETWORK.receivedFrames, channel);
      countOf(NETWORK.receivedBytes, channel, payload.length);
      onFrame(peerId, channel, payload);
    },
    onUp: (peerId) => {
      count(NETWORK.up);
      onUp(peerId);
    },
    onDown: (peerId, reason) => {
      countOf(NETWORK.down, reason);
      onDown(peerId, reason);
    },
  };
}

/** Shows how the links are. */
export function showLinks({ peers, pending, refused }: LinksStatistics): void {
  gauge(
    NETWORK.queued,
    peers.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
  );
  gauge(NETWORK.pending, pending);
  gauge(
    NETWORK.refused,
    Object.values(refused).reduce((sum, one) => sum + one, 0),
  );
}
