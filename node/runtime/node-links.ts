import { type Hash, toHexDigits } from "@ostrom/base";
import type { ValidatorSet } from "@ostrom/execution";
import {
  createLinks,
  type Discovery,
  type Identity,
  type Links,
  type Network,
  type NetworkHandlers,
  OFFENCE_POINTS,
  type PeerAddress,
  type PeerId,
} from "@ostrom/network";
import type { Cleanup } from "./cleanup.ts";
import type { NodeConfiguration } from "./configuration.ts";
import type { LinkPolicy } from "./link-policy.ts";
import { guardNetwork, isReadFrom } from "./link-roles.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import { countedHandlers, countedNetwork } from "./metrics-network.ts";
import { CLIENT_VERSION } from "./node-assembly.ts";
import { createNodeDiscovery } from "./node-discovery.ts";
import type { Log } from "./ports.ts";
import type { StrangerLinks } from "./stranger-links.ts";

export type NodeLinksOptions = {
  readonly folder: string;
  readonly settings: NodeConfiguration;
  readonly genesisHash: Hash;
  /** Whether genesis lets strangers in. */
  readonly isOpenChain: boolean;
  /** Transactions go to all that are linked, and not only on their way to validators. */
  readonly spreadsToAll: boolean;
  /** A node to which nobody gave a block for so long looks for other peers. */
  readonly starvedAfterMs?: number;
  readonly identity: Identity;
  /** Sets whose validators are linked. Asked again when `links.refresh` is called. */
  readonly linkedSets: () => readonly ValidatorSet[];
  /** Whether a peer was a validator in an earlier epoch. */
  readonly wasValidator: (peerId: PeerId) => boolean;
  /** A peer says up to which block it can serve this node. */
  readonly heard: (peerId: PeerId, height: number) => void;
  /** What the chain's state says about links. */
  readonly policy?: LinkPolicy | undefined;
  readonly log: Log;
};

export type NodeLinks = {
  readonly links: Links;
  /** The links as the node's core uses them. */
  readonly network: Network;
  /** undefined: strangers are never linked. */
  readonly strangers: StrangerLinks | undefined;
  /** Gives the links their consumer, which needs them to be made first. */
  readonly attach: (handlers: NetworkHandlers) => void;
  /** Listens, dials, and looks for others. */
  readonly start: (cleanup: Cleanup) => Promise<void>;
};

/** The links of a node: identities are pinned to the validators of the sets that are linked now, to those of some earlier ones, which
 * follow, and to the peers that node.json names. Addresses come from the sets unless node.json knows better. Where the chain admits
 * strangers, they have places of their own; and a node that is no validator is one itself, which looks for validators like for others. */
export function createNodeLinks(options: NodeLinksOptions): NodeLinks {
  const { settings, identity, log, policy } = options;
  const circle = new LinkCircle(options);
  let handlers: NetworkHandlers | undefined;
  const roleOf = (peerId: PeerId) => policy?.roleOf?.(peerId) ?? "full";
  const found = discoveryOf(options, circle, () => links);
  circle.search = found;
  const links = createLinks({
    identity,
    networkId: toHexDigits(options.genesisHash),
    listen: settings.link,
    program: CLIENT_VERSION,
    peers: () => circle.refresh(),
    isAllowed: (peerId) => circle.isReserved(peerId),
    strangers: found?.discovery.policy,
    certificateAuthoritiesOf: policy?.certificateAuthoritiesOf,
    nowMs: machineClock.nowMs,
    handlers: {
      onFrame: (peerId, channel, payload) => {
        if (isReadFrom(roleOf(peerId), channel, payload)) handlers?.onFrame(peerId, channel, payload);
      },
      onUp: (peerId) => handlers?.onUp(peerId),
      onDown: (peerId, reason) => handlers?.onDown(peerId, reason),
    },
    log,
    clock: machineClock,
    entropy: machineEntropy,
  });
  return {
    links,
    network: guardNetwork(countedNetwork(links), (peerId) => circle.isReserved(peerId), roleOf),
    strangers: found === undefined ? undefined : strangerLinks(found.discovery, circle, options),
    attach: (consumer) => {
      handlers = countedHandlers(consumer);
    },
    start: async (cleanup) => {
      await links.start();
      cleanup.add(() => links.stop());
      found?.start(cleanup);
    },
  };
}

type Search = ReturnType<typeof createNodeDiscovery> & { readonly isOpen: () => boolean };

