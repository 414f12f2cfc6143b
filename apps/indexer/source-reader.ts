import { bytes, type Database } from "./database.ts";
import type { Hex, RestSource, SourceMatch } from "./rest-types.ts";
import { textOf } from "./row-shapes.ts";
import { hex } from "./unwind.ts";

/** The verified source of a contract; undefined where nobody has shown one. */
export async function readSource(database: Database, address: string): Promise<RestSource | undefined> {
  const [row] = await database.query({
    text: `SELECT qualified_name, name, compiler, language, match, verified_at::text, sources, abi, settings,
      ${hex("constructor_arguments")} AS arguments, libraries, storage_layout, evm_version FROM sources WHERE address = $1::bytea`,
    parameters: [bytes(address)],
  });
  if (row === undefined) return undefined;
  const layout = textOf(row["storage_layout"]);
  return {
    address: address as Hex,
    qualifiedName: String(row["qualified_name"]),
    name: String(row["name"]),
    compiler: String(row["compiler"]),
    language: row["language"] as RestSource["language"],
    match: row["match"] as SourceMatch,
    verifiedAt: Number(row["verified_at"]),
    sources: JSON.parse(String(row["sources"])) as RestSource["sources"],
    abi: JSON.parse(String(row["abi"])) as RestSource["abi"],
    settings: JSON.parse(String(row["settings"])) as RestSource["settings"],
    constructorArguments: row["arguments"] as Hex | null,
    libraries: JSON.parse(String(row["libraries"])) as RestSource["libraries"],
    storageLayout: layout === null ? null : JSON.parse(layout),
    evmVersion: textOf(row["evm_version"]),
  };
}
