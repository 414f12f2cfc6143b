import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type ConsoleAccess, createConsoleAccess } from "./console-access.ts";
import { createDescriber } from "./console-description.ts";
import { type ConsoleOptions, DEFAULT_CONSOLE_HOST } from "./console-options.ts";
import { createIndexMount, type IndexMount } from "./index-mount.ts";
import { ensurePages } from "./page-build.ts";
import { type PageFile, type PageFiles, readPageFiles } from "./page-files.ts";
import { preparingPage } from "./preparing-page.ts";
import { refuse, sendFile } from "./responses.ts";
import { createRpcProxy, type RpcProxy } from "./rpc-proxy.ts";

/** A running console. */
export type Console = {
  readonly url: string;
  readonly port: number;
  /** Resolves when the pages are served; rejects if they could not be built (all else is served all the same). */
  readonly prepared: Promise<void>;
  readonly close: () => Promise<void>;
};

/** What a request is answered from. */
type Serving = {
  readonly describe: () => Promise<PageFile>;
  readonly access: ConsoleAccess;
  readonly proxy: RpcProxy;
  readonly index: IndexMount;
  readonly policy: string;
  /** Of a folder that was named; without one they are built with the pages. */
  readonly docs: PageFiles | undefined;
  pages: PageFiles | undefined;
  /** Why there are none, and will be none. */
  buildFailure: string | undefined;
};

const INDEX_PAGE = "/index.html";
const DEFAULT_DIST = join(import.meta.dirname, "dist");
const DOCS_PREFIX = "/docs";
const RPC_PATH = /^\/rpc\/(\d{1,3})\/?$/;
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 1_024;

/** Starts the console: pages, the index's REST interface, and JSON-RPC of the nodes, on one origin. It listens at once, and builds the
 * pages meanwhile where they are not there. Rejects with the system's error if the port cannot be had. */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { host = DEFAULT_CONSOLE_HOST } = options;
  const stop = new AbortController();
  const serving: Serving = {
    describe: createDescriber(options, () => hasDocs(serving)),
    access: createConsoleAccess([...(options.allowedHosts ?? []), host]),
    proxy: createRpcProxy(options.nodes.map(({ url }) => url)),
    index: createIndexMount(options),
    policy: contentPolicy(options),
    docs: docsOf(options.docs),
    pages: undefined,
    buildFailure: undefined,
  };
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => answer(serving, request, response));
  server.on("upgrade", (request, socket, head) => upgrade(serving, request, socket, head));
  await listen(server, host, options.port);
  serving.index.start();
  const prepared = ensurePages(options.dist ?? DEFAULT_DIST, stop.signal).then(
    (folder) => {
      serving.pages = readPageFiles(folder);
    },
    (error: Error) => {
      serving.buildFailure = error.message;
      throw error;
    },
  );
  // Whoever does not ask for it learns of a failure by the page.
  prepared.catch(() => undefined);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    prepared,
    close: async () => {
      stop.abort();
      serving.proxy.close();
      server.close();
      server.closeAllConnections();
      await serving.index.close();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** No script, style, font or image from elsewhere, no frame around the pages; connections to this origin and to the nodes themselves, which
 * the light client may ask without the console between. */
function contentPolicy({ nodes }: ConsoleOptions): string {
  const origins = nodes.flatMap(({ url }) => {
    const { origin } = new URL(url);
    return [origin, origin.replace(/^http/, "ws")];
  });
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    `connect-src ${["'self'", ...origins].join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function docsOf(folder: string | undefined): PageFiles | undefined {
  if (folder === undefined) return undefined;
  return existsSync(folder) ? readPageFiles(folder, DOCS_PREFIX) : new Map();
}

function hasDocs({ docs, pages }: Serving): boolean {
  return docs === undefined ? pages?.has(`${DOCS_PREFIX}${INDEX_PAGE}`) === true : docs.size > 0;
}

function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): void {
  const { host, origin } = request.headers;
  const path = pathOf(request);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  const wrongHost = serving.access.refuseHost(host);
  if (wrongHost !== undefined) return refuse(response, 403, "forbidden", wrongHost);
  if (path === undefined) return refuse(response, 400, "bad-request", "the path cannot be read");
  const isApi = path === "/api" || path.startsWith("/api/") || path.startsWith("/v2/");
  const isRead = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
  const wrongOrigin = isApi && isRead ? undefined : serving.access.refuseOrigin(origin, host);
  if (wrongOrigin !== undefined) return refuse(response, 403, "forbidden", wrongOrigin);
  if (isApi) return serving.index.handle(request, response);
  const rpc = RPC_PATH.exec(path);
  if (rpc !== null) return serving.proxy.handle(Number(rpc[1]), request, response);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return refuse(response, 405, "bad-method", "pages are read with GET");
  }
  if (path === "/console.json") {
    void serving.describe().then((file) => sendFile(request, response, file));
    return;
  }
  response.setHeader("content-security-policy", serving.policy);
  response.setHeader("cross-origin-opener-policy", "same-origin");
  if (path === DOCS_PREFIX || path.startsWith(`${DOCS_PREFIX}/`))
    return sendDocs(serving, path, request, response);
  sendPage(serving, path, request, response);
}

function sendPage(serving: Serving, path: string, request: IncomingMessage, response: ServerResponse): void {
  const { pages, buildFailure } = serving;
  if (pages === undefined) {
    response.setHeader("retry-after", "1");
    return sendFile(request, response, preparingPage(buildFailure), 503);
  }
  const file = pages.get(path);
  if (file !== undefined) return sendFile(request, response, file);
  const isFile = /\.[a-z0-9]+$/i.test(path) && !request.headers.accept?.includes("text/html");
  const page = pages.get(INDEX_PAGE);
  // The pages' own router knows all other paths, and says so of those that it does not.
  if (isFile || page === undefined) refuse(response, 404, "not-found", `${path} is not here`);
  else sendFile(request, response, page);
}

function sendDocs(serving: Serving, path: string, request: IncomingMessage, response: ServerResponse): void {
  const docs = serving.docs ?? serving.pages ?? new Map<string, PageFile>();
  const found: PageFile | undefined = [path, `${path}.html`, `${path.replace(/\/$/, "")}/index.html`]
    .map((name) => docs.get(name))
    .find((file) => file !== undefined);
  if (found === undefined)
    return refuse(response, 404, "not-found", `${path} is no page of the documentation`);
  // Links in a folder's page are relative to the folder.
  if (path === DOCS_PREFIX) response.writeHead(301, { location: `${DOCS_PREFIX}/` }).end();
  else sendFile(request, response, found);
}

function upgrade(serving: Serving, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on("error", () => socket.destroy());
  const { host, origin } = request.headers;
  const rpc = RPC_PATH.exec(pathOf(request) ?? "");
  const refused = serving.access.refuseHost(host) ?? serving.access.refuseOrigin(origin, host);
  if (refused !== undefined) socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  else if (rpc === null) socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
  else serving.proxy.upgrade(Number(rpc[1]), request, socket, head);
}

/** @returns undefined where it cannot be read. */
function pathOf({ url = "/" }: IncomingMessage): string | undefined {
  try {
    return decodeURIComponent(url.split("?", 1)[0]!);
  } catch {
    return undefined;
  }
}
