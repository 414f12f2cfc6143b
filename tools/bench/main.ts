// npm run bench -- NAME [flags]: each benchmark prints one JSON line per result.
const BENCHMARKS: Readonly<
  Record<string, () => Promise<{ readonly run: (argv: readonly string[]) => Promise<void> }>>
> = {
  evm: () => import("./evm.ts"),
  network: () => import("./network.ts"),
  "worst-gas": () => import("./worst-gas.ts"),
};

const [name, ...argv] = process.argv.slice(2);
const load = name === undefined ? undefined : BENCHMARKS[name];
if (load === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join("|")} [flags]`);
  process.exitCode = 1;
} else {
  const { run } = await load();
  await run(argv);
}
