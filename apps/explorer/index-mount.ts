import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Indexer } from "@ostrom/indexer";
import type { ConsoleOptions } from "./console-options.ts";
import { refuse } from "./responses.ts";

/** The index behind `/api`: it starts after the server, and whatever happens to it, the rest is served. */
export type IndexMount = {
  readonly start: () => void;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly close: () => Promise<void>;
};

const RETRY_MS = 10_000;
const MAX_REQUESTS = 64;

export function createIndexMount(
  options: Pick<ConsoleOptions, "nodes" | "database" | "compilers">,
): IndexMount {
  const { database } = options;
  let indexer: Indexer | undefined;
  let opening: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let problem = database === undefined ? "there is no index here" : "the index starts";
  let isClosed = false;
  let inFlight = 0;
  const open = async (place: string): Promise<void> => {
    try {
      // Its embedded database takes a while to load: pages do not wait for it.
      const { openIndexer } = await import("@ostrom/indexer");
      const nodes = options.nodes.map(({ url }) => url);
      indexer = await openIndexer({
        nodes,
        database: place,
        compilers: options.compilers,
        token: async (index) => operatorToken(options.nodes[index]?.folder),
        onProblem: (text) => console.error(`the index: ${text}`),
      });
    } catch (error) {
      problem = `the index cannot start: ${(error as Error).message}`;
      console.error(problem);
      if (!isClosed) timer = setTimeout(() => start(), RETRY_MS);
    }
  };
  const start = (): void => {
    if (database !== undefined && !isClosed) opening = open(database);
  };
  return {
    start,
    handle: (request, response) => {
      if (indexer === undefined) return refuse(response, 503, "not-ready", problem);
      if (inFlight >= MAX_REQUESTS)
        return refuse(response, 503, "busy", "too many requests wait for the index");
      inFlight++;
      void answer(indexer, request, response).finally(() => {
        inFlight--;
      });
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await opening;
      await indexer?.close();
    },
  };
}

/** Between Node's requests and those of the web's standard. */
async function answer(indexer: Indexer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const answered = await indexer.handle(webRequest(request));
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    if (answered.body === null || request.method === "HEAD") response.end();
    else await pipeline(Readable.fromWeb(answered.body as ReadableStream), response);
  } catch (error) {
    // Who hung up needs no answer.
    if (!response.destroyed) refuse(response, 500, "internal", (error as Error).message);
  }
}

function webRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined && !name.startsWith(":")) headers.set(name, String(value));
  const hasBody = request.method === "POST";
  return new Request(`http://index.invalid${request.url ?? "/"}`, {
    method: request.method ?? "GET",
    headers,
    ...(hasBody ? { body: Readable.toWeb(request) as globalThis.ReadableStream, duplex: "half" } : {}),
  });
}

/** What a node takes from programs of its own machine: HS256 with its operator secret, good for a minute (node/rpc, "Who may call what").
 * Without a secret the index is a stranger like others. */
function operatorToken(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  try {
    const secret = Buffer.from(
      readFileSync(join(folder, SECRET_FILE), "utf8").trim().replace(/^0x/, ""),
      "hex",
    );
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: Math.floor(Date.now() / 1_000) })}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  } catch {
    return undefined;
  }
}

const SECRET_FILE = join("keys", "operator.secret");
