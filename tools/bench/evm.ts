// npm run bench -- evm DIR|FILE... [--budget-ms N] [--tiers reference,tier0,tier1,ethereumjs]
//
// Runs ipsilon-style benchmark files (state tests whose transactions have several inputs) in every tier and in
// @ethereumjs/evm, in turn, and prints one JSON line per input: medians of warm runs, in microseconds, and the first call of
// code that the engine has never seen. The geometric means of the ratios go to stderr.
import { globSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type Bytes, toHex } from "@ostrom/base";
import { createContractEngine, type MessageEngine } from "@ostrom/vm";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { type BenchmarkInput, readBenchmarkFile, runInput } from "./evm-benchmark-file.ts";
import { createEthereumjs } from "./evm-ethereumjs.ts";
import { geometricMean, measureInTurn } from "./measure.ts";

const OURS = ["reference", "tier0", "tier1"] as const;
const CONTENDERS = [...OURS, "ethereumjs"] as const;
type Contender = (typeof CONTENDERS)[number];

const DEFAULT_BUDGET_MS = 1500;
const COLD_RUNS = 9;

export async function run(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      "budget-ms": { type: "string", default: String(DEFAULT_BUDGET_MS) },
      tiers: { type: "string", default: CONTENDERS.join(",") },
    },
  });
  const files = positionals.flatMap(findFiles);
  if (files.length === 0)
    throw new Error("name at least one folder or file of benchmarks (JSON state tests)");
  const contenders = readContenders(values.tiers);
  installNativeCrypto();
  const engines = createEngines(contenders);
  const ratios = new Map<string, number[]>();
  for (const file of files) {
    for (const input of readBenchmarkFile(file)) {
      const line = await measureInput(input, contenders, engines, Number(values["budget-ms"]));
      console.log(JSON.stringify(line));
      collectRatios(ratios, line);
    }
  }
  for (const [name, values] of ratios)
    console.error(
      `${name}: geometric mean ${geometricMean(values).toFixed(1)}, least ${Math.min(...values).toFixed(1)}`,
    );
}

function findFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return globSync("**/*.json", { cwd: path })
    .sort()
    .map((name) => join(path, name));
}

function readContenders(text: string): readonly Contender[] {
  const names = text.split(",");
  for (const name of names) {
    if (!(CONTENDERS as readonly string[]).includes(name))
      throw new Error(`--tiers: expected some of ${CONTENDERS.join(",")}, not ${name}`);
  }
  return CONTENDERS.filter((name) => names.includes(name));
}

function createEngines(contenders: readonly Contender[]): ReadonlyMap<Contender, MessageEngine> {
  return new Map(
    OURS.filter((tier) => contenders.includes(tier)).map((tier) => [
      tier,
      createContractEngine({ tiers: tier }).execute,
    ]),
  );
}

type Line = { readonly name: string; readonly gas: number } & Readonly<Record<string, unknown>>;

async function measureInput(
  input: BenchmarkInput,
  contenders: readonly Contender[],
  engines: ReadonlyMap<Contender, MessageEngine>,
  budgetMs: number,
): Promise<Line> {
  const observed = new Map<Contender, string>();
  const runs = new Map<Contender, () => number | Promise<number>>();
  let gas = 0;
  for (const contender of contenders) {
    const engine = engines.get(contender);
    const runOnce = engine === undefined ? await createEthereumjs(input) : () => runInput(engine, input);
    const first = await runOnce();
    gas = first.gas;
    observed.set(contender, describe(first));
    runs.set(contender, async () => (await runOnce()).us);
  }
  const medians = await measureInTurn(runs, budgetMs);
  return {
    name: input.name,
    gas,
    ...Object.fromEntries([...medians].map(([contender, us]) => [`${contender}Us`, round(us)])),
    coldFirstCallUs: round(coldFirstCall(input)),
    agree: new Set(observed.values()).size === 1,
    ...(new Set(observed.values()).size === 1 ? {} : { observed: Object.fromEntries(observed) }),
    file: basename(input.file),
  };
}

/** A hot engine meets code for the first time: median over copies of the code, which are new to it. */
function coldFirstCall(input: BenchmarkInput): number {
  const engine = createContractEngine({ tiers: "mixed" });
  const times: number[] = [];
  for (let i = 0; i < COLD_RUNS; i++) times.push(runInput(engine.execute, input.withOtherCode(i)).us);
  // The first one of all also warms the engine.
  return median(times.slice(1));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function describe({ gas, output, status }: { gas: number; output: Bytes; status: string }): string {
  return `${status} ${gas} ${toHex(output)}`;
}

function round(us: number): number {
  return Number(us.toPrecision(5));
}

function collectRatios(ratios: Map<string, number[]>, line: Line): void {
  const add = (name: string, over: unknown, under: unknown): void => {
    if (typeof over !== "number" || typeof under !== "number") return;
    ratios.set(name, [...(ratios.get(name) ?? []), over / under]);
  };
  add("ethereumjs / tier1", line["ethereumjsUs"], line["tier1Us"]);
  add("ethereumjs / tier0", line["ethereumjsUs"], line["tier0Us"]);
  add("reference / tier1", line["referenceUs"], line["tier1Us"]);
  add("tier0 / tier1", line["tier0Us"], line["tier1Us"]);
}
