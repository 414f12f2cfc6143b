import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { isFromThisMachine } from "./front-door.ts";
import { createRpcServer, type RpcServer, RpcStartError, type RpcTls } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";

const CHAIN_ID = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';
const RECEIVE_TIMEOUT_MS = 300;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "the openssl command, which makes the test's certificates, is not here";

function createCertificate(folder: string, name: string): RpcTls {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    ...["-keyout", key, "-out", certificate],
  ]);
  assert.equal(made.status, 0, made.stderr.toString());
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

describe("TLS at the JSON-RPC port", { skip }, () => {
  let folder: string;
  let tls: RpcTls;
  let server: RpcServer;
  let port = 0;
  let isLocal = true;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ostrom-tls-"));
    tls = createCertificate(folder, "first");
    server = createRpcServer({
      backend: createFakeBackend(),
      port: 0,
      tls,
      isLocal: () => isLocal,
      limits: { receiveTimeoutMs: RECEIVE_TIMEOUT_MS },
    });
    port = (await server.start()).port;
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (ca: string): Promise<{ readonly text: string; readonly protocol: string | null }> =>
    post((headers, answered) =>
      httpsRequest({ host: "127.0.0.1", port, method: "POST", headers, ca, agent: false }, answered),
    );
  const askPlainly = (): Promise<{ readonly text: string; readonly status: number | undefined }> =>
    post((headers, answered) =>
      httpRequest({ host: "127.0.0.1", port, method: "POST", headers, agent: false }, answered),
    );

  test("requests and their answers go through TLS, of version 1.2 or later", async () => {
    const { text, protocol } = await ask(tls.certificate);
    assert.match(text, /"result":"0x/);
    assert.equal(protocol, "TLSv1.3");
    const refused = await new Promise<string>((resolve) => {
      const old = connectTls({
        host: "127.0.0.1",
        port,
        ca: tls.certificate,
        maxVersion: "TLSv1.1",
        minVersion: "TLSv1",
      });
      old.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      old.on("secureConnect", () => resolve("connected"));
    });
    assert.notEqual(refused, "connected");
  });

  test("key agreement is post-quantum with clients that can, and X25519 with those that cannot", async (context) => {
    for (const ecdhCurve of ["auto", "X25519"]) {
      const socket = connectTls({ host: "127.0.0.1", port, ca: tls.certificate, ecdhCurve });
      await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
      const { name } = socket.getEphemeralKeyInfo() as { readonly name?: string };
      context.diagnostic(`JSON-RPC over TLS agrees on ${name} with a client that offers ${ecdhCurve}`);
      assert.equal(name, ecdhCurve === "auto" ? "X25519MLKEM768" : "X25519");
      socket.destroy();
    }
  });

  test("a client that does not know who issued the certificate refuses it", async () => {
    const other = createCertificate(folder, "other");
    await assert.rejects(ask(other.certificate), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ });
  });

  test("subscriptions go through TLS", async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}`, { ca: tls.certificate });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    socket.send(CHAIN_ID);
    const answer = await new Promise<string>((resolve) =>
      socket.once("message", (data) => resolve(String(data))),
    );
    assert.match(answer, /"result":"0x/);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close();
    await closed;
  });

  test("plain HTTP is answered to programs of this machine alone", async () => {
    assert.match((await askPlainly()).text, /"result":"0x/);
    isLocal = false;
    const refused = await askPlainly();
    isLocal = true;
    assert.equal(refused.status, 400);
    assert.match(refused.text, /speaks TLS/);
  });

  test("who connects and says nothing, or half a handshake, is dropped", async () => {
    for (const said of [[], [0x16, 0x03, 0x01]]) {
      const socket = connect(port, "127.0.0.1");
      if (said.length > 0) socket.write(Uint8Array.from(said));
      socket.on("error", () => undefined);
      await new Promise((resolve) => socket.once("close", resolve));
    }
    assert.match((await ask(tls.certificate)).text, /"result":"0x/);
  });

  test("a new certificate holds for new connections; one that is none leaves the old one", async () => {
    const next = createCertificate(folder, "next");
    assert.throws(() => server.renew({ certificate: next.certificate, key: tls.key }), {
      code: "rpc/certificate",
    });
    assert.match((await ask(tls.certificate)).text, /"result":"0x/);
    server.renew(next);
    assert.match((await ask(next.certificate)).text, /"result":"0x/);
    await assert.rejects(ask(tls.certificate));
    server.renew(tls);
  });

  test("a key that is not the certificate's stops the start with a code", () => {
    const other = createCertificate(folder, "mismatch");
    assert.throws(
      () => createRpcServer({ backend: createFakeBackend(), port: 0, tls: { ...tls, key: other.key } }),
      (error: unknown) => error instanceof RpcStartError && error.code === "rpc/certificate",
    );
  });
});

type Sending = (
  headers: Readonly<Record<string, string>>,
  answered: (response: import("node:http").IncomingMessage) => void,
) => import("node:http").ClientRequest;

function post(
  send: Sending,
): Promise<{ readonly text: string; readonly status: number | undefined; readonly protocol: string | null }> {
  return new Promise((resolve, reject) => {
    const request = send({ "content-type": "application/json" }, (response) => {
      const protocol = (response.socket as TLSSocket).getProtocol?.() ?? null;
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ text, status: response.statusCode, protocol }));
    });
    request.on("error", reject);
    request.end(CHAIN_ID);
  });
}

test("a connection is of this machine if it comes from loopback, or from the address that it goes to", () => {
  const from = (remoteAddress: string | undefined, localAddress: string): boolean =>
    isFromThisMachine({ remoteAddress, localAddress });
  for (const local of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.7"])
    assert.ok(from(local, "10.0.0.7"), local);
  for (const remote of ["10.0.0.8", "::ffff:10.0.0.8", "1.127.0.0", "fe80::1", undefined])
    assert.ok(!from(remote, "10.0.0.7"), String(remote));
});
