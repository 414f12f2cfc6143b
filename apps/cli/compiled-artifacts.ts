import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CodeRegistry } from "./solidity-traces/index.ts";

/** Where Hardhat and Foundry leave what they compiled, below a project's folder. */
export const BUILD_INFO_FOLDERS: readonly string[] = ["artifacts/build-info", "out/build-info"];

/** A compiler's input and output of hundreds of contracts is some ten MB. */
const MAX_BUILD_INFO_BYTES = 512 * 1024 * 1024;

const OUTPUT_SUFFIX = ".output.json";
const SUFFIX = ".json";

/** Reads what tools compiled, each time that it is asked for, as far as it is new: nothing is watched. */
export type CompiledArtifacts = { readonly refresh: () => void };

/** @param folders of build infos; one that is not there may come later.
 * Sources: Hardhat, "Build info" (version 2: input and output in one file; version 3: in two); Foundry, `--build-info`. */
export function followArtifacts(folders: readonly string[], registry: CodeRegistry): CompiledArtifacts {
  const read = new Map<string, number>();
  const refresh = (): void => {
    for (const folder of folders) {
      for (const name of namesIn(folder)) {
        if (!name.endsWith(SUFFIX) || name.endsWith(OUTPUT_SUFFIX)) continue;
        const path = join(folder, name);
        const changed = changedAt(path);
        if (changed === undefined || read.get(path) === changed) continue;
        if (readBuildInfo(path, registry)) read.set(path, changed);
      }
    }
  };
  return { refresh };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @returns undefined if it is not there, or too large to be what it should be. */
function changedAt(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined || found.size > MAX_BUILD_INFO_BYTES ? undefined : found.mtimeMs;
}

/** @returns false if it cannot be read yet: a compiler may be writing it. */
function readBuildInfo(path: string, registry: CodeRegistry): boolean {
  const info = readJson(path);
  if (info === undefined) return false;
  const { solcVersion, input } = info;
  if (typeof solcVersion !== "string" || input === undefined) return true;
  const beside =
    info["output"] === undefined ? readJson(`${path.slice(0, -SUFFIX.length)}${OUTPUT_SUFFIX}`) : info;
  if (beside === undefined) return false;
  registry.add(solcVersion, input, beside["output"]);
  return true;
}

function readJson(path: string): Readonly<Record<string, unknown>> | undefined {
  if (changedAt(path) === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
