// npm run evaluate -- signatures|vectors|agreement [flags]
const EVALUATIONS: Readonly<
  Record<string, () => Promise<{ readonly run: (argv: readonly string[]) => void | Promise<void> }>>
> = {
  agreement: () => import("./agreement-report.ts"),
  signatures: () => import("./signatures.ts"),
  vectors: () => import("./vectors-report.ts"),
};

const [name, ...argv] = process.argv.slice(2);
const load = name === undefined ? undefined : EVALUATIONS[name];
if (load === undefined) {
  console.error(`usage: npm run evaluate -- ${Object.keys(EVALUATIONS).join("|")} [flags]`);
  process.exitCode = 1;
} else {
  const { run } = await load();
  await run(argv);
}
