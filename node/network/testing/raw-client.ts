import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Bytes } from "@ostrom/base";
import { type FrameChannel, FrameReader, writeFrameHeader } from "../frame-codec.ts";
import type { Identity } from "../identity.ts";
import { DEFAULT_LINK_LIMITS } from "../limits.ts";
import type { PeerAddress } from "../types.ts";

/** A TLS client that keeps to no rule but those it is told. */
export type RawClient = {
  readonly socket: TLSSocket;
  readonly frames: [FrameChannel, Bytes][];
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly isEnded: () => boolean;
};

export const PROTOCOL_NAME = "ostrom/1/test";

export function rawOptions(identity: Identity | undefined): ConnectionOptions {
  return {
    minVersion: "TLSv1.3",
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ALPNProtocols: [PROTOCOL_NAME],
    ...(identity === undefined ? {} : { key: identity.privateKeyPem, cert: identity.certificatePem }),
  };
}

/** Connects and waits for the end of the handshake, as far as a client can see it.
 * Rejects if the handshake fails. */
export async function dialRaw(address: PeerAddress, options: ConnectionOptions): Promise<RawClient> {
  const socket = connect({ ...options, host: address.host, port: address.port });
  const frames: [FrameChannel, Bytes][] = [];
  const reader = new FrameReader(DEFAULT_LINK_LIMITS.maxFrameBytes, (channel, payload) =>
    frames.push([channel, payload]),
  );
  let isEnded = false;
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      isEnded = true;
      resolve();
    });
  });
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  return { socket, frames, ended, isEnded: () => isEnded };
}

export function rawFrame(channel: FrameChannel, payload: Bytes): Bytes {
  const bytes = new Uint8Array(5 + payload.length);
  writeFrameHeader(bytes, 0, channel, payload.length);
  bytes.set(payload, 5);
  return bytes;
}
