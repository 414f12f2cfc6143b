import { type Hash, toHexDigits } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/execution";
import {
  createLinks,
  type Identity,
  type Links,
  type NetworkHandlers,
  type PeerAddress,
  type PeerId,
} from "@ostrom/network";
import type { NodeConfiguration } from "./configuration.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";

/** The links of a node: identities are pinned to the validators of the sets that are linked now, to those of some earlier ones, which
 * follow, and to the peers that node.json names. Addresses come from the sets unless node.json knows better.
 * @returns `attach` gives them their consumer, which needs the links to be made first. */
export function createNodeLinks(options: {
  readonly settings: NodeConfiguration;
  readonly genesisHash: Hash;
  readonly identity: Identity;
  /** Sets whose validators are linked. Asked again when `links.refresh` is called. */
  readonly linkedSets: () => readonly ValidatorSet[];
  /** Whether a peer was a validator in an earlier epoch. */
  readonly wasValidator: (peerId: PeerId) => boolean;
  readonly log: Log;
}): { readonly links: Links; readonly attach: (handlers: NetworkHandlers) => void } {
  const { settings, identity, log, linkedSets, wasValidator } = options;
  const named = new Map(Object.entries(settings.peers));
  const addresses = (): readonly PeerAddress[] => {
    const found = new Map<PeerId, PeerAddress>();
    for (const { validators } of linkedSets()) {
      for (const validator of validators) {
        const peerId = toHexDigits(validator.transportKey);
        const given = named.get(peerId) || settings.peerAddresses[validator.name];
        const { host, port } = addressOf(given, validator);
        found.set(peerId, { peerId, host, port });
      }
    }
    for (const [peerId, address] of named) {
      const known = addressOf(address, undefined);
      if (known !== undefined && !found.has(peerId)) found.set(peerId, { peerId, ...known });
    }
    return [...found.values()];
  };
  const isLinked = (peerId: PeerId): boolean =>
    linkedSets().some(({ validators }) => validators.some((one) => toHexDigits(one.transportKey) === peerId));
  let handlers: NetworkHandlers | undefined;
  const links = createLinks({
    identity,
    networkId: toHexDigits(options.genesisHash),
    listen: settings.link,
    peers: addresses,
    isAllowed: (peerId) => named.has(peerId) || isLinked(peerId) || wasValidator(peerId),
    handlers: {
      onFrame: (peerId, channel, payload) => handlers?.onFrame(peerId, channel, payload),
      onUp: (peerId) => handlers?.onUp(peerId),
      onDown: (peerId, reason) => handlers?.onDown(peerId, reason),
    },
    log,
    clock: machineClock,
    entropy: machineEntropy,
  });
  return {
    links,
    attach: (consumer) => {
      handlers = consumer;
    },
  };
}

/** Reads "host:port" where it is given. */
function addressOf<Fallback>(
  given: string | undefined,
  fallback: Fallback,
): Fallback | { readonly host: string; readonly port: number } {
  const match = given === undefined ? null : /^(.*):(\d+)$/.exec(given);
  return match === null ? fallback : { host: match[1]!.replace(/^\[(.*)\]$/, "$1"), port: Number(match[2]) };
}
