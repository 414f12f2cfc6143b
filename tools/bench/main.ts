// npm run bench -- NAME [flags]: each benchmark prints one JSON line per result.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const BENCHMARKS: Readonly<
  Record<string, () => Promise<{ readonly run: (argv: readonly string[]) => void | Promise<void> }>>
> = {
  consensus: () => import("./consensus.ts"),
  crypto: () => import("./crypto.ts"),
  databases: () => import("./databases.ts"),
  "dev-start": () => import("./dev-start.ts"),
  evm: () => import("./evm.ts"),
  growth: () => import("./growth.ts"),
  index: () => import("./index-catchup.ts"),
  links: () => script("node/network/links.bench.ts"),
  network: () => import("./network.ts"),
  overload: () => import("./overload.ts"),
  precompiles: () => script("core/vm/precompiles/precompiles.bench.ts"),
  "program-gas": () => script("core/vm/contract-host/calibration.bench.ts"),
  reads: () => import("./reads.ts"),
  riscv: () => script("core/vm/riscv/riscv.bench.ts"),
  soak: () => import("./soak.ts"),
  sync: () => import("./sync.ts"),
  wasm: () => script("core/vm/webassembly/webassembly.bench.ts"),
  "worst-gas": () => import("./worst-gas.ts"),
};

/** A benchmark that lies beside what it measures, in a process of its own. */
async function script(path: string): Promise<{ readonly run: (argv: readonly string[]) => Promise<void> }> {
  const run = async (argv: readonly string[]): Promise<void> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../..", path), ...argv], {
      stdio: "inherit",
    });
    const [exitCode] = await once(child, "close");
    process.exitCode = Number(exitCode ?? 1);
  };
  return { run };
}

const [name, ...argv] = process.argv.slice(2);
const load = name === undefined ? undefined : BENCHMARKS[name];
if (load === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")} [flags]`);
  process.exitCode = 1;
} else {
  const { run } = await load();
  await run(argv);
}
