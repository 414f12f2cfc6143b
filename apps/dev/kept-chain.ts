import { type Bytes, utf8 } from "@ostrom/base";
import type { DevelopmentChain } from "./development-chain.ts";
import { type DevelopmentDump, type EngineDocument, readEngineDocument, writeEngine } from "./dump.ts";
import { type DevelopmentTable, keyOf, nameOf } from "./rewindable-store.ts";

/** Where a folder keeps what a chain has besides blocks and states. */
const ENGINE_KEY: Bytes = utf8("dev/engine");
const EVERYTHING = { start: new Uint8Array(), end: new Uint8Array(64).fill(0xff) };

/** Opens a folder as the place of a development chain. Rejects with `storage/...`. */
export async function openKeptTable(folder: string): Promise<DevelopmentTable> {
  // LevelDB is native code, which a chain in memory need not load.
  const { openDataDirectory, openLevelStore } = await import("@ostrom/storage");
  const directory = await openDataDirectory(folder, { create: true });
  const store = await openLevelStore(directory.chainPath);
  const all = async (): Promise<Map<string, Bytes>> => {
    const values = new Map<string, Bytes>();
    for await (const [key, value] of store.entries(EVERYTHING)) values.set(nameOf(key), value);
    return values;
  };
  return {
    get: store.get,
    write: (batch) => store.write(batch, { sync: false }),
    all,
    replace: async (values) => {
      const gone = [...(await all()).keys()].map((name) => ({ key: keyOf(name), value: undefined }));
      const put = [...values].map(([name, value]) => ({ key: keyOf(name), value }));
      await store.write([...gone, ...put], { sync: true });
    },
    close: async () => {
      await store.close();
      await directory.release();
    },
  };
}

/** Writes down what the next start goes on with. */
export function writeKeptEngine(chain: DevelopmentChain, table: DevelopmentTable): Promise<void> {
  return table.write([{ key: ENGINE_KEY, value: utf8(JSON.stringify(writeEngine(chain))) }]);
}

/** What the last run left; undefined in a new folder. @throws if it was another chain: code `dev/other-chain`. */
export function readKeptEngine(
  table: DevelopmentTable,
  chainId: bigint,
): Pick<DevelopmentDump, "chainId" | "engine" | "settings"> | undefined {
  const record = table.get(ENGINE_KEY);
  if (record === undefined) return undefined;
  const kept = readEngineDocument(JSON.parse(new TextDecoder().decode(record)) as EngineDocument);
  if (kept.chainId === chainId) return kept;
  const message = `the data folder holds chain ${kept.chainId}: use --chain-id ${kept.chainId}, or another folder`;
  throw Object.assign(new Error(message), { code: "dev/other-chain" });
}
