import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createServer as createSecureServer } from "node:tls";
import { CONTROL_CODES, controlFrame } from "./frame-codec.ts";
import { createIdentity } from "./identity.ts";
import { attack, refused } from "./testing/attacked-node.ts";
import { until } from "./testing/nodes.ts";
import { dialRaw, PROTOCOL_NAME, rawOptions } from "./testing/raw-client.ts";
import type { TlsKind } from "./tls-transport.ts";

const TLS_KINDS: readonly TlsKind[] = ["ed25519", "ml-dsa-44"];

for (const kind of TLS_KINDS) {
  test(`links of ${kind}, key agreement: X25519MLKEM768, by default and on both sides`, (context) =>
    attack(
      async (node, insider) => {
        const client = await dialRaw(node.address, rawOptions(insider));
        const { name } = client.socket.getEphemeralKeyInfo() as { readonly name?: string };
        assert.equal(name, "X25519MLKEM768");
        assert.equal(client.socket.getProtocol(), "TLSv1.3");
        const cipher = client.socket.getCipher().standardName;
        context.diagnostic(`links of ${kind} agree on ${name} with ${cipher}, TLSv1.3`);
        client.socket.destroy();
      },
      {},
      kind,
    ));

  test(`links of ${kind}, key agreement: a client without post-quantum key agreement is refused`, () =>
    attack(
      async (node, insider) => {
        for (const ecdhCurve of ["X25519", "P-256", "X25519:P-384"]) {
          await assert.rejects(
            dialRaw(node.address, { ...rawOptions(insider), ecdhCurve }),
            /handshake failure/,
          );
        }
        assert.equal(refused(node, "network/failed-handshake"), 3);
      },
      {},
      kind,
    ));

  test(`links of ${kind}, key agreement: a server without it, even with the right key, is no link`, () =>
    attack(
      async (_node, insider, network) => {
        const server = createSecureServer({
          key: insider.privateKeyPem,
          cert: insider.certificatePem,
          requestCert: true,
          rejectUnauthorized: false,
          ALPNProtocols: [PROTOCOL_NAME],
          ecdhCurve: "X25519",
        });
        let failures = 0;
        server.on("tlsClientError", () => {
          failures += 1;
        });
        server.on("secureConnection", (socket) => socket.end(controlFrame(CONTROL_CODES.welcome)));
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as { readonly port: number };
        const address = { peerId: insider.peerId, host: "127.0.0.1", port };
        const dialing = await network.start({ peers: () => [address] });
        await until("two handshakes have failed", () => failures >= 2);
        assert.deepEqual(dialing.ups, []);
        await dialing.links.stop();
        server.close();
      },
      {},
      kind,
    ));

  test(`links of ${kind}: keys of other kinds, and signatures by other schemes, are refused in the handshake`, () =>
    attack(
      async (node, insider, network) => {
        const [other = "ed25519"] = TLS_KINDS.filter((each) => each !== kind);
        const stranger = createIdentity(other);
        network.allowed.add(stranger.peerId);
        // It cannot sign as the node asks, and so shows nothing.
        const client = await dialRaw(node.address, rawOptions(stranger));
        await client.ended;
        assert.equal(refused(node, "network/no-identity"), 1);
        const only = other === "ed25519" ? "ed25519" : "mldsa44";
        await assert.rejects(dialRaw(node.address, { ...rawOptions(insider), sigalgs: only }));
        const dialing = await network.start({ identity: stranger, peers: () => [node.address] });
        await until("it has dialed", () => (dialing.links.stats().peers[0]?.dials ?? 0) >= 2);
        assert.deepEqual([...dialing.ups, ...node.ups], []);
        await dialing.links.stop();
      },
      {},
      kind,
    ));
}
