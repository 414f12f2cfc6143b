import type { X509Certificate } from "node:crypto";
import type { Bytes } from "@ostrom/base";
import { type CloseReason, Connection, type ConnectionEvents, MISCONDUCT } from "./connection.ts";
import { shortPeerId } from "./identity-kinds.ts";
import type { LinkLimits } from "./limits.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import type { SecureStream, SecureTransport } from "./secure-stream.ts";
import type { Clock, Entropy, LinkChannel, Log, PeerAddress, PeerId } from "./types.ts";

export type PeerPorts = {
  readonly transport: SecureTransport;
  readonly limits: LinkLimits;
  /** What this node's program calls itself. */
  readonly program: string | undefined;
  readonly isAllowed: (peerId: PeerId) => boolean;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Why a peer with this certificate must not be linked; undefined if it may. */
  readonly refuseCertificate: (
    peerId: PeerId,
    certificate: X509Certificate | undefined,
  ) => CloseReason | undefined;
  readonly onFrame: (peerId: PeerId, channel: LinkChannel, payload: Bytes) => void;
  readonly onUp: (peerId: PeerId, link: { readonly host: string; readonly isDialed: boolean }) => void;
  /** A connection ended, or an attempt to make one, before both sides knew each other. */
  readonly onUnreached: (peerId: PeerId, reason: CloseReason) => void;
  readonly onPunished: (peerId: PeerId, reason: CloseReason) => void;
  readonly onDown: (peerId: PeerId, reason: CloseReason) => void;
};

export type PeerStatistics = {
  readonly peerId: PeerId;
  readonly isDialed: boolean;
  readonly isAccepted: boolean;
  readonly queuedBytes: number;
  readonly sent: { readonly frames: number; readonly bytes: number };
  readonly received: { readonly frames: number; readonly bytes: number };
  /** Frames that the queue had no room for, by channel. */
  readonly dropped: Readonly<Record<LinkChannel, number>>;
  readonly dials: number;
  readonly strikes: number;
  readonly lastDownReason: CloseReason | undefined;
  /** Of the connection that it sends over: where the other end is, how long it is there, how long its newest ping took. */
  readonly remoteHost: string | undefined;
  readonly readyMs: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Where it is dialed. */
  readonly dialedPort: number | undefined;
  /** What its program calls itself. */
  readonly program: string | undefined;
};

/** A connection that lasted so long was a good one: the next attempt need not wait. */
const GOOD_CONNECTION_MS = 10_000;

type Side = "dialed" | "accepted";

/** All there is about one other node: up to two connections, one dialed by each side, and what waits to be sent.
 *
 * Each side keeps its own connection up and prefers it for sending; while it has none, it sends over the other's. So there
 * is no race to settle between two dialers, no connection is closed because a second came, and a link works as long as one
 * of the two can reach the other. The price is a second socket, and that frames may overtake each other when a connection
 * comes or goes: consumers must bear lost and doubled frames anyway. */