function discoveryOf(options: NodeLinksOptions, circle: LinkCircle, links: () => Links): Search | undefined {
  const { settings, policy, isOpenChain } = options;
  const { enabled } = settings.discovery;
  const mayOpen = enabled === "on" || isOpenChain || policy?.admitsStrangers !== undefined;
  if (enabled === "off" || !mayOpen) return undefined;
  // A chain may have been opened since the newest block that this node has: it is not kept from finding that out.
  const isOpen = (): boolean =>
    (policy?.admitsStrangers?.() ?? (enabled === "on" || isOpenChain)) ||
    (settings.bootstrap.length > 0 && policy?.isStale?.() === true);
  const made = createNodeDiscovery({
    ...options,
    ...settings,
    links,
    isOpen,
    isReserved: (peerId) => circle.isReserved(peerId),
    isValidator: () => circle.isMember,
  });
  return { ...made, isOpen };
}

function strangerLinks(
  discovery: Discovery,
  circle: LinkCircle,
  { spreadsToAll }: NodeLinksOptions,
): StrangerLinks {
  return {
    isStranger: (peerId) => !circle.isReserved(peerId),
    spreadsTo: (peerId) => spreadsToAll || circle.isReserved(peerId) || discovery.isOutbound(peerId),
    announce: (height) => discovery.announce(height),
    credit: (peerId) => discovery.credit(peerId),
    blame: (peerId, kind, reason) => discovery.blame(peerId, OFFENCE_POINTS[kind], reason),
  };
}

/** Who is linked without competing for a place: asked about every frame, and so computed only when something may have changed. */
class LinkCircle {
  readonly #options: NodeLinksOptions;
  readonly #named: ReadonlyMap<PeerId, string>;
  search: Search | undefined;
  /** Of the sets that are linked now. */
  #members: ReadonlySet<PeerId> = new Set();
  /** Answers about earlier sets. */
  readonly #earlier = new Map<PeerId, boolean>();
  /** Whether this node is a validator now, or was one lately. */
  isMember = false;

  constructor(options: NodeLinksOptions) {
    this.#options = options;
    this.#named = new Map(Object.entries(options.settings.peers));
  }

  isReserved(peerId: PeerId): boolean {
    if (this.#named.has(peerId) || this.#options.policy?.isMember?.(peerId) === true) return true;
    // To a node that looks for others by itself, validators are strangers like all: it is one to them.
    if (!this.isMember && this.search?.isOpen() === true) return false;
    return this.#members.has(peerId) || this.#wasValidator(peerId);
  }

  /** @returns whom to dial, and where. */
  refresh(): readonly PeerAddress[] {
    const { settings, identity, linkedSets, wasValidator } = this.#options;
    const found = new Map<PeerId, PeerAddress>();
    for (const { validators } of linkedSets()) {
      for (const validator of validators) {
        const peerId = toHexDigits(validator.transportKey);
        const given = this.#named.get(peerId) || settings.peerAddresses[validator.name];
        const { host, port } = addressOf(given, validator);
        found.set(peerId, { peerId, host, port });
      }
    }
    this.#members = new Set(found.keys());
    this.#earlier.clear();
    this.isMember = this.#members.has(identity.peerId) || wasValidator(identity.peerId);
    if (this.search !== undefined && !this.isMember) this.#learn(this.search.discovery, found);
    for (const [peerId, address] of this.#named) {
      const known = addressOf(address, undefined);
      if (known !== undefined && !found.has(peerId)) found.set(peerId, { peerId, ...known });
    }
    return [...found.values()].filter(({ peerId }) => this.isReserved(peerId));
  }

  #learn({ book }: Discovery, found: ReadonlyMap<PeerId, PeerAddress>): void {
    for (const [peerId, { host, port }] of found)
      if (book.get(peerId) === undefined) book.name(peerId, { host, port }, machineClock.nowMs());
  }

  #wasValidator(peerId: PeerId): boolean {
    const known = this.#earlier.get(peerId);
    if (known !== undefined) return known;
    const was = this.#options.wasValidator(peerId);
    // Strangers come and go between two refreshes.
    if (this.#earlier.size >= MAX_ANSWERS) this.#earlier.clear();
    this.#earlier.set(peerId, was);
    return was;
  }
}

const MAX_ANSWERS = 4_096;

/** Reads "host:port" where it is given. */
function addressOf<Fallback>(
  given: string | undefined,
  fallback: Fallback,
): Fallback | { readonly host: string; readonly port: number } {
  const match = given === undefined ? null : /^(.*):(\d+)$/.exec(given);
  return match === null ? fallback : { host: match[1]!.replace(/^\[(.*)\]$/, "$1"), port: Number(match[2]) };
}
