import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { Bytes } from "@ostrom/base";
import type { HostPort } from "./network-group.ts";
import type { PeerId } from "./types.ts";

/** What a stream tells its one consumer. */
export type StreamEvents = {
  /** The next bytes; they must not be changed. */
  readonly onData: (chunk: Bytes) => void;
  /** There is room to write again. */
  readonly onDrain: () => void;
  /** It failed; `onClosed` follows. */
  readonly onBroken: () => void;
  readonly onClosed: () => void;
};

/** A connection whose other end has proved who it is: what goes through is encrypted, in order, and the other end's own. */
export type SecureStream = {
  /** Who is at the other end; undefined if that cannot be said. */
  readonly peerId: PeerId | undefined;
  /** What the other end showed. */
  readonly certificate: X509Certificate | undefined;
  readonly remoteHost: string;
  /** Names the connection among those that are open. */
  readonly endpoint: string;
  /** Begins to hand out what comes. To be called once, in the turn in which the stream was made. */
  readonly listen: (events: StreamEvents) => void;
  /** The bytes must not change afterwards. @returns false if there is no room: `onDrain` follows. */
  readonly write: (bytes: Bytes) => boolean;
  readonly cork: () => void;
  readonly uncork: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly destroy: () => void;
};

export type DialEvents = {
  /** The handshake is done, as far as this side can see. */
  readonly onStream: (stream: SecureStream) => void;
  /** It failed, or the stream ended; may be called more than once. */
  readonly onFailed: () => void;
};

/** How two nodes make a secure stream of a connection: one way for each kind of identity. */
export type SecureTransport = {
  /** Opens a connection. @returns a function that gives it up. Events never come within the call. */
  readonly dial: (address: HostPort, events: DialEvents) => () => void;
  /** Takes a connection that another node has opened, and gives its handshake some time. The owner of the socket closes it in the end. */
  readonly answer: (socket: Socket) => void;
  /** Time has passed. */
  readonly tick: (elapsedMs: number) => void;
};

export type AnswerEvents = {
  readonly onStream: (stream: SecureStream) => void;
  /** A connection's handshake failed, and it was closed. */
  readonly onFailed: () => void;
};

/** Unique among the connections that are open. */
export function endpointOf(socket: Socket): string {
  return `${socket.remoteAddress}/${socket.remotePort}`;
}
