import { type ConnectionOptions, connect, type TLSSocket, type TlsOptions } from "node:tls";
import { type Identity, peerIdOfCertificate } from "./identity.ts";
import type { PeerAddress, PeerId } from "./types.ts";

/** How two nodes speak TLS: version 1.3 alone, both sides show a certificate, and the key in it is the identity. OpenSSL
 * verifies that whoever shows a certificate holds its key; authorities and names mean nothing here, so its verdict on them is
 * not asked for, and the key is compared with the set of allowed ones before any byte is read. */
export type SecureOptions = {
  readonly identity: Identity;
  /** Chain and protocol, agreed on by ALPN (RFC 7301): nodes of another chain are turned away in the handshake. */
  readonly protocolName: string;
};

/** The post-quantum hybrid; nothing weaker is accepted. Source: draft-ietf-tls-ecdhe-mlkem. */
const KEY_AGREEMENT = "X25519MLKEM768";
const TLS_VERSION = "TLSv1.3";

function sharedOptions({ identity, protocolName }: SecureOptions): TlsOptions & ConnectionOptions {
  return {
    key: identity.privateKeyPem,
    cert: identity.certificatePem,
    minVersion: TLS_VERSION,
    maxVersion: TLS_VERSION,
    ecdhCurve: KEY_AGREEMENT,
    sigalgs: "ed25519",
    ALPNProtocols: [protocolName],
    rejectUnauthorized: false,
  };
}

/** @param handshakeTimeoutMs after which the server destroys a connection that has not finished its handshake. */
export function serverOptions(options: SecureOptions, handshakeTimeoutMs: number): TlsOptions {
  return { ...sharedOptions(options), requestCert: true, handshakeTimeout: handshakeTimeoutMs };
}

/** Opens a connection; its `secureConnect` event says that the handshake is done. */
export function dialSecurely(options: SecureOptions, address: PeerAddress): TLSSocket {
  return connect({
    ...sharedOptions(options),
    host: address.host,
    port: address.port,
    noDelay: true,
    checkServerIdentity: () => undefined,
  } as ConnectionOptions);
}

/** Who is at the other end, once the handshake is done; undefined if that cannot be said. */
export function peerOf(socket: TLSSocket, protocolName: string): PeerId | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined || socket.alpnProtocol !== protocolName) return undefined;
  if (socket.getProtocol() !== TLS_VERSION) return undefined;
  return peerIdOfCertificate(certificate);
}
