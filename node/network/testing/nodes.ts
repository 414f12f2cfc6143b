import { randomBytes } from "node:crypto";
import type { Bytes } from "@ostrom/base";
import { createIdentity, type Identity } from "../identity.ts";
import type { IdentityKind } from "../identity-kinds.ts";
import type { LinkLimits } from "../limits.ts";
import { createLinks, type Links, type LinksOptions } from "../links.ts";
import type { Channel, Clock, PeerAddress, PeerId } from "../types.ts";

export type Received = { readonly peerId: PeerId; readonly channel: Channel; readonly payload: Bytes };

/** One node of a test, which remembers what its links told it. */
export type TestNode = {
  readonly identity: Identity;
  readonly links: Links;
  readonly address: PeerAddress;
  readonly received: Received[];
  readonly ups: PeerId[];
  readonly downs: { readonly peerId: PeerId; readonly reason: string }[];
};

/** Nodes that share one allowed set and know each other's addresses. */
export class TestNetwork {
  readonly allowed: Set<PeerId> = new Set();
  readonly addresses: Map<PeerId, PeerAddress> = new Map();
  readonly #started: Links[] = [];
  readonly #limits: Partial<LinkLimits>;
  readonly #kind: IdentityKind;

  constructor(limits: Partial<LinkLimits> = {}, kind: IdentityKind = "ed25519") {
    this.#limits = { minRedialMs: 10, maxRedialMs: 50, ...limits };
    this.#kind = kind;
  }

  /** Starts a node on a free port (or the given one) and tells the others where it is. */
  async start(
    options: {
      readonly identity?: Identity;
      readonly host?: string;
      readonly port?: number;
      readonly networkId?: string;
      readonly program?: string | undefined;
      readonly isHidden?: boolean;
      readonly peers?: () => readonly PeerAddress[];
      readonly limits?: Partial<LinkLimits>;
      readonly certificateAuthoritiesOf?: LinksOptions["certificateAuthoritiesOf"];
      readonly nowMs?: () => number;
      readonly strangers?: LinksOptions["strangers"];
      readonly onFrame?: (node: TestNode, frame: Received) => void;
    } = {},
  ): Promise<TestNode> {
    const identity = options.identity ?? createIdentity(this.#kind);
    this.allowed.add(identity.peerId);
    const received: Received[] = [];
    const ups: PeerId[] = [];
    const downs: { peerId: PeerId; reason: string }[] = [];
    const links = createLinks({
      identity,
      networkId: options.networkId ?? "test",
      program: options.program,
      listen: { host: options.host ?? "127.0.0.1", port: options.port ?? 0 },
      peers: options.peers ?? (() => [...this.addresses.values()]),
      isAllowed: (peerId) => this.allowed.has(peerId),
      strangers: options.strangers,
      certificateAuthoritiesOf: options.certificateAuthoritiesOf,
      nowMs: options.nowMs ?? Date.now,
      handlers: {
        onFrame: (peerId, channel, payload) => {
          const frame = { peerId, channel, payload };
          received.push(frame);
          options.onFrame?.(node, frame);
        },
        onUp: (peerId) => ups.push(peerId),
        onDown: (peerId, reason) => downs.push({ peerId, reason }),
      },
      limits: { ...this.#limits, ...options.limits },
      log: () => {},
      clock: realClock,
      entropy: { bytes: (length) => randomBytes(length) },
    });
    this.#started.push(links);
    const { host, port } = await links.start();
    const address = { peerId: identity.peerId, host, port };
    const node: TestNode = { identity, links, address, received, ups, downs };
    if (options.isHidden !== true) this.addresses.set(identity.peerId, address);
    for (const each of this.#started) each.refresh();
    return node;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.map((links) => links.stop()));
  }
}

export const realClock: Clock = {
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

const POLL_MS = 2;
const PATIENCE_MS = 20_000;

/** Waits until a condition holds; fails if it never does. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
