// node core/vm/riscv/riscv.bench.ts [--tier0]: the programs in tools/bench/programs as metered contracts in RISC-V, against the
// same C compiled by gcc -O2 for this machine. One JSON line a program: the fastest of warm runs, and the ratio; then the
// geometric mean of the ratios.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, toHexDigits } from "@ostrom/base";
import { type ProgramEngine, runProgram, tiers } from "./testing/run-program.ts";

const SOURCES = join(import.meta.dirname, "../../../tools/bench/programs");
const PROGRAMS: readonly (readonly [name: string, n: bigint])[] = [
  ["sieve", 5n],
  ["keccak-f", 20_000n],
  ["qsort", 300_000n],
  ["fib", 32n],
  ["multiply256", 1_000_000n],
  ["bytecode", 10_000_000n],
];
const RISCV_COMPILER = "riscv64-unknown-elf-gcc";
const RISCV_FLAGS = [
  "-O2",
  "-march=rv64imc",
  "-mabi=lp64",
  "-nostdlib",
  "-ffreestanding",
  "-static",
  "-Wl,-z,max-page-size=4",
];
const NATIVE_COMPILER = "gcc";
const GAS = 2n ** 40n;
const BUDGET_MS = 3000;
const NATIVE_REPETITIONS = 20;

/** Why the benchmark cannot run here, or undefined. */
function missing(): string | undefined {
  for (const compiler of [RISCV_COMPILER, NATIVE_COMPILER]) {
    try {
      execFileSync(compiler, ["--version"], { stdio: "ignore" });
    } catch {
      return `${compiler} is not installed here: the RISC-V benchmark needs it`;
    }
  }
  return undefined;
}

function littleEndian(n: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, n, true);
  return bytes;
}

function fastestRun(
  engine: ProgramEngine,
  file: Bytes,
  n: bigint,
): { ns: number; result: bigint; gas: bigint } {
  const input = littleEndian(n);
  let ns = Number.POSITIVE_INFINITY;
  const end = performance.now() + BUDGET_MS;
  for (;;) {
    // Of this thread, as natively: other work on the machine, and V8's compilers, do not count.
    const start = process.threadCpuUsage().user;
    const { outcome } = runProgram(engine, file, { input, gas: GAS });
    ns = Math.min(ns, (process.threadCpuUsage().user - start) * 1000);
    if (outcome.status !== "success")
      throw new Error(`the contract failed: ${JSON.stringify(outcome.status)}`);
    if (performance.now() < end) continue;
    const result = new DataView(outcome.output.buffer, outcome.output.byteOffset).getBigUint64(0, true);
    return { ns, result, gas: GAS - outcome.gasLeft };
  }
}

/** Builds and measures one program. @returns the ratio. */
function measure(engine: ProgramEngine, folder: string, name: string, n: bigint): number {
  const sources = [join(SOURCES, `${name}.c`), join(SOURCES, "glue.c")];
  const native = join(folder, name);
  const contract = join(folder, `${name}.elf`);
  execFileSync(NATIVE_COMPILER, ["-O2", ...sources, "-o", native]);
  execFileSync(RISCV_COMPILER, [...RISCV_FLAGS, ...sources, "-o", contract]);
  const [nativeNs = "", expected] = execFileSync(native, [String(n), String(NATIVE_REPETITIONS)], {
    encoding: "utf8",
  })
    .trim()
    .split(" ");
  const { ns, result, gas } = fastestRun(engine, new Uint8Array(readFileSync(contract)), n);
  if (toHexDigits(littleEndian(result)) !== toHexDigits(littleEndian(BigInt(`0x${expected}`)))) {
    throw new Error(`${name} gives ${result.toString(16)}, natively ${expected}`);
  }
  const ratio = ns / Number(nativeNs);
  const line = {
    name,
    nativeUs: Math.round(Number(nativeNs) / 1000),
    riscvUs: Math.round(ns / 1000),
    ratio: Number(ratio.toFixed(2)),
    nsPerGas: Number((ns / Number(gas)).toFixed(2)),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return ratio;
}

/** Measures all programs. @returns false if it could not. */
export function benchRiscv(names: readonly string[] = [], tier: "tier0" | "tier1" = "tier1"): boolean {
  const reason = missing();
  if (reason !== undefined) {
    process.stdout.write(`skipped: ${reason}\n`);
    return false;
  }
  const folder = mkdtempSync(join(tmpdir(), "ostrom-riscv-"));
  try {
    const chosen = PROGRAMS.filter(([name]) => names.length === 0 || names.includes(name));
    const ratios = chosen.map(([name, n]) => measure(tiers({ tiers: tier }), folder, name, n));
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    process.stdout.write(
      `${JSON.stringify({ name: "geometric mean", tier, ratio: Number(mean.toFixed(2)) })}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  return true;
}

if (import.meta.main) {
  const names = process.argv.slice(2).filter((name) => !name.startsWith("--"));
  benchRiscv(names, process.argv.includes("--tier0") ? "tier0" : "tier1");
}
