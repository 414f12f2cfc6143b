import type { X509Certificate } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import type { Bytes } from "@ostrom/base";
import { refuseCertificate } from "./certificate-check.ts";
import type { CloseReason } from "./connection.ts";
import type { StrangerPolicy } from "./discovery-types.ts";
import type { Identity } from "./identity.ts";
import { shortPeerId } from "./identity-kinds.ts";
import { InboundGate } from "./inbound-gate.ts";
import { type LinkLimits, linkLimitsOf } from "./limits.ts";
import type { HostPort } from "./network-group.ts";
import { Peer, type PeerPorts, type PeerStatistics } from "./peer.ts";
import { endpointOf, type SecureStream, type SecureTransport } from "./secure-stream.ts";
import { createTransport } from "./transports.ts";
import type {
  Clock,
  Entropy,
  LinkChannel,
  Log,
  Network,
  NetworkHandlers,
  PeerAddress,
  PeerId,
} from "./types.ts";

export type LinksOptions = {
  readonly identity: Identity;
  /** Names the chain (its genesis hash in hex): nodes of another one are turned away. At most 200 characters of ASCII. */
  readonly networkId: string;
  /** What this node's program calls itself: said to those that are linked. */
  readonly program?: string | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  /** Whom to dial, and where. Asked again and again; an entry for this node itself does no harm. */
  readonly peers: () => readonly PeerAddress[];
  /** The current set: genesis plus what the chain has certified since. A peer that leaves it loses its links within a second,
   * or at once if `refresh` is called. */
  readonly isAllowed: (peerId: PeerId) => boolean;
  /** Who else may be linked. Without it, nobody. */
  readonly strangers?: StrangerPolicy | undefined;
  /** The authorities of the organisation that a peer belongs to, as DER; undefined where it has none, and the key alone counts. Asked at
   * each handshake, and whenever sets are refreshed. */
  readonly certificateAuthoritiesOf?: ((peerId: PeerId) => readonly Bytes[] | undefined) | undefined;
  /** Milliseconds since 1970, for certificates. */
  readonly nowMs?: () => number;
  readonly handlers: NetworkHandlers;
  readonly limits?: Partial<LinkLimits>;
  readonly log: Log;
  readonly clock: Clock;
  readonly entropy: Entropy;
};

export type LinksStatistics = {
  readonly peers: readonly PeerStatistics[];
  /** Inbound connections that are not authenticated yet. */
  readonly pending: number;
  /** Inbound connections turned away, by reason. */
  readonly refused: Readonly<Record<string, number>>;
};

/** Mutually authenticated links with the validators of a chain, and with strangers where it lets them in. */
export type Links = Network & {
  /** Listens and dials. @returns where it listens (the port, if 0 was asked for).
   * Rejects with NetworkError `network/port-taken`, `network/cannot-listen`. */
  readonly start: () => Promise<{ readonly host: string; readonly port: number }>;
  /** Closes everything; no handler is called any more. */
  readonly stop: () => Promise<void>;
  /** Asks `peers` and `isAllowed` again, now. */
  readonly refresh: () => void;
  /** Bans a peer for a while because of what its frames said. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  /** Sends a frame on the channel `discovery`. */
  readonly tell: (peerId: PeerId, payload: Bytes) => boolean;
  /** Shakes hands with whoever is at an address, and leaves. @returns who is there; undefined: nobody of this chain. */
  readonly probe: (address: HostPort) => Promise<PeerId | undefined>;
  readonly stats: () => LinksStatistics;
};

