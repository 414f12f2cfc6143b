import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { WebSocket } from "ws";
import { createDescriber } from "./console-description.ts";
import { createRpcProxy, PROXY_LIMITS } from "./rpc-proxy.ts";

const portOf = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port;

test("what a page sends before the node's side is open is bounded in bytes, also where it ignores the end", async () => {
  // A node that takes connections and never speaks.
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const proxy = createRpcProxy([`http://127.0.0.1:${portOf(silent)}`]);
  const server = createHttpServer().listen(0, "127.0.0.1");
  server.on("upgrade", (request, socket, head) => proxy.upgrade(0, request, socket, head));
  await once(server, "listening");
  const page = new WebSocket(`ws://127.0.0.1:${portOf(server)}/`);
  page.on("error", () => undefined);
  await once(page, "open");
  const message = " ".repeat(PROXY_LIMITS.bufferedBytes / 4);
  for (let count = 0; count < 8; count++) page.send(message);
  const [code] = (await once(page, "close")) as [number];
  assert.equal(code, 1013);
  proxy.close();
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  server.close();
  silent.close();
});

test("however often the console's description is asked for, a node is asked once at a time", async () => {
  let asked = 0;
  const node = createHttpServer((_, response) => {
    asked++;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify([{ id: 0, result: "0x539" }]));
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  const nodes = [{ name: "validator-1", url: `http://127.0.0.1:${portOf(node)}` }];
  const describe = createDescriber({ port: 0, chainName: "Test", nodes }, () => false);
  const files = await Promise.all(Array.from({ length: 50 }, () => describe()));
  assert.equal(asked, 1);
  assert.equal(JSON.parse(files[0]!.plain.toString("utf8")).chainId, 1337);
  node.closeAllConnections();
  node.close();
});
