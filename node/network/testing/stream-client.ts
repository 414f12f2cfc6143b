import { randomBytes } from "node:crypto";
import type { Bytes } from "@ostrom/base";
import { type FrameChannel, FrameReader } from "../frame-codec.ts";
import type { Identity } from "../identity.ts";
import { linkLimitsOf } from "../limits.ts";
import type { HostPort } from "../network-group.ts";
import type { SecureStream } from "../secure-stream.ts";
import { createTransport } from "../transports.ts";
import { realClock } from "./nodes.ts";
import { PROTOCOL_NAME } from "./raw-client.ts";

/** A client that shakes hands as it should and then keeps to no rule but those it is told. */
export type StreamClient = {
  readonly stream: SecureStream;
  readonly frames: [FrameChannel, Bytes][];
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly isEnded: () => boolean;
};

/** Rejects if the handshake fails. */
export function dialStream(
  identity: Identity,
  address: HostPort,
  protocolName: string = PROTOCOL_NAME,
): Promise<StreamClient> {
  const limits = linkLimitsOf(identity.kind);
  const entropy = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
  const ignored = { onStream: () => {}, onFailed: () => {} };
  const transport = createTransport({ identity, protocolName, limits, clock: realClock, entropy }, ignored);
  return new Promise((resolve, reject) => {
    transport.dial(address, {
      onFailed: () => reject(new Error("the handshake failed")),
      onStream: (stream) => {
        const frames: [FrameChannel, Bytes][] = [];
        const reader = new FrameReader(limits.maxFrameBytes, (channel, payload) => {
          frames.push([channel, payload]);
        });
        let isEnded = false;
        const ended = new Promise<void>((finish) => {
          stream.listen({
            onData: (chunk) => reader.push(chunk),
            onDrain: () => {},
            onBroken: () => {},
            onClosed: () => {
              isEnded = true;
              finish();
            },
          });
        });
        resolve({ stream, frames, ended, isEnded: () => isEnded });
      },
    });
  });
}
