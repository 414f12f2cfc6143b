// npm run fuzz -- NAME [--seed S] [--minutes M]: generates inputs until the time is over or a difference is found.
const FUZZERS: Readonly<
  Record<string, () => Promise<{ readonly run: (argv: readonly string[]) => Promise<boolean> | boolean }>>
> = {
  engine: () => import("./engine.ts"),
  programs: () => import("./programs.ts"),
};

const [name, ...argv] = process.argv.slice(2);
const load = name === undefined ? undefined : FUZZERS[name];
if (load === undefined) {
  console.error(`usage: npm run fuzz -- ${Object.keys(FUZZERS).join("|")} [--seed S] [--minutes M]`);
  process.exitCode = 1;
} else {
  const { run } = await load();
  if (!(await run(argv))) process.exitCode = 1;
}
