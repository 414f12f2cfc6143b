import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
/** What the pages are made from. */
const SOURCES: readonly string[] = [
  "apps/explorer/web/**/*",
  "apps/explorer/{build,vite.config}.ts",
  "apps/indexer/rest-types.ts",
  "sdk/*.ts",
  "core/*/**/*.ts",
  "apps/docs/{*.ts,site/*}",
  "docs/**/*.md",
  "{README,ARCHITECTURE,GLOSSARY,STYLE}.md",
  "{apps,core,examples,languages,modules,node,sdk,sim,tools}/**/README.md",
  "node/rpc/*.ts",
  "package-lock.json",
];
const NOT_SOURCES = /\.(?:test|fuzz|bench)\.tsx?$|\/testing\/|\/node_modules\//;
const STAMP_CHARACTERS = 16;
/** Says in a folder of pages that they are complete. */
const STAMP_FILE = ".complete";
const BUILD_TIMEOUT_MS = 300_000;
const MAX_SAID = 4_000;
/** Of pages that nobody's sources are any more. A console has them in memory, so that removal takes them from nobody. */
const KEPT_MS = 24 * 3_600 * 1_000;

/** @returns a name for what the pages would be, built from the sources that are there now. */
export function stampOfSources(root: string = ROOT): string {
  const hash = createHash("sha256").update(process.version);
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !NOT_SOURCES.test(path))
    .sort();
  for (const path of files) hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
  return hash.digest("hex").slice(0, STAMP_CHARACTERS);
}

/** Whether a folder holds pages, all of them. */
export function isComplete(folder: string): boolean {
  return existsSync(join(folder, STAMP_FILE));
}

/** The folder of the pages as their sources are now; builds them in a process of its own if they are not there. Several may do so at
 * once: each builds beside, and the first to end gives the folder its name.
 * @param dist where folders of pages lie. Rejects with what the build said, if it fails. */
export async function ensurePages(dist: string, signal?: AbortSignal): Promise<string> {
  const folder = join(dist, stampOfSources());
  if (isComplete(folder)) return folder;
  mkdirSync(dist, { recursive: true });
  const beside = join(dist, `.building-${process.pid}-${Date.now()}`);
  try {
    await runBuild(beside, signal);
    writeFileSync(join(beside, STAMP_FILE), "");
    if (!isComplete(folder)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(beside, folder);
    }
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  removeOld(dist, folder);
  return folder;
}

function removeOld(dist: string, current: string): void {
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (path !== current && age > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Vite takes all of a thread for seconds: meanwhile this process answers. */
function runBuild(outDirectory: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, "page-build-main.ts"), [outDirectory], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Not the flags of whoever forks: a test runner's would make it a test.
      execArgv: [],
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
      ...(signal === undefined ? {} : { signal }),
      timeout: BUILD_TIMEOUT_MS,
    });
    let said = "";
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString("utf8")).slice(-MAX_SAID);
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("error", reject);
    child.once("exit", (code, killedBy) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`the pages could not be built (${killedBy ?? `exit code ${code}`}): ${said.trim()}`),
        );
    });
  });
}
