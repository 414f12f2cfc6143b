import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES } from "@ostrom/base";
import { FRAME, FRAMES, frameAddress } from "../runtime/memory-layout.ts";
import { instantiateWasm, NodeFault, type WasmMemory } from "../runtime/webassembly.ts";
import { assemble } from "../testing/assemble.ts";
import { createContractEngine, type EngineOptions, type EngineTiers } from "./contract-engine.ts";
import { type CodeRun, difference } from "./testing/compare-engines.ts";

/** Stores, logs, calls itself twice, and stores again: a message whose traces would show if one were left. */
const RUN: CodeRun = {
  fork: "osaka",
  code: assemble(
    ...["CALLER", 0n, "SSTORE", 32n, 0n, "LOG0", 7n, 64n, "MSTORE"],
    ...[0n, 0n, 0n, 0n, 0n, "ADDRESS", 30_000n, "CALL", 0n, 0n, 0n, 0n, "ADDRESS", 20_000n, "STATICCALL"],
    ...["ADD", 1n, "SSTORE", 64n, "MLOAD", 2n, "SSTORE", 96n, 0n, "RETURN"],
  ),
  otherCode: EMPTY_BYTES,
  data: EMPTY_BYTES,
  gas: 1_000_000n,
};

/** An engine that is disturbed before code runs for the `nth` time, and then never again. */
function disturbed(options: EngineOptions, nth: number, disturbance: (memory: WasmMemory) => void) {
  const faults: EngineTiers[] = [];
  let runs = 0;
  const engine = createContractEngine({
    ...options,
    onNodeFault: (_, tiers) => faults.push(tiers),
    disturb: (memory) => {
      if (++runs === nth) disturbance(memory);
    },
  });
  return { engine, faults };
}

function trap(): never {
  // (module (func (export "f") unreachable))
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const body = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b];
  const { f } = instantiateWasm(new WebAssembly.Module(Uint8Array.of(...header, ...body)) as never, {});
  f!();
  throw new Error("it must have trapped");
}

function overflowStack(): never {
  const recurse = (): number => 1 + recurse();
  recurse();
  throw new Error("it must have run out of stack");
}

/** What overwrites other things than this is only found by running messages twice. */
const DAMAGES: readonly (readonly [string, (memory: WasmMemory) => void])[] = [
  ["a trap", trap],
  ["no stack left", overflowStack],
  [
    "an error of the machine",
    () => {
      throw new NodeFault("the machine is on fire");
    },
  ],
  ["frames overwritten with ones", (memory) => new Uint8Array(memory.buffer, FRAMES, 4096).fill(0xff)],
  ["frames overwritten with zeros", (memory) => new Uint8Array(memory.buffer, FRAMES, 4096).fill(0)],
  [
    "more gas than there was",
    ({ buffer }) => {
      for (let depth = 0; depth < 8; depth++)
        new DataView(buffer).setBigInt64(frameAddress(depth) + FRAME.gas, 2n ** 40n, true);
    },
  ],
];

for (const tiers of ["tier0", "tier1", "mixed"] as const) {
  for (const [what, disturbance] of DAMAGES) {
    test(`${tiers}, ${what}: the message is undone and run again, with the result of the reference`, () => {
      for (const nth of [1, 4]) {
        const { engine, faults } = disturbed({ tiers }, nth, disturbance);
        assert.equal(difference(engine.execute, RUN), undefined, `run ${nth}`);
        assert.deepEqual(faults, [tiers], `run ${nth}`);
        assert.equal(engine.counts.referenceMessages, tiers === "tier0" ? 1 : 0);
        assert.equal(difference(engine.execute, RUN), undefined, "the next message");
        assert.equal(engine.counts.nodeFaults, 1);
      }
    });
  }
}

test("a node that fails in tier 1 and in tier 0 has the reference", () => {
  const faults: EngineTiers[] = [];
  const engine = createContractEngine({
    tiers: "tier1",
    disturb: trap,
    onNodeFault: (_, tiers) => faults.push(tiers),
  });
  assert.equal(difference(engine.execute, RUN), undefined);
  assert.deepEqual(faults, ["tier1", "tier0"]);
});

test("what is no fault of the node goes through: it is a bug, and no other tier hides it", () => {
  const { engine } = disturbed({ tiers: "tier0" }, 1, () => {
    throw new TypeError("a bug");
  });
  assert.throws(() => difference(engine.execute, RUN), TypeError);
});
