import type { Bytes } from "@ostrom/base";

/** A node's name on the network: its raw public key in lower-case hex digits. All nodes of a chain have keys of one kind (identity-kinds.ts). */
export type PeerId = string;

/** What a frame is about, in order of urgency: where a link is short of room, the last suffers first. */
export type Channel = "consensus" | "batches" | "sync" | "transactions";

/** Channels from the most urgent to the least. */
export const CHANNELS: readonly Channel[] = ["consensus", "batches", "sync", "transactions"];

/** What the frames of a link are about: strangers also tell each other who there is. */
export type LinkChannel = Channel | "discovery";

/** Channels of a link from the most urgent to the least. */
export const LINK_CHANNELS: readonly LinkChannel[] = [...CHANNELS, "discovery"];

/** What a node does with frames. Validator links implement it on TLS, the simulator on a seed. Frames may be lost, when a
 * link breaks or a queue is full, and may overtake one another when a link is replaced; they are never altered, and
 * `peerId` is never another's. */
export type Network = {
  /** Queues a frame. The payload must not change afterwards.
   * @returns false if it was dropped at once: the peer is not connected, its queue is full, or the frame is too big. */
  readonly send: (peerId: PeerId, channel: Channel, payload: Bytes) => boolean;
  /** Sends to all connected peers. @returns how many queues took it. */
  readonly broadcast: (channel: Channel, payload: Bytes) => number;
  readonly connected: () => readonly PeerId[];
};

/** What the network tells its node. All are called from the event loop, never from within `send`. */
export type NetworkHandlers = {
  /** The payload is the handler's to keep. */
  readonly onFrame: (peerId: PeerId, channel: Channel, payload: Bytes) => void;
  readonly onUp: (peerId: PeerId) => void;
  /** @param reason a code such as `network/idle`, for logs. */
  readonly onDown: (peerId: PeerId, reason: string) => void;
};

/** Where a peer listens. */
export type PeerAddress = { readonly peerId: PeerId; readonly host: string; readonly port: number };

/** Runs a callback once, later. @returns a function that cancels it. */
export type Clock = { readonly after: (delayMs: number, callback: () => void) => () => void };

/** Unpredictable bytes. */
export type Entropy = { readonly bytes: (length: number) => Bytes };

/** Writes one line of the log. */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
