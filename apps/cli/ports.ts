import { createServer } from "node:net";

const HIGHEST_PORT = 65_535;
const SUGGESTION_STEP = 100;

/** Why a port of this machine cannot be listened on: "taken" by another program, or "forbidden" to this user. */
export type PortProblem = { readonly port: number; readonly why: "taken" | "forbidden" };

/** @returns the first port of a list that cannot be had. */
export async function findPortProblem(ports: readonly number[]): Promise<PortProblem | undefined> {
  for (const port of ports) {
    const why = await problemOf(port);
    if (why !== undefined) return { port, why };
  }
  return undefined;
}

/** @returns a first port near `from` for which all of `portsFrom(first)` can be had. */
export async function findFreePorts(
  from: number,
  portsFrom: (first: number) => readonly number[],
): Promise<number | undefined> {
  for (let first = from + SUGGESTION_STEP; ; first += SUGGESTION_STEP) {
    const ports = portsFrom(first);
    if (Math.max(...ports) > HIGHEST_PORT) return undefined;
    if ((await findPortProblem(ports)) === undefined) return first;
  }
}

function problemOf(port: number): Promise<PortProblem["why"] | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "EACCES" ? "forbidden" : "taken");
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