export class Peer {
  readonly peerId: PeerId;
  readonly #ports: PeerPorts;
  readonly #queue: OutgoingQueue;
  readonly #connections: { dialed: Connection | undefined; accepted: Connection | undefined } = {
    dialed: undefined,
    accepted: undefined,
  };
  readonly #past = { sent: { frames: 0, bytes: 0 }, received: { frames: 0, bytes: 0 } };
  #address: PeerAddress | undefined;
  /** Gives up the connection that is being opened. */
  #abandon: (() => void) | undefined;
  #cancelTimer: () => void = () => {};
  #redialMs: number;
  #isWaitingToRedial = false;
  #isPumpScheduled = false;
  #isUp = false;
  #isClosed = false;
  #banMs = 0;
  #strikes = 0;
  #sinceStrikeMs = 0;
  #dials = 0;
  #lastDownReason: CloseReason | undefined;

  constructor(peerId: PeerId, ports: PeerPorts) {
    this.peerId = peerId;
    this.#ports = ports;
    this.#queue = new OutgoingQueue(ports.limits.maxQueuedBytes);
    this.#redialMs = ports.limits.minRedialMs;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isBanned(): boolean {
    return this.#banMs > 0;
  }

  /** Whether nothing is left of it that must be remembered. */
  get isForgettable(): boolean {
    return (
      this.#strikes === 0 &&
      this.#connections.dialed === undefined &&
      this.#connections.accepted === undefined
    );
  }

  /** Says where to reach it, from now on; undefined: nowhere, wait until it comes. */
  setAddress(address: PeerAddress | undefined): void {
    const isSame = address?.host === this.#address?.host && address?.port === this.#address?.port;
    this.#address = address;
    if (isSame) return;
    this.#redialMs = this.#ports.limits.minRedialMs;
    this.#stopDialing();
    this.#dial();
  }

  send(channel: LinkChannel, payload: Bytes): boolean {
    if (!this.#isUp || payload.length > this.#ports.limits.maxFrameBytes[channel]) return false;
    const isQueued = this.#queue.push(channel, payload);
    if (isQueued && !this.#isPumpScheduled) {
      // After all events of this turn: what they cause goes out together.
      this.#isPumpScheduled = true;
      setImmediate(() => {
        this.#isPumpScheduled = false;
        this.#pump();
      });
    }
    return isQueued;
  }

  /** Takes a connection that this peer has opened. It replaces an earlier one, which must be dead or a double's.
   * @param onSettled called once, when it is ready or closed. */
  accept(stream: SecureStream, onSettled: () => void): void {
    this.#connections.accepted?.close("network/replaced");
    this.#connect(stream, "accepted", onSettled);
  }

  /** Closes its connections and bans it for a while. */
  punish(reason: CloseReason): void {
    if (this.isBanned) return;
    const { minBanMs, maxBanMs } = this.#ports.limits;
    this.#banMs = Math.min(maxBanMs, minBanMs * 2 ** this.#strikes);
    this.#strikes += 1;
    this.#sinceStrikeMs = 0;
    this.#ports.log("warn", "a peer broke the protocol", {
      peer: shortPeerId(this.peerId),
      reason,
      banMs: this.#banMs,
    });
    this.#disconnect(reason);
    this.#ports.onPunished(this.peerId, reason);
  }

  /** Closes connections whose certificate is not good any more: sets, authorities and time go on. */
  recheck(): void {
    for (const connection of [this.#connections.dialed, this.#connections.accepted]) {
      const reason =
        connection === undefined
          ? undefined
          : this.#ports.refuseCertificate(this.peerId, connection.certificate);
      if (reason !== undefined) connection?.close(reason);
    }
  }

  /** Ends all, for good. */
  close(reason: CloseReason): void {
    this.#isClosed = true;
    this.#stopDialing();
    this.#disconnect(reason);
  }

  tick(elapsedMs: number): void {
    this.#connections.dialed?.tick(elapsedMs);
    this.#connections.accepted?.tick(elapsedMs);
    if (this.#strikes > 0) {
      this.#sinceStrikeMs += elapsedMs;
      if (this.#sinceStrikeMs >= this.#ports.limits.forgiveAfterMs) this.#strikes = 0;
    }
    if (this.#banMs > 0) {
      this.#banMs -= elapsedMs;
      if (this.#banMs <= 0) this.#dial();
    }
  }

  statistics(): PeerStatistics {
    const { dialed, accepted } = this.#connections;
    const live = [dialed, accepted].find((connection) => connection?.isReady === true);
    const total = (side: "sent" | "received"): { frames: number; bytes: number } => ({
      frames: this.#past[side].frames + (dialed?.[side].frames ?? 0) + (accepted?.[side].frames ?? 0),
      bytes: this.#past[side].bytes + (dialed?.[side].bytes ?? 0) + (accepted?.[side].bytes ?? 0),
    });
    return {
      peerId: this.peerId,
      isDialed: dialed?.isReady === true,
      isAccepted: accepted?.isReady === true,
      queuedBytes: this.#queue.bytes,
      sent: total("sent"),
      received: total("received"),
      dropped: this.#queue.dropped,
      dials: this.#dials,
      strikes: this.#strikes,
      lastDownReason: this.#lastDownReason,
      remoteHost: live?.remoteHost,
      readyMs: live === undefined ? undefined : Math.max(dialed?.readyMs ?? 0, accepted?.readyMs ?? 0),
      roundTripMs: live?.roundTripMs,
      dialedPort: this.#address?.port,
      program: dialed?.about ?? accepted?.about,
    };
  }

  #pump(): void {
    const { dialed, accepted } = this.#connections;
    (dialed?.isReady === true ? dialed : accepted)?.pump(this.#queue);
  }

  #disconnect(reason: CloseReason): void {
    this.#connections.dialed?.close(reason);
    this.#connections.accepted?.close(reason);
  }

  #connect(stream: SecureStream, direction: Side, onSettled: () => void): void {
    const events: ConnectionEvents = {
      onReady: () => {
        onSettled();
        this.#ready(direction);
      },
      onFrame: (channel, payload) => this.#ports.onFrame(this.peerId, channel, payload),
      onRoom: () => this.#pump(),
      onClosed: (reason) => {
        onSettled();
        this.#closed(connection, reason);
      },
    };
    const { limits, program } = this.#ports;
    const connection = new Connection(stream, direction, limits, events, program);
    this.#connections[direction] = connection;
  }

  #ready(direction: Side): void {
    // It is there: no reason to wait any longer.
    if (direction === "accepted" && this.#isWaitingToRedial) {
      this.#stopDialing();
      this.#dial();
    }
    if (!this.#isUp) {
      this.#isUp = true;
      const host = this.#connections[direction]?.remoteHost ?? "";
      this.#ports.onUp(this.peerId, { host, isDialed: direction === "dialed" });
    }
    this.#pump();
  }

  #closed(connection: Connection, reason: CloseReason): void {
    const side = connection.direction;
    if (this.#connections[side] === connection) this.#connections[side] = undefined;
    for (const way of ["sent", "received"] as const) {
      this.#past[way].frames += connection[way].frames;
      this.#past[way].bytes += connection[way].bytes;
    }
    if (MISCONDUCT.has(reason)) this.punish(reason);
    if (side === "dialed") {
      if (connection.readyMs >= GOOD_CONNECTION_MS) this.#redialMs = this.#ports.limits.minRedialMs;
      this.#redialLater();
    }
    const isStillUp =
      this.#connections.dialed?.isReady === true || this.#connections.accepted?.isReady === true;
    if (!this.#isUp) this.#ports.onUnreached(this.peerId, reason);
    if (!this.#isUp || isStillUp) return;
    this.#isUp = false;
    this.#lastDownReason = reason;
    this.#queue.clear();
    this.#ports.onDown(this.peerId, reason);
  }

  #dial(): void {
    const address = this.#address;
    const isBusy =
      this.#abandon !== undefined || this.#isWaitingToRedial || this.#connections.dialed !== undefined;
    if (address === undefined || isBusy || this.#isClosed || this.isBanned) return;
    this.#dials += 1;
    const { transport, clock, limits } = this.#ports;
    const failed = (): void => {
      if (this.#abandon !== abandon) return;
      this.#stopDialing();
      this.#redialLater();
      this.#ports.onUnreached(this.peerId, "network/not-reached");
    };
    const abandon = transport.dial(address, {
      onStream: (stream) => (this.#abandon === abandon ? this.#dialed(stream) : stream.destroy()),
      onFailed: failed,
    });
    this.#abandon = abandon;
    this.#cancelTimer = clock.after(limits.handshakeTimeoutMs, abandon);
  }

  #dialed(stream: SecureStream): void {
    const reached = stream.peerId;
    const refusal =
      reached === this.peerId ? this.#ports.refuseCertificate(reached, stream.certificate) : undefined;
    if (refusal !== undefined) {
      this.#ports.log("warn", "a peer's certificate is refused", {
        peer: shortPeerId(this.peerId),
        reason: refusal,
      });
      stream.destroy();
      return;
    }
    if (reached !== this.peerId || !this.#ports.isAllowed(this.peerId)) {
      this.#ports.log("warn", "another node than expected answers at a peer's address", {
        peer: shortPeerId(this.peerId),
        reached: reached === undefined ? undefined : shortPeerId(reached),
        address: `${this.#address?.host}:${this.#address?.port}`,
      });
      stream.destroy();
      return;
    }
    this.#cancelTimer();
    this.#abandon = undefined;
    this.#connect(stream, "dialed", () => {});
  }

  #redialLater(): void {
    if (this.#address === undefined || this.#isClosed || this.#isWaitingToRedial) return;
    const { clock, entropy, limits } = this.#ports;
    const half = this.#redialMs / 2;
    const [random = 0] = entropy.bytes(1);
    this.#redialMs = Math.min(limits.maxRedialMs, 2 * this.#redialMs);
    this.#isWaitingToRedial = true;
    this.#cancelTimer = clock.after(half + (half * random) / 255, () => {
      this.#isWaitingToRedial = false;
      this.#dial();
    });
  }

  #stopDialing(): void {
    this.#cancelTimer();
    this.#isWaitingToRedial = false;
    const abandon = this.#abandon;
    this.#abandon = undefined;
    abandon?.();
  }
}
