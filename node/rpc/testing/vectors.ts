import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RpcAnswer } from "./http-client.ts";

/** One request and what a client of Ethereum answered to it. Source: execution-apis, tests. */
export type Exchange = {
  /** "eth_getLogs/contract-addr.io". */
  readonly file: string;
  readonly method: string;
  readonly request: { readonly method: string; readonly params?: readonly unknown[] };
  readonly answer: RpcAnswer;
};

const FOLDER = resolve(import.meta.dirname, "../../../../shared/vectors/rpc");

/** Why tests of these vectors are skipped; undefined if they are there. */
export const VECTORS_MISSING: string | undefined = existsSync(FOLDER)
  ? undefined
  : "../shared/vectors/rpc is not there";

/** All exchanges, by folder and file name. */
export function readExchanges(): readonly Exchange[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(FOLDER, name))
        .sort()
        .flatMap((file) => readFile(name, file)),
    );
}

function readFile(folder: string, file: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let request: Exchange["request"] | undefined;
  for (const line of readFileSync(join(FOLDER, folder, file), "utf8").split("\n")) {
    if (line.startsWith(">> ")) request = JSON.parse(line.slice(3)) as Exchange["request"];
    if (!line.startsWith("<< ") || request === undefined) continue;
    const answer = JSON.parse(line.slice(3)) as RpcAnswer;
    exchanges.push({ file: `${folder}/${file}`, method: request.method, request, answer });
  }
  return exchanges;
}

/** The chain that the exchanges speak of: RLP blocks, one after the other, from block 1 on. */
export function readChain(): Uint8Array {
  return readFileSync(join(FOLDER, "chain.rlp"));
}
