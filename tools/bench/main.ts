// npm run bench -- NAME [flags]: each benchmark prints one JSON line per result.
const BENCHMARKS: Readonly<
  Record<string, () => Promise<{ readonly run: (argv: readonly string[]) => Promise<void> }>>
> = {
  evm: () => import("./evm.ts"),
  network: () => import("./network.ts"),
  precompiles: () => script(() => import("../../core/vm/precompiles/precompiles.bench.ts")),
  "program-gas": () => script(() => import("../../core/vm/contract-host/calibration.bench.ts")),
  riscv: () => script(() => import("../../core/vm/riscv/riscv.bench.ts")),
  wasm: () => script(() => import("../../core/vm/webassembly/webassembly.bench.ts")),
  "worst-gas": () => import("./worst-gas.ts"),
};

/** Benchmarks that lie beside what they measure run when they are imported. */
async function script(load: () => Promise<unknown>): Promise<{ readonly run: () => Promise<void> }> {
  return { run: async () => void (await load()) };
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
