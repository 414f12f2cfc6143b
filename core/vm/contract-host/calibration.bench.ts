// Measures what gas buys in programs: node core/vm/contract-host/calibration.bench.ts
// Prints nanoseconds per gas of each class of instructions, of entering, loading and validating, under V8's baseline compiler and
// its optimizing one. docs/program-gas.md has the figures from which the prices were set.
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { installEngines, REFERENCE_ENGINES } from "@ostrom/crypto";
import { calibrateEvm } from "./testing/evm-calibration.ts";
import type { Calibration } from "./testing/measure-program.ts";
import { calibrateRiscv } from "./testing/riscv-calibration.ts";
import { calibrateWebAssembly } from "./testing/webassembly-calibration.ts";

const V8_FLAGS = {
  baseline: ["--liftoff-only"],
  optimized: ["--no-liftoff"],
} as const;

/** What a process of its own does, with one of V8's compilers. */
const MEASURE = "--measure";

if (process.argv.includes(MEASURE)) {
  // As a node does.
  const keccak256 = (data: Uint8Array): Uint8Array => Uint8Array.fromHex(hash("keccak-256", data, "hex"));
  installEngines({ hash: { ...REFERENCE_ENGINES.hash, name: "openssl", keccak256 } });
  const rows = [
    ...calibrateEvm("tier0"),
    ...calibrateWebAssembly(),
    ...calibrateRiscv("tier0"),
    ...calibrateRiscv("tier1"),
  ];
  console.log(JSON.stringify(rows));
} else {
  const columns = Object.values(V8_FLAGS).map((flags) => {
    const output = execFileSync(process.execPath, [...flags, import.meta.filename, MEASURE], {
      encoding: "utf8",
    });
    return JSON.parse(output) as Calibration[];
  });
  console.log(`| | ${Object.keys(V8_FLAGS).join(", ns/gas | ")}, ns/gas | each |`);
  console.log("|---|---|---|---|");
  for (const [index, { name }] of (columns[0] ?? []).entries()) {
    const rows = columns.map((column) => column[index]);
    const figures = rows.map((row) => row?.nanosecondsPerGas.toFixed(1) ?? "");
    console.log(`| ${name} | ${figures.join(" | ")} | ${rows.map((row) => row?.detail).join("; ")} |`);
  }
}
