import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { type Bytes, must } from "@ostrom/base";
import { compareObserved, observe } from "../../../tools/fuzz/engine-case.ts";
import { inputHeavy } from "../../../tools/fuzz/input-families.ts";
import { PROGRAM_FAMILIES } from "../../../tools/fuzz/program-families.ts";
import { compileContract, MAX_MODULE_BYTES } from "../compiler/compile-contract.ts";
import { MAX_PAYLOAD_BYTES, MAX_PROGRAM_BYTES } from "../contract-host/program-gas.ts";
import type { ProgramKind } from "../contract-host/types.ts";
import { emitProgram } from "../riscv/compile-program.ts";
import { readElf } from "../riscv/elf.ts";
import { deployedCode } from "../riscv/testing/run-program.ts";
import { compileWasm } from "../runtime/webassembly.ts";
import { assemble } from "../testing/assemble.ts";
import { meterContract } from "../webassembly/meter-contract.ts";
import { readContract } from "../webassembly/read-contract.ts";
import { contractCode } from "../webassembly/testing/run-contract.ts";
import { createContractEngine } from "./contract-engine.ts";
import {
  differenceOf,
  type HostileCase,
  hostileAddress,
  hostileEngines,
  observeCase,
  REFERENCE,
} from "./testing/hostile-case.ts";
import { endlessCode } from "./testing/hostile-contracts.ts";
import { deploymentDifference, MUTANTS_EACH } from "./testing/hostile-deployments.ts";
import { type CodeShape, EVM_BOMBS, opcodeBombs } from "./testing/hostile-evm.ts";
import { RISCV_BOMBS } from "./testing/hostile-riscv.ts";
import { WEBASSEMBLY_BOMBS } from "./testing/hostile-webassembly.ts";
import type { HostileReport } from "./testing/hostile-worker.ts";

// Whatever anybody sends ends in bounded time and memory, with one result, the same in every tier. Times are printed, never
// asserted: each test has a bound that only what has no end would meet.

/** As node/runtime gives it (CONTRACT_STACK_MB). */
const STACK_MB = 256;
const NO_END = { timeout: 120_000 };
const BLOCK_GAS = 60_000_000n;
/** What EVM_BOMBS and programs may spend here: each instruction of theirs some times. */
const BOMB_GAS = 400_000n;
const MUTANT_FILES = 10_000;
const SEEDS = 40;
/** Emitted bytes for each of a program's bytes, at most, and what small programs may have besides. */
const MAX_EXPANSION = 24;
const FREE_EMITTED_BYTES = 262_144;

function print(context: TestContext, what: string, names: ReadonlyMap<string, number>): void {
  const slowest = [...names].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const text = slowest.map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(", ");
  context.diagnostic(`${what}; slowest: ${text}`);
}

function timed<T>(times: Map<string, number>, name: string, run: () => T): T {
  const start = performance.now();
  const result = run();
  times.set(name, performance.now() - start);
  return result;
}

test(
  "EVM code of any shape is refused, or becomes no more WebAssembly than a module may have",
  NO_END,
  (context) => {
    const times = new Map<string, number>();
    const refused: string[] = [];
    let largest: CodeShape & { readonly emitted: number } = { name: "", code: new Uint8Array(), emitted: 0 };
    for (const shape of [...EVM_BOMBS, ...opcodeBombs()]) {
      const compiled = timed(times, shape.name, () => compileContract(shape.code, "osaka"));
      if (compiled.kind === "refused") refused.push(shape.name);
      else {
        // A little beside the function itself.
        assert.ok(compiled.bytes.length < MAX_MODULE_BYTES + 65_536, shape.name);
        if (compiled.bytes.length > largest.emitted) largest = { ...shape, emitted: compiled.bytes.length };
      }
    }
    assert.ok(refused.includes("computed jumps among more entries than are compiled"));
    print(
      context,
      `${times.size} shapes, ${refused.length} refused; most bytes: ${largest.name}, ${largest.emitted}`,
      times,
    );
  },
);

