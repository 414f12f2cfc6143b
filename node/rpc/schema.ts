import type { JsonObject } from "./json.ts";
import { defineMethod, type Method } from "./method.ts";

/** What one method is, as plain data: for help texts, the console and rpc.discover. */
export type MethodDescription = {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly isRequired: boolean;
  }[];
  readonly returns: string;
};

/** In the order of their names. */
export function describeMethods(methods: ReadonlyMap<string, Method>): readonly MethodDescription[] {
  return [...methods.values()]
    .map(({ name, summary, parameters, returns }) => ({
      name,
      summary,
      parameters: parameters.map((parameter) => ({
        name: parameter.name,
        type: parameter.type,
        isRequired: parameter.isRequired,
      })),
      returns,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const OPENRPC_VERSION = "1.3.2";

/** Source: OpenRPC 1.3.2. Types are described in words: the encodings are Ethereum's execution-apis'. */
function openRpcDocument(methods: ReadonlyMap<string, Method>, version: string): JsonObject {
  return {
    openrpc: OPENRPC_VERSION,
    info: { title: "Ostrom JSON-RPC", version },
    methods: describeMethods(methods).map(({ name, summary, parameters, returns }) => ({
      name,
      summary,
      params: parameters.map((parameter) => ({
        name: parameter.name,
        required: parameter.isRequired,
        schema: { description: parameter.type },
      })),
      result: { name: "result", schema: { description: returns } },
    })),
  };
}

export const schemaMethods: readonly Method[] = [
  defineMethod({
    name: "rpc_modules",
    summary: "The families of methods that this server has.",
    parameters: [],
    returns: "{family: version}",
    run: ({ methods }) => {
      const families = [...methods.keys()]
        .filter((name) => name.includes("_"))
        .map((name) => name.split("_")[0]!);
      return Object.fromEntries([...new Set(families)].sort().map((family) => [family, "1.0"]));
    },
  }),
  defineMethod({
    name: "rpc.discover",
    summary: "This list of methods, as an OpenRPC document.",
    parameters: [],
    returns: "OpenRPC document",
    run: ({ methods, clientVersion }) => openRpcDocument(methods, clientVersion),
  }),
];
