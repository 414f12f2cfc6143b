import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What came of a set of vectors. */
export type VectorRun = { readonly passed: number; readonly failures: readonly string[] };

/** Counts what passes, and lists what does not. */
export class VectorTally {
  #passed = 0;
  readonly #failures: string[] = [];

  /** @param wrong what is wrong with the vector, or undefined. */
  add(name: string, wrong: string | undefined): void {
    if (wrong === undefined) this.#passed++;
    else this.#failures.push(`${name}: ${wrong}`);
  }

  result(): VectorRun {
    return { passed: this.#passed, failures: this.#failures };
  }
}

/** Reads all JSON files below folders, each an object of named vectors.
 * Throws an Error if no path is given or one is not there. */
export function* readVectors<T>(
  paths: readonly string[],
): Generator<{ readonly file: string; readonly name: string; readonly vector: T }> {
  if (paths.length === 0) throw new Error("give a folder or a file of vectors");
  for (const path of paths) {
    for (const file of jsonFilesBelow(path)) {
      const vectors = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, T>>;
      for (const [name, vector] of Object.entries(vectors)) yield { file, name, vector };
    }
  }
}

/** A file, or all JSON files below a folder, sorted. Throws an Error if there is neither. */
export function jsonFilesBelow(path: string): readonly string[] {
  if (!existsSync(path)) throw new Error(`${path} is not there: give a folder or a file of vectors`);
  if (!statSync(path).isDirectory()) return [path];
  return globSync("**/*.json", { cwd: path })
    .sort()
    .map((file) => join(path, file));
}