test("EVM code of any shape leaves the same in every tier, twice", NO_END, (context) => {
  const engines = hostileEngines();
  const times = new Map<string, number>();
  for (const { name, code } of EVM_BOMBS) {
    const hostile: HostileCase = {
      name,
      contracts: [[hostileAddress(1), code]],
      data: new Uint8Array(100).fill(0xd7),
      gas: BOMB_GAS,
    };
    const expected = observeCase(REFERENCE, hostile);
    for (const [engineName, { execute }] of engines) {
      for (const run of [1, 2]) {
        const actual = timed(times, `${name} (${engineName})`, () => observeCase(execute, hostile));
        assert.equal(differenceOf(expected, actual), undefined, `${name}, ${engineName}, run ${run}`);
      }
    }
  }
  for (const [name, { counts }] of engines) assert.equal(counts.nodeFaults, 0, name);
  print(context, `${EVM_BOMBS.length} shapes`, times);
});

type Preparation = { readonly emitted: number } | "refused";

/** All that a node does with a program before it runs. */
function prepareWebAssembly(file: Bytes): Preparation {
  const contract = readContract(file);
  if (!contract.ok) return "refused";
  const bytes = meterContract(contract.value);
  compileWasm(bytes);
  return { emitted: bytes.length };
}

function prepareRiscv(file: Bytes): Preparation {
  const image = readElf(file);
  if (!image.ok) return "refused";
  const emitted = emitProgram(image.value);
  if (emitted === undefined) return { emitted: 0 };
  compileWasm(emitted.bytes);
  return { emitted: emitted.bytes.length };
}

const PREPARATIONS = [
  ["webassembly", WEBASSEMBLY_BOMBS, prepareWebAssembly],
  ["riscv", RISCV_BOMBS, prepareRiscv],
] as const;

for (const [kind, shapes, prepare] of PREPARATIONS) {
  test(
    `${kind} programs of any shape are refused, or become bounded WebAssembly that V8 takes`,
    NO_END,
    (context) => {
      const times = new Map<string, number>();
      let worst = { name: "", expansion: 0 };
      let refused = 0;
      for (const bytes of [MAX_PAYLOAD_BYTES, MAX_PROGRAM_BYTES]) {
        for (const { name, make } of shapes) {
          const file = make(bytes);
          const prepared = timed(times, `${name}, ${file.length} bytes`, () => prepare(file));
          if (prepared === "refused") {
            refused++;
            continue;
          }
          const expansion = prepared.emitted / file.length;
          assert.ok(
            prepared.emitted < FREE_EMITTED_BYTES + MAX_EXPANSION * file.length,
            `${name}: ${prepared.emitted} bytes`,
          );
          if (expansion > worst.expansion) worst = { name, expansion };
        }
      }
      print(
        context,
        `${times.size} files, ${refused} refused; largest expansion: ${worst.name}, ${worst.expansion.toFixed(1)}`,
        times,
      );
    },
  );

  test(`${kind} programs of any shape leave the same in every tier, twice`, NO_END, (context) => {
    const engines = hostileEngines();
    const times = new Map<string, number>();
    for (const { name, make } of shapes) {
      const code = codeOf(kind, make(MAX_PAYLOAD_BYTES));
      const hostile: HostileCase = { name, contracts: [[hostileAddress(1), code]], gas: BOMB_GAS };
      const expected = observeCase(REFERENCE, hostile);
      for (const [engineName, { execute }] of engines) {
        for (const run of [1, 2]) {
          const actual = timed(times, `${name} (${engineName})`, () => observeCase(execute, hostile));
          assert.equal(differenceOf(expected, actual), undefined, `${name}, ${engineName}, run ${run}`);
        }
      }
    }
    for (const [name, { counts }] of engines) assert.equal(counts.nodeFaults, 0, name);
    print(context, `${shapes.length} shapes`, times);
  });
}

function codeOf(kind: ProgramKind, file: Bytes): Bytes {
  return kind === "webassembly" ? contractCode(file) : deployedCode(file);
}

for (const kind of ["evm", "webassembly", "riscv"] as const) {
  test(`${kind} code without end spends all gas that a block may have, in every tier`, NO_END, (context) => {
    const times = new Map<string, number>();
    const hostile: HostileCase = {
      name: kind,
      contracts: [[hostileAddress(1), endlessCode(kind)]],
      gas: BLOCK_GAS,
    };
    for (const [name, { execute, counts }] of hostileEngines()) {
      const { status, gasLeft } = timed(times, name, () => observeCase(execute, hostile));
      assert.deepEqual([status, gasLeft, counts.nodeFaults], ["fault", "0", 0], name);
    }
    print(context, `${BLOCK_GAS} gas`, times);
  });
}

