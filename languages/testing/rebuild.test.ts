// The committed programs are what build.sh makes of the committed sources.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { must } from "@ostrom/base";
import { programsIn, REFERENCE, SOLIDITY } from "./contract-kinds.ts";
import { observe, SCENARIO } from "./token-scenario.ts";

const languages = join(import.meta.dirname, "..");

type Tool = { readonly command: readonly string[]; readonly version: string };

type Toolchain = {
  readonly language: string;
  /** With the versions that made the committed files: others may emit other bytes. */
  readonly tools: readonly Tool[];
  readonly outputs: readonly { readonly kind: "webassembly" | "riscv"; readonly extension: string }[];
};

const WASM = { kind: "webassembly", extension: "wasm" } as const;
const RISCV = { kind: "riscv", extension: "riscv.elf" } as const;
const asc = join(languages, "..", "node_modules", "assemblyscript", "bin", "asc.js");

const TOOLCHAINS: readonly Toolchain[] = [
  {
    language: "c",
    tools: [
      { command: ["clang", "--version"], version: "14.0.6" },
      { command: ["wasm-ld", "--version"], version: "14.0.6" },
      { command: ["riscv64-unknown-elf-gcc", "--version"], version: "12.2.0" },
    ],
    outputs: [WASM, RISCV],
  },
  {
    language: "rust",
    tools: [{ command: ["/usr/bin/rustc", "--version"], version: "1.63.0" }],
    outputs: [WASM],
  },
  {
    language: "assemblyscript",
    tools: [{ command: [process.execPath, asc, "--version"], version: "0.28.20" }],
    outputs: [WASM],
  },
];

/** A folder that goes when the test ends. */
function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-languages-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** @returns what failed, if anything. */
function run(command: string, args: readonly string[]): string | undefined {
  const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  return status === 0 ? undefined : (error?.message ?? stderr);
}

function versionOf({ command: [command, ...args] }: Tool): string | undefined {
  const { status, stdout } = spawnSync(must(command, "a command"), args, { encoding: "utf8" });
  return status === 0 ? must(stdout.split("\n")[0], "a line") : undefined;
}

for (const { language, tools, outputs } of TOOLCHAINS) {
  test(`languages/${language}/build.sh makes the committed programs again`, (context) => {
    const versions = tools.map(versionOf);
    const missing = tools.filter((_, index) => versions[index] === undefined);
    if (missing.length > 0) {
      context.skip(`not installed: ${missing.map(({ command }) => command[0]).join(", ")}`);
      return;
    }
    const folder = temporaryFolder(context);
    assert.equal(run(join(languages, language, "build.sh"), [folder]), undefined);
    const others = tools.filter(({ version }, index) => !versions[index]?.includes(version));
    if (others.length > 0)
      context.diagnostic(`behaviour compared, not bytes: built by ${versions.join(", ")}`);
    for (const { kind, extension } of outputs) {
      if (others.length === 0) compareBytes(language, folder, extension);
      else compareBehaviour(folder, language, kind, extension);
    }
  });
}

test("clang alone builds the RISC-V programs too, and they behave alike", (context) => {
  const probe = spawnSync("clang", ["--target=riscv64", "-fuse-ld=lld", "--print-targets"], {
    encoding: "utf8",
  });
  if (probe.status !== 0 || !probe.stdout.includes("riscv64")) {
    context.skip("clang with the target riscv64 is not installed");
    return;
  }
  const folder = temporaryFolder(context);
  const failure = run("sh", [join(languages, "c", "build-riscv-with-clang.sh"), folder]);
  assert.equal(failure, undefined);
  compareBehaviour(folder, "C (clang)", "riscv", "riscv.elf");
});

function compareBytes(language: string, folder: string, extension: string): void {
  for (const contract of ["calculator", "erc20", "forwarder"]) {
    const name = join(contract, `${contract}.${extension}`);
    const built = readFileSync(join(folder, name));
    assert.ok(built.equals(readFileSync(join(languages, language, name))), `${language}/${name}`);
  }
}

function compareBehaviour(
  folder: string,
  name: string,
  kind: "webassembly" | "riscv",
  extension: string,
): void {
  const { seen } = observe(programsIn(folder, name, kind, extension), REFERENCE.execute, SCENARIO);
  assert.deepEqual(seen, observe(SOLIDITY, REFERENCE.execute, SCENARIO).seen);
}
