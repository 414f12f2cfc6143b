// node core/vm/compiler/compiler.bench.ts [--only TEXT] [--budget-ms N] [--ethereumjs]: compiled code on ipsilon's benchmarks
// (where ../shared/vectors is present) and on programs of our own, one JSON line each: warm medians.
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { addressFromHex, toHex } from "@ostrom/base";
import { createContractEngine, executeInReference } from "@ostrom/vm";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { type BenchmarkInput, readBenchmarkFile, runInput } from "../../../tools/bench/evm-benchmark-file.ts";
import { createEthereumjs } from "../../../tools/bench/evm-ethereumjs.ts";
import { geometricMean, measureInTurn } from "../../../tools/bench/measure.ts";
import { compileContract } from "./compile-contract.ts";
import { BENCHMARK_SENDER, benchmarkPrograms } from "./testing/benchmark-programs.ts";

const FOLDER = join(import.meta.dirname, "../../../../shared/vectors/evm-benchmarks");
const CONTRACT = addressFromHex(`0x${"c0".repeat(20)}`);
const GAS_LIMIT = 2n ** 40n;

function ownInputs(): BenchmarkInput[] {
  return benchmarkPrograms().map(({ name, code, data, storage }) => {
    const input: BenchmarkInput = {
      file: "",
      name,
      accounts: [
        { address: BENCHMARK_SENDER, nonce: 0n, balance: 10n ** 18n, code: new Uint8Array(), storage: [] },
        { address: CONTRACT, nonce: 1n, balance: 0n, code, storage },
      ],
      sender: BENCHMARK_SENDER,
      to: CONTRACT,
      data,
      value: 0n,
      gas: GAS_LIMIT,
      withOtherCode: () => input,
    };
    return input;
  });
}

function describe({ gas, output, status }: ReturnType<typeof runInput>): string {
  return `${status} ${gas} ${toHex(output)}`;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    "budget-ms": { type: "string", default: "600" },
    ethereumjs: { type: "boolean", default: false },
  },
});
installNativeCrypto();
if (!existsSync(FOLDER)) console.error("without ipsilon's benchmarks: ../shared/vectors is not here");
const inputs = [
  ...globSync("*/*.json", { cwd: FOLDER }).flatMap((name) => readBenchmarkFile(join(FOLDER, name))),
  ...ownInputs(),
].filter(({ name }) => name.includes(values.only));
const engine = createContractEngine({ tiers: "tier1" });
const ratios: number[] = [];
let total = 0;
for (const input of inputs) {
  const first = runInput(engine.execute, input);
  const agrees = describe(first) === describe(runInput(executeInReference, input));
  const code = input.accounts.find(({ address }) => toHex(address) === toHex(input.to))!.code;
  const start = performance.now();
  const compilation = compileContract(code, "cancun");
  const compileMs = performance.now() - start;
  const runs = new Map<string, () => number | Promise<number>>([
    ["tier1", () => runInput(engine.execute, input).us],
  ]);
  if (values.ethereumjs) {
    const theirs = await createEthereumjs(input);
    runs.set("ethereumjs", async () => (await theirs()).us);
  }
  const medians = await measureInTurn(runs, Number(values["budget-ms"]));
  const tier1Us = medians.get("tier1")!;
  const ethereumjsUs = medians.get("ethereumjs");
  total += Math.log(tier1Us);
  if (ethereumjsUs !== undefined) ratios.push(ethereumjsUs / tier1Us);
  console.log(
    JSON.stringify({
      name: input.name,
      agrees,
      gas: first.gas,
      tier1Us: Number(tier1Us.toPrecision(4)),
      ...(ethereumjsUs === undefined ? {} : { ratio: Number((ethereumjsUs / tier1Us).toPrecision(3)) }),
      gasPerUs: Math.round(first.gas / tier1Us),
      emittedBytes: compilation.kind === "compiled" ? compilation.bytes.length : 0,
      compileMs: Number(compileMs.toFixed(2)),
    }),
  );
}
console.log(`geometric mean of ${inputs.length} times: ${Math.exp(total / inputs.length).toFixed(2)} us`);
if (ratios.length > 0)
  console.log(
    `@ethereumjs/evm / tier 1: ${geometricMean(ratios).toFixed(1)}, least ${Math.min(...ratios).toFixed(1)}`,
  );
