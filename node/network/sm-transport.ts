import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { connect, type Socket } from "node:net";
import { must } from "@ostrom/base";
import { HandshakeLine } from "./handshake-line.ts";
import { identityKeyOf, signRaw } from "./identity-keys.ts";
import type { AnswerEvents, SecureTransport } from "./secure-stream.ts";
import { SmHandshake } from "./sm-handshake.ts";
import type { SmSide } from "./sm-key-schedule.ts";
import type { SmSealLimits } from "./sm-records.ts";
import { SmStream } from "./sm-stream.ts";
import { createSm2Ephemeral } from "./sm2-keys.ts";
import type { TransportOptions } from "./transports.ts";

/** Links of nodes with SM2 identities: the channel that README.md of this package specifies, over TCP. */
export function createSmTransport(
  options: TransportOptions & { readonly sealLimits?: SmSealLimits },
  answered: AnswerEvents,
): SecureTransport {
  const { identity, protocolName, limits, clock, entropy, sealLimits } = options;
  const line = new HandshakeLine(limits.maxHandshakeStepsPerSecond);
  const privateKey = createPrivateKey(identity.privateKeyPem);
  const key = must(identityKeyOf(createPublicKey(privateKey)), "an identity has a key of its kind");
  const certificate = new Uint8Array(new X509Certificate(identity.certificatePem).raw);
  const begin = (side: SmSide): SmHandshake =>
    new SmHandshake({
      side,
      protocolName,
      certificate,
      sign: (message) => signRaw(privateKey, key, message),
      entropy,
      createEphemeral: createSm2Ephemeral,
      sealLimits,
    });
  return {
    dial: ({ host, port }, { onStream, onFailed }) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once("connect", () => {
        const handshake = begin("dialing");
        socket.write(handshake.hello());
        // Whom this node dials it chooses itself: nobody can make it compute more than it wants.
        new SmStream(socket, handshake, { onStream, onFailed, run: runAtOnce });
      });
      socket.on("error", () => onFailed());
      socket.on("close", () => onFailed());
      return () => socket.destroy();
    },
    answer: (socket: Socket) => {
      const cancel = clock.after(limits.handshakeTimeoutMs, () => socket.destroy());
      socket.on("close", cancel);
      new SmStream(socket, begin("answering"), {
        onStream: (stream) => {
          cancel();
          answered.onStream(stream);
        },
        onFailed: answered.onFailed,
        run: (step) => line.add(step),
      });
    },
    tick: (elapsedMs) => line.tick(elapsedMs),
  };
}

function runAtOnce(step: () => void): () => void {
  step();
  return () => {};
}
