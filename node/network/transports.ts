import type { Identity } from "./identity.ts";
import type { LinkLimits } from "./limits.ts";
import type { AnswerEvents, SecureTransport } from "./secure-stream.ts";
import { createSmTransport } from "./sm-transport.ts";
import { createTlsTransport } from "./tls-transport.ts";
import type { Clock, Entropy } from "./types.ts";

export type TransportOptions = {
  readonly identity: Identity;
  /** Names chain and protocol: both sides must have the same. At most 255 characters of ASCII. */
  readonly protocolName: string;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly entropy: Entropy;
};

/** The one way of nodes with such identities to speak with each other; there is nothing to negotiate. */
export function createTransport(options: TransportOptions, answered: AnswerEvents): SecureTransport {
  const { identity, protocolName, limits } = options;
  const { kind } = identity;
  if (kind === "sm2") return createSmTransport(options, answered);
  const { handshakeTimeoutMs } = limits;
  return createTlsTransport({ identity: { ...identity, kind }, protocolName, handshakeTimeoutMs }, answered);
}
