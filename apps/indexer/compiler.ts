import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { RestProblem } from "./problem.ts";
import type { RestCompiler } from "./rest-types.ts";

/** solc (GPL) runs in a process of its own for each compilation: without network, without files but its own, bounded in memory and time. */

/** Standard JSON output, as far as it is read here. Source: Solidity documentation, "Using the Compiler". */
export type CompilerOutput = {
  readonly errors?: readonly {
    readonly severity: string;
    readonly formattedMessage?: string;
    readonly message: string;
  }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>;
};

export type CompiledContract = {
  /** Yul has none. */
  readonly abi?: readonly unknown[];
  readonly metadata: string;
  readonly storageLayout?: unknown;
  readonly evm: { readonly bytecode: CompiledCode; readonly deployedBytecode: CompiledCode };
};

export type CompiledCode = {
  readonly object: string;
  readonly linkReferences: Readonly<Record<string, Readonly<Record<string, readonly CodeRange[]>>>>;
  readonly immutableReferences?: Readonly<Record<string, readonly CodeRange[]>>;
};

export type CodeRange = { readonly start: number; readonly length: number };

export type Compilers = {
  readonly list: () => readonly RestCompiler[];
  /** Rejects with RestProblem: `compiler-unavailable`, `timeout`, `compiler-failed`, `busy`. */
  readonly compile: (version: string, input: string) => Promise<CompilerOutput>;
};

export const COMPILER_TIMEOUT_MS = 90_000;
const HEAP_MEGABYTES = 1_024;
const WASM_PAGES_A_MEGABYTE = 16;
/** The compiler is WebAssembly, whose memory is not of the heap. */
const MEMORY_BOUNDS: readonly string[] = [
  `--max-old-space-size=${HEAP_MEGABYTES}`,
  `--wasm-max-mem-pages=${WASM_PAGES_A_MEGABYTE * HEAP_MEGABYTES}`,
];
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_WAITING = 16;
const AT_ONCE: number = availableParallelism() > 4 ? 2 : 1;
/** As solc-bin names them: soljson-v0.8.28+commit.7893614a.js */
const CACHED_NAME = /^soljson-v(\d+\.\d+\.\d+\+commit\.[0-9a-f]{8})\.js$/;
const VERSION = /^v?(\d+\.\d+\.\d+)(?:\+commit\.([0-9a-f]{8}))?(?:\.Emscripten\.clang)?$/;

type Found = RestCompiler & { readonly path: string };

/** @param cache folder of further compilers, under the names that binaries.soliditylang.org gives them. Nothing is ever downloaded. */
export function createCompilers(cache: string | undefined): Compilers {
  const require = createRequire(import.meta.url);
  const wrapper = require.resolve("solc/wrapper.js");
  const folder = dirname(wrapper);
  const installed = installedCompiler(folder);
  let running = 0;
  const waiting: (() => void)[] = [];
  const all = (): readonly Found[] => [installed, ...cachedCompilers(cache)];
  const enter = async (): Promise<void> => {
    if (waiting.length >= MAX_WAITING)
      throw new RestProblem(503, "busy", "too many compilations wait: try again later");
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
  };
  return {
    list: () => all().map(({ version, source }) => ({ version, source })),
    compile: async (version, input) => {
      const found = findCompiler(all(), version);
      await enter();
      try {
        return await runCompiler(wrapper, found.path, [folder, dirname(folder), found.path], input);
      } finally {
        running--;
        waiting.shift()?.();
      }
    },
  };
}

function installedCompiler(folder: string): Found {
  const path = join(folder, "soljson.js");
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly version: string;
  };
  // Its commit stands in the program itself; reading it takes less than starting it.
  const commit = /\+commit\.([0-9a-f]{8})/.exec(readFileSync(path, "latin1"))?.[1];
  const version = commit === undefined ? manifest.version : `${manifest.version}+commit.${commit}`;
  return { version, source: "installed", path };
}

function cachedCompilers(cache: string | undefined): readonly Found[] {
  if (cache === undefined || !existsSync(cache)) return [];
  return readdirSync(cache).flatMap((name) => {
    const version = CACHED_NAME.exec(name)?.[1];
    return version === undefined ? [] : [{ version, source: "cache" as const, path: join(cache, name) }];
  });
}

function findCompiler(all: readonly Found[], asked: string): Found {
  const [, number, commit] = VERSION.exec(asked) ?? [];
  if (number === undefined)
    throw new RestProblem(400, "bad-request", `compiler: expected a version such as v0.8.37+commit.01234567`);
  const isIt = ({ version }: Found): boolean => {
    const [itsNumber, itsCommit] = version.split("+commit.");
    return itsNumber === number && (commit === undefined || itsCommit === undefined || itsCommit === commit);
  };
  const found = all.find(isIt);
  if (found !== undefined) return found;
  throw new RestProblem(
    400,
    "compiler-unavailable",
    `solc ${asked} is not here (there are: ${all.map(({ version }) => version).join(", ")}); put its soljson-v...js into the folder of compilers`,
  );
}

function runCompiler(
  wrapper: string,
  compiler: string,
  readable: readonly string[],
  input: string,
): Promise<CompilerOutput> {
  return new Promise((resolve, reject) => {
    const main = join(import.meta.dirname, "compiler-main.ts");
    const files = [...readable, main].map((path) => `--allow-fs-read=${path}`);
    const child = spawn(
      process.execPath,
      ["--permission", ...files, ...MEMORY_BOUNDS, main, wrapper, compiler],
      { stdio: ["pipe", "pipe", "pipe"], env: {}, timeout: COMPILER_TIMEOUT_MS, killSignal: "SIGKILL" },
    );
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(-500);
    });
    child.once("error", (error) => reject(new RestProblem(500, "compiler-failed", error.message)));
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as CompilerOutput);
      const isLate = signal === "SIGKILL" && bytes <= MAX_OUTPUT_BYTES;
      reject(
        isLate
          ? new RestProblem(
              400,
              "timeout",
              `the compiler took longer than ${COMPILER_TIMEOUT_MS / 1_000} seconds`,
            )
          : new RestProblem(
              400,
              "compiler-failed",
              `the compiler ended (${signal ?? code}): ${complaint.trim()}`,
            ),
      );
    });
    // One that died early does not read it all.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
