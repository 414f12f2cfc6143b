// Times contracts in WebAssembly against the same C compiled natively, then what a message costs besides. One JSON line for each.
// Run: npm run bench -- wasm, or node core/vm/webassembly/webassembly.bench.ts
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, uint64ToBytes } from "@ostrom/base";
import type { ProgramRunner } from "../contract-host/types.ts";
import { createWebAssemblyRunner } from "./index.ts";
import { contractModule } from "./testing/contract-module.ts";
import { contractCode, runContract } from "./testing/run-contract.ts";

const SOURCE = join(import.meta.dirname, "testing/workloads.c");
const CLANG = "/usr/bin/clang";
const CLANG_FLAGS = ["--target=wasm32", "-O2", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry"];
const GCC = "gcc";

/** In the order of the numbers in workloads.c, with a count that takes one or two milliseconds: shorter than a machine's turns. */
const WORKLOADS = [
  { name: "sieve", count: 1 },
  { name: "keccak-f", count: 1_000 },
  { name: "quicksort", count: 1 },
  { name: "fibonacci", count: 27 },
  { name: "256-bit multiply", count: 50_000 },
  { name: "bytecode interpreter", count: 500_000 },
] as const;

/** Until V8's optimizing compiler has taken over; it works aside, and may have to wait for its turn. */
const WARM_UP_MS = 1500;
const ROUNDS = 20;
const RUNS_A_ROUND = 10;
const GAS = 2n ** 40n;

/** Prints the results. Says why where a compiler is missing. */
export async function run(_argv: readonly string[] = []): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-wasm-bench-"));
  try {
    const built = build(folder);
    if (typeof built === "string") console.log(JSON.stringify({ skipped: built }));
    else compareWithNative(built.native, built.modules);
  } finally {
    rmSync(folder, { recursive: true });
  }
  timeMessages();
}

/** @returns why there is nothing to run, if a compiler is missing. */
function build(folder: string): { readonly native: string; readonly modules: readonly Bytes[] } | string {
  const native = join(folder, "native");
  const contract = (workload: number): string => join(folder, `${workload}.wasm`);
  const commands: (readonly [string, readonly string[]])[] = [
    [GCC, ["-O2", "-o", native]],
    ...WORKLOADS.map((_, number) => {
      return [CLANG, [...CLANG_FLAGS, `-DWORKLOAD=${number}`, "-o", contract(number)]] as const;
    }),
  ];
  for (const [compiler, flags] of commands) {
    try {
      execFileSync(compiler, [...flags, SOURCE], { stdio: "pipe" });
    } catch (error) {
      return `${compiler} does not build ${SOURCE}: ${String(error)}`;
    }
  }
  return { native, modules: WORKLOADS.map((_, number) => new Uint8Array(readFileSync(contract(number)))) };
}

function compareWithNative(native: string, modules: readonly Bytes[]): void {
  const ratios: number[] = [];
  WORKLOADS.forEach(({ name, count }, number) => {
    const metered = meteredRun(modules[number]!, count);
    const plain = plainRun(modules[number]!, count);
    const best = {
      native: Number.POSITIVE_INFINITY,
      plain: Number.POSITIVE_INFINITY,
      metered: Number.POSITIVE_INFINITY,
    };
    let result = 0n;
    for (const work of [plain, metered]) {
      for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) work();
    }
    // In turn, so that what the machine does meanwhile meets all alike; the least time of each counts.
    for (let round = 0; round < ROUNDS; round++) {
      const [ms, word] = nativeRun(native, number, count);
      best.native = Math.min(best.native, ms);
      result = word;
      for (let index = 0; index < RUNS_A_ROUND; index++) {
        best.plain = Math.min(best.plain, timeOf(plain));
        best.metered = Math.min(best.metered, timeOf(metered));
      }
    }
    const { output, gas } = metered();
    if (output !== result || plain() !== result) throw new Error(`${name}: other results than native`);
    ratios.push(best.metered / best.native);
    const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));
    console.log(
      JSON.stringify({
        name,
        nativeUs: rounded(best.native * 1000, 0),
        unmeteredUs: rounded(best.plain * 1000, 0),
        meteredUs: rounded(best.metered * 1000, 0),
        ratio: rounded(best.metered / best.native),
        metering: rounded(best.metered / best.plain),
        gas,
        nanosecondsPerGas: rounded((best.metered * 1e6) / gas),
      }),
    );
  });
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  console.log(JSON.stringify({ name: "geometric mean", ratio: Number(mean.toFixed(3)) }));
}

function timeOf(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** @returns milliseconds and the result. */
function nativeRun(native: string, workload: number, count: number): readonly [number, bigint] {
  const printed = execFileSync(native, [`${workload}`, `${count}`, `${RUNS_A_ROUND}`], { encoding: "utf8" });
  const [ms, result] = printed.trim().split(" ");
  return [Number(ms), BigInt(`0x${result}`)];
}

function meteredRun(module: Bytes, count: number): () => { readonly output: bigint; readonly gas: number } {
  const code = contractCode(module);
  const runner = createWebAssemblyRunner();
  const data = uint64ToBytes(count).toReversed();
  return () => {
    const { outcome } = runContract(code, { by: "v8", runner, data, gas: GAS });
    if (outcome.status !== "success") throw new Error(`${outcome.fault}`);
    const output = new DataView(outcome.output.buffer, outcome.output.byteOffset).getBigUint64(0, true);
    return { output, gas: Number(GAS - outcome.gasLeft) };
  };
}

/** The module as clang made it, in V8. */
function plainRun(module: Bytes, count: number): () => bigint {
  let result = 0n;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module)), {
    ostrom: {
      input_copy: (to: number) => {
        new DataView(memory.buffer).setBigUint64(to, BigInt(count), true);
      },
      output: (from: number) => {
        result = new DataView(memory.buffer).getBigUint64(from, true);
      },
    },
  });
  const { memory, call } = instance.exports as { memory: WebAssembly.Memory; call: () => number };
  return () => {
    call();
    return result;
  };
}

const MESSAGES = 2000;

/** Times what messages cost besides their instructions: entry with memories of some sizes, growing, a host call, preparing. */
function timeMessages(): void {
  for (const pages of [1, 2, 17, 64]) {
    const module = contractModule([], (code) => code.i32Const(0), { minimum: pages, maximum: pages });
    report(`entry with ${pages} pages`, medianUs(module));
  }
  const growing = contractModule([], (code) => code.i32Const(1).memoryGrow().drop().i32Const(0), {
    minimum: 1,
    maximum: 2,
  });
  report("entry with 1 page, and growing by one", medianUs(growing));
  const calls = 1000;
  const asking = contractModule(["gas_left"], (code, { host }) => {
    for (let index = 0; index < calls; index++) code.call(host.gas_left).drop();
    code.i32Const(0);
  });
  report("a host call", medianUs(asking) / calls);
}

function report(name: string, us: number): void {
  console.log(JSON.stringify({ name, us: Number(us.toFixed(3)) }));
}

/** Of the runner alone, over messages on instances that are used again. */
function medianUs(module: Bytes): number {
  const inner = createWebAssemblyRunner();
  const times: number[] = [];
  const runner: ProgramRunner = (machine, frame, program, runChild) => {
    const start = performance.now();
    inner(machine, frame, program, runChild);
    times.push((performance.now() - start) * 1000);
  };
  const code = contractCode(module);
  for (let index = 0; index < MESSAGES; index++) runContract(code, { by: "v8", runner, gas: GAS });
  const later = times.slice(MESSAGES / 2).sort((a, b) => a - b);
  return later[later.length >> 1]!;
}

if (import.meta.main) await run();