export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code: "network/port-taken" | "network/cannot-listen";
  constructor(code: NetworkError["code"], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Raised when frames or greetings change their meaning. */
const PROTOCOL_VERSION = 1;
const TICK_MS = 250;
const TICKS_PER_REFRESH = 4;

export function createLinks(options: LinksOptions): Links {
  const links = new ValidatorLinks(options);
  return {
    start: () => links.start(),
    stop: () => links.stop(),
    refresh: () => links.refresh(),
    punish: (peerId, reason) => links.peer(peerId)?.punish(reason),
    send: (peerId, channel, payload) => links.peer(peerId)?.send(channel, payload) ?? false,
    tell: (peerId, payload) => links.peer(peerId)?.send("discovery", payload) ?? false,
    probe: (address) => links.probe(address),
    broadcast: (channel, payload) => {
      let count = 0;
      for (const peer of links.peers()) if (peer.send(channel, payload)) count += 1;
      return count;
    },
    connected: () =>
      links
        .peers()
        .filter((peer) => peer.isUp)
        .map((peer) => peer.peerId),
    stats: () => links.statistics(),
  };
}

class ValidatorLinks {
  readonly #options: LinksOptions;
  readonly #limits: LinkLimits;
  readonly #transport: SecureTransport;
  readonly #gate: InboundGate;
  readonly #ports: PeerPorts;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #refused: Record<string, number> = {};
  /** Connections that are no peer's yet, by their other end. */
  readonly #strangers = new Map<string, { readonly socket: Socket; readonly settle: () => void }>();
  readonly #server: Server;
  #cancelTick: () => void = () => {};
  #ticks = 0;
  #isStopped = false;

  constructor(options: LinksOptions) {
    this.#options = options;
    const { identity, networkId, clock, entropy } = options;
    this.#limits = linkLimitsOf(identity.kind, options.limits);
    const protocolName = `ostrom/${PROTOCOL_VERSION}/${networkId}`;
    this.#transport = createTransport(
      { identity, protocolName, limits: this.#limits, clock, entropy },
      {
        onStream: (stream) => this.#authenticate(stream),
        onFailed: () => this.#refuse("network/failed-handshake"),
      },
    );
    this.#gate = new InboundGate(this.#limits);
    const unlessStopped =
      <Arguments extends readonly unknown[]>(handler: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        if (!this.#isStopped) handler(...given);
      };
    this.#ports = {
      transport: this.#transport,
      limits: this.#limits,
      program: options.program,
      isAllowed: (peerId) => this.#isAllowed(peerId),
      refuseCertificate: (peerId, certificate) => this.#refuseCertificate(peerId, certificate),
      clock,
      entropy,
      log: options.log,
      onFrame: unlessStopped((peerId, channel, payload) => this.#frame(peerId, channel, payload)),
      onUp: unlessStopped((peerId, link) => {
        options.strangers?.onUp(peerId, link);
        options.handlers.onUp(peerId);
      }),
      onDown: unlessStopped((peerId, reason) => {
        options.strangers?.onDown(peerId, reason);
        options.handlers.onDown(peerId, reason);
      }),
      onUnreached: unlessStopped((peerId, reason) => options.strangers?.onUnreached(peerId, reason)),
      onPunished: unlessStopped((peerId, reason) => options.strangers?.onBreach(peerId, reason)),
    };
    // The gate stands before all handshakes: what it refuses costs no cryptography.
    this.#server = createServer({ noDelay: true }, (socket) => this.#admit(socket));
  }

  peer(peerId: PeerId): Peer | undefined {
    return this.#peers.get(peerId);
  }

  peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, () => resolve());
    });
    this.#server.on("error", (error) => this.#options.log("error", "cannot accept connections", { error }));
    this.refresh();
    this.#scheduleTick();
    const address = this.#server.address();
    return { host, port: typeof address === "object" && address !== null ? address.port : port };
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTick();
    for (const peer of this.#peers.values()) peer.close("network/stopped");
    for (const { socket } of this.#strangers.values()) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  refresh(): void {
    if (this.#isStopped) return;
    const own = this.#options.identity.peerId;
    const wanted = [...(this.#options.strangers?.wanted() ?? []), ...this.#options.peers()];
    const addresses = new Map(
      wanted
        .filter(({ peerId }) => peerId !== own && this.#isAllowed(peerId))
        .map((address) => [address.peerId, address]),
    );
    for (const peer of this.peers()) {
      peer.recheck();
      if (!this.#isAllowed(peer.peerId)) {
        this.#peers.delete(peer.peerId);
        peer.close("network/not-allowed");
      } else if (!addresses.has(peer.peerId)) {
        peer.setAddress(undefined);
        if (peer.isForgettable) this.#peers.delete(peer.peerId);
      }
    }
    for (const address of addresses.values()) this.#peerFor(address.peerId).setAddress(address);
  }

  probe(address: HostPort): Promise<PeerId | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const finish = (found?: PeerId): void => {
        cancel();
        resolve(found);
      };
      const abandon = this.#transport.dial(address, {
        onStream: (stream) => {
          finish(stream.peerId);
          stream.destroy();
        },
        onFailed: finish,
      });
      const cancel = this.#options.clock.after(this.#limits.handshakeTimeoutMs, () => {
        finish();
        abandon();
      });
    });
  }

  statistics(): LinksStatistics {
    const peers = this.peers().map((peer) => peer.statistics());
    return { peers, pending: this.#gate.pending, refused: { ...this.#refused } };
  }

  #isAllowed(peerId: PeerId): boolean {
    return this.#options.isAllowed(peerId) || this.#options.strangers?.holds(peerId) === true;
  }

  #refuseCertificate(peerId: PeerId, certificate: X509Certificate | undefined): CloseReason | undefined {
    const authorities = this.#options.certificateAuthoritiesOf?.(peerId);
    if (authorities === undefined) return undefined;
    const { identity, nowMs = Date.now } = this.#options;
    return refuseCertificate(certificate, authorities, nowMs(), identity.kind);
  }

  #frame(peerId: PeerId, channel: LinkChannel, payload: Bytes): void {
    if (channel === "discovery") this.#options.strangers?.onFrame(peerId, payload);
    else this.#options.handlers.onFrame(peerId, channel, payload);
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#ticks += 1;
      if (this.#ticks % TICKS_PER_REFRESH === 0) this.refresh();
      this.#gate.tick(TICK_MS);
      this.#transport.tick(TICK_MS);
      for (const peer of this.#peers.values()) peer.tick(TICK_MS);
      if (!this.#isStopped) this.#scheduleTick();
    });
  }

  #peerFor(peerId: PeerId): Peer {
    const known = this.#peers.get(peerId);
    if (known !== undefined) return known;
    const peer = new Peer(peerId, this.#ports);
    this.#peers.set(peerId, peer);
    return peer;
  }

  #refuse(reason: CloseReason, peerId?: PeerId): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    this.#options.log("debug", "a connection was refused", {
      reason,
      ...(peerId === undefined ? {} : { peer: shortPeerId(peerId) }),
    });
  }

  #admit(socket: Socket): void {
    const release = this.#gate.admit(socket.remoteAddress ?? "");
    if (typeof release === "string") {
      this.#refuse(release);
      socket.destroy();
      return;
    }
    const name = endpointOf(socket);
    const settle = (): void => {
      release();
      this.#strangers.delete(name);
    };
    this.#strangers.set(name, { socket, settle });
    socket.on("close", settle);
    socket.on("error", () => socket.destroy());
    this.#transport.answer(socket);
  }

  /** The handshake is done; nothing has been read from the connection yet. */
  #authenticate(stream: SecureStream): void {
    const { peerId } = stream;
    const reason = this.#reasonToRefuse(stream);
    if (peerId === undefined || reason !== undefined) {
      this.#refuse(reason ?? "network/no-identity", peerId);
      stream.destroy();
      return;
    }
    // It counts as pending until both have greeted each other.
    const stranger = this.#strangers.get(stream.endpoint);
    this.#peerFor(peerId).accept(stream, () => stranger?.settle());
  }

  #reasonToRefuse({ peerId, certificate, remoteHost }: SecureStream): CloseReason | undefined {
    if (this.#isStopped) return "network/stopped";
    if (peerId === undefined) return "network/no-identity";
    if (peerId === this.#options.identity.peerId) return "network/own-identity";
    if (this.#peers.get(peerId)?.isBanned === true) return "network/banned";
    const refusal = this.#refuseCertificate(peerId, certificate);
    if (refusal !== undefined) return refusal;
    if (this.#options.isAllowed(peerId)) return undefined;
    const { strangers } = this.#options;
    return strangers === undefined ? "network/not-allowed" : strangers.admit(peerId, remoteHost);
  }
}

function listenError(error: Error, host: string, port: number): NetworkError {
  const { code } = error as Error & { readonly code?: string };
  if (code === "EADDRINUSE") {
    return new NetworkError(
      "network/port-taken",
      `port ${port} of ${host} is taken: stop the program that listens there, or choose another port`,
      { cause: error },
    );
  }
  return new NetworkError("network/cannot-listen", `cannot listen on ${host}:${port}: ${error.message}`, {
    cause: error,
  });
}
