import type { Socket } from "node:net";
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { type Identity, peerIdOfCertificate } from "./identity.ts";
import type { IdentityKind } from "./identity-kinds.ts";
import { type AnswerEvents, endpointOf, type SecureStream, type SecureTransport } from "./secure-stream.ts";

/** How two nodes speak TLS: version 1.3 alone, both sides show a certificate, and the key in it is the identity. OpenSSL
 * verifies that whoever shows a certificate holds its key; authorities and names mean nothing here, so its verdict on them is
 * not asked for, and the key is compared with the set of allowed ones before any byte is read. */
export type TlsTransportOptions = {
  readonly identity: Identity & { readonly kind: TlsKind };
  /** Chain and protocol, agreed on by ALPN (RFC 7301): nodes of another chain are turned away in the handshake. */
  readonly protocolName: string;
  /** After which a connection that has not finished its handshake is destroyed. */
  readonly handshakeTimeoutMs: number;
};

/** Kinds of identities that TLS carries. */
export type TlsKind = Exclude<IdentityKind, "sm2">;

/** The post-quantum hybrid; nothing weaker is accepted, whatever the identities are. Source: draft-ietf-tls-ecdhe-mlkem. */
const KEY_AGREEMENT = "X25519MLKEM768";
const TLS_VERSION = "TLSv1.3";
/** The one signature by which each side may prove that it holds its key. Source for ML-DSA: draft-ietf-tls-mldsa. */
const SIGNATURES: Readonly<Record<TlsKind, string>> = { ed25519: "ed25519", "ml-dsa-44": "mldsa44" };

export function createTlsTransport(options: TlsTransportOptions, answered: AnswerEvents): SecureTransport {
  const { handshakeTimeoutMs: handshakeTimeout } = options;
  const server = createServer({ ...sharedOptions(options), requestCert: true, handshakeTimeout });
  server.on("secureConnection", (socket: TLSSocket) => answered.onStream(streamOf(socket, options)));
  server.on("tlsClientError", (_error, socket: TLSSocket) => {
    socket.destroy();
    answered.onFailed();
  });
  return {
    dial: ({ host, port }, { onStream, onFailed }) => {
      const socket = connect({
        ...sharedOptions(options),
        host,
        port,
        noDelay: true,
        checkServerIdentity: () => undefined,
      } as ConnectionOptions);
      socket.on("error", () => onFailed());
      socket.on("close", () => onFailed());
      socket.on("secureConnect", () => onStream(streamOf(socket, options)));
      return () => socket.destroy();
    },
    answer: (socket: Socket) => {
      server.emit("connection", socket);
    },
    tick: () => {},
  };
}

function sharedOptions({ identity, protocolName }: TlsTransportOptions): TlsOptions & ConnectionOptions {
  return {
    key: identity.privateKeyPem,
    cert: identity.certificatePem,
    minVersion: TLS_VERSION,
    maxVersion: TLS_VERSION,
    ecdhCurve: KEY_AGREEMENT,
    sigalgs: SIGNATURES[identity.kind],
    ALPNProtocols: [protocolName],
    rejectUnauthorized: false,
  };
}

function streamOf(socket: TLSSocket, { identity, protocolName }: TlsTransportOptions): SecureStream {
  // A socket without this would end the process when it fails before somebody listens.
  socket.on("error", () => {});
  const certificate = socket.getPeerX509Certificate();
  const isRight = socket.alpnProtocol === protocolName && socket.getProtocol() === TLS_VERSION;
  return {
    peerId:
      certificate === undefined || !isRight ? undefined : peerIdOfCertificate(certificate, identity.kind),
    certificate,
    remoteHost: socket.remoteAddress ?? "",
    endpoint: endpointOf(socket),
    listen: ({ onData, onDrain, onBroken, onClosed }) => {
      socket.on("error", onBroken);
      socket.on("close", onClosed);
      socket.on("drain", onDrain);
      socket.on("data", onData);
    },
    write: (bytes) => socket.write(bytes),
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    destroy: () => socket.destroy(),
  };
}
