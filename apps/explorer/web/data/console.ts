import type { ConsoleDescription } from "@ostrom/indexer";

export type { ConsoleDescription };
export type ConsoleNode = ConsoleDescription["nodes"][number];

/** Before console.json is read, or where there is none. */
const ALONE: ConsoleDescription = {
  format: 1,
  chainName: "Ostrom",
  chainId: 0,
  engine: "",
  genesisHash: null,
  genesis: null,
  nodes: [{ name: "node", path: "/rpc/0", url: "" }],
  services: { index: false, docs: false, verification: false, traces: false },
  version: "",
};

let asked: Promise<ConsoleDescription> | undefined;

/** Reads the description once; without one the pages know the node at `/rpc/0`. */
export function readConsole(): Promise<ConsoleDescription> {
  asked ??= fetch("/console.json", { headers: { accept: "application/json" } })
    .then(async (response) => (response.ok ? describe(await response.json()) : ALONE))
    .catch(() => ALONE);
  return asked;
}

/** Reads a description of an older or newer server: what is missing is as if there were no more than one node. */
export function describe(body: unknown): ConsoleDescription {
  if (typeof body !== "object" || body === null) return ALONE;
  const given = body as Partial<ConsoleDescription>;
  const nodes = (given.nodes ?? []).filter((node) => typeof node?.path === "string");
  return {
    ...ALONE,
    ...given,
    nodes: nodes.length === 0 ? ALONE.nodes : nodes,
    services: { ...ALONE.services, ...given.services },
  };
}
