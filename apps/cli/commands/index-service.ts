import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { type Command, UsageError } from "../command.ts";
import { DEFAULT_RPC_URL } from "../rpc-client.ts";

const DEFAULT_PORT = 8_600;
const DEFAULT_FOLDER = ".ostrom-index";
const HIGHEST_PORT = 65_535;

export const indexService: Command = {
  name: "index",
  summary: "follow a chain into a database, and serve what is in it by REST",
  usage: "[flags]",
  flags: [
    {
      name: "rpc",
      kind: "list",
      placeholder: "URL",
      help: `JSON-RPC of a node; repeat it for others of the same chain (default: ${DEFAULT_RPC_URL})`,
    },
    {
      name: "database",
      kind: "text",
      placeholder: "URL",
      help: `postgres://..., or the folder of an embedded database (default: ${DEFAULT_FOLDER})`,
      default: DEFAULT_FOLDER,
    },
    { name: "port", kind: "number", help: "port of the REST interface", default: DEFAULT_PORT },
    { name: "host", kind: "text", placeholder: "HOST", help: "where it listens", default: "127.0.0.1" },
    {
      name: "compilers",
      kind: "text",
      placeholder: "DIR",
      help: "folder of Solidity compilers (soljson-v...js) beside the installed one, for source verification",
    },
  ],
  examples: [
    "ostrom index",
    "ostrom index --rpc http://127.0.0.1:8545 --rpc http://127.0.0.1:8546 --port 8601",
    "ostrom index --database postgres://ostrom:secret@localhost/chain",
  ],
  run: async ({ values }) => {
    const nodes = (values["rpc"] as readonly string[] | undefined) ?? [DEFAULT_RPC_URL];
    for (const url of nodes)
      if (!URL.canParse(url))
        throw new UsageError(`--rpc: "${url}" is no address; expected one such as ${DEFAULT_RPC_URL}`);
    const place = String(values["database"]);
    const port = values["port"] as number;
    if (port > HIGHEST_PORT)
      throw new UsageError(`--port: expected a port from 0 to ${HIGHEST_PORT}, found ${port}`);
    const compilers = values["compilers"] as string | undefined;
    return serve({
      nodes,
      database: place.includes("://") ? place : resolve(place),
      port,
      host: String(values["host"]),
      compilers: compilers === undefined ? undefined : resolve(compilers),
      json: values["json"] === true,
    });
  },
};

async function serve(settings: {
  readonly nodes: readonly string[];
  readonly database: string;
  readonly port: number;
  readonly host: string;
  readonly compilers: string | undefined;
  readonly json: boolean;
}): Promise<number> {
  const { json, host } = settings;
  const { createIndexMount } = await import("@ostrom/explorer");
  const mount = createIndexMount({
    nodes: settings.nodes.map((url, index) => ({ name: `node ${index}`, url })),
    database: settings.database,
    compilers: settings.compilers,
  });
  const server = createServer((request: IncomingMessage, response: ServerResponse) =>
    mount.handle(request, response),
  );
  await new Promise<void>((listening, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new UsageError(`--port ${settings.port} cannot be listened on (${error.code}): choose another one`),
      ),
    );
    server.listen({ host, port: settings.port }, listening);
  });
  mount.start();
  const url = `http://${host}:${(server.address() as AddressInfo).port}/api/v1`;
  console.log(
    json
      ? JSON.stringify({ event: "ready", url, database: settings.database })
      : `The index of ${settings.nodes.join(", ")} is at ${url} (its description: ${url}/openapi.json). Ctrl-C stops it.`,
  );
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop());
  });
  server.close();
  server.closeAllConnections();
  await mount.close();
  return 0;
}
