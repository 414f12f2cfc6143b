import type { Bytes } from "@ostrom/base";
import type { Channel, Network, PeerId } from "@ostrom/network";

/** The same network; what is sent is heard first. @param listen `to` is undefined for what goes to all. */
export function tapNetwork(
  network: Network,
  listen: (channel: Channel, payload: Bytes, to: PeerId | undefined) => void,
): Network {
  return {
    send: (peerId, channel, payload) => {
      listen(channel, payload, peerId);
      return network.send(peerId, channel, payload);
    },
    broadcast: (channel, payload) => {
      listen(channel, payload, undefined);
      return network.broadcast(channel, payload);
    },
    connected: network.connected,
  };
}