test(
  "what a call returned stays as it was, whatever its caller then writes where it gave and took",
  NO_END,
  () => {
    const identity = 4n;
    const code = assemble(
      ...[0xaan, 0n, "MSTORE", 0xbbn, 32n, "MSTORE", 64n, 32n, 64n, 0n, identity, "GAS", "STATICCALL", "POP"],
      ...[0xccn, 0n, "MSTORE", 0xddn, 32n, "MSTORE", 0xeen, 64n, "MSTORE", 64n, 0n, 128n, "RETURNDATACOPY"],
      ...[192n, 0n, "RETURN"],
    );
    const words = [0xccn, 0xddn, 0xeen, 0n, 0xaan, 0xbbn];
    const expected = `0x${words.map((word) => word.toString(16).padStart(64, "0")).join("")}`;
    const hostile: HostileCase = { name: "identity", contracts: [[hostileAddress(1), code]], gas: BOMB_GAS };
    assert.equal(observeCase(REFERENCE, hostile).output, expected);
    for (const [name, { execute }] of hostileEngines()) {
      assert.equal(observeCase(execute, hostile).output, expected, name);
    }
  },
);

async function reports(cases: "quick" | "deep" | "crowded"): Promise<readonly HostileReport[]> {
  const worker = new Worker(new URL("./testing/hostile-worker.ts", import.meta.url), {
    workerData: cases,
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  const [found] = (await once(worker, "message")) as [HostileReport[]];
  for (const { name, differences } of found) assert.deepEqual(differences, [], name);
  return found;
}

function printReports(context: TestContext, found: readonly HostileReport[]): void {
  print(context, `${found.length} messages`, new Map(found.map(({ name, slowestMs }) => [name, slowestMs])));
}

test(
  "bombs, broken code, destruction and delegation of all kinds leave the same in every tier, twice",
  NO_END,
  async (context) => {
    const found = await reports("quick");
    for (const { name, nodeFaults } of found) assert.equal(nodeFaults, 0, name);
    printReports(context, found);
  },
);

test(
  "messages of all kinds nest 1,024 deep, each at the end of its own stack, without a fault of the node",
  NO_END,
  async (context) => {
    const found = await reports("deep");
    for (const { name, nodeFaults, frames } of found) assert.deepEqual([nodeFaults, frames], [0, 1025], name);
    printReports(context, found);
  },
);

test("programs that take more room than a runner has are run by the reference", NO_END, async (context) => {
  const found = await reports("crowded");
  const crowded = must(found[0], "there is a case");
  assert.equal(crowded.status, "success");
  assert.ok(crowded.nodeFaults > 0);
  printReports(context, found);
});

test(
  `${MUTANT_FILES} mutated modules and ELF files are deployed, or refused, alike in the reference and in mixed tiers`,
  NO_END,
  (context) => {
    const engine = createContractEngine({ tiers: "mixed", mixedBySeed: 11 });
    const counts = { files: 0, deployed: 0 };
    for (let seed = 1; seed <= MUTANT_FILES / MUTANTS_EACH; seed++) {
      assert.equal(deploymentDifference(new Map([["mixed", engine.execute]]), seed, counts), undefined);
    }
    context.diagnostic(`${counts.files} files, ${counts.deployed} deployed`);
    assert.equal(counts.files, MUTANT_FILES);
    assert.ok(counts.deployed > MUTANT_FILES / 50);
    assert.equal(engine.counts.nodeFaults, 0);
  },
);

for (const [name, generate] of Object.entries({ ...PROGRAM_FAMILIES, "input-heavy": inputHeavy })) {
  test(`${SEEDS} seeds of the fuzzer's family ${name} leave the same in every tier`, NO_END, () => {
    const engines = hostileEngines();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const generated = generate(seed);
      const expected = observe(REFERENCE, generated);
      for (const [engineName, { execute }] of engines) {
        const difference = compareObserved(expected, observe(execute, generated));
        assert.equal(difference, undefined, `seed ${seed}, ${engineName}`);
      }
    }
    for (const [engineName, { counts }] of engines) assert.equal(counts.nodeFaults, 0, engineName);
  });
}
