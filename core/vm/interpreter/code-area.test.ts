import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom } from "@ostrom/base";
import { analyseCode } from "../code-analysis.ts";
import { MAX_CODE_SIZE, MAX_INIT_CODE_SIZE } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import { STATUS } from "../runtime/exit-status.ts";
import { CODE_AREA, FRAME, frameAddress, HEAP } from "../runtime/memory-layout.ts";
import { assemble } from "../testing/assemble.ts";
import { TABLES_END } from "./analysis-tables.ts";
import { imageSize } from "./code-image.ts";
import { createLoneInterpreter, type LoneInterpreter, runFrame } from "./testing/run-frame.ts";

const FRAME_AT = frameAddress(0);
const TABLES_SIZE = TABLES_END - CODE_AREA.at;

function codeBase({ runtime }: LoneInterpreter): number {
  return new DataView(runtime.memory.buffer).getUint32(FRAME_AT + FRAME.codeBase, true);
}

/** Code of 1000 bytes that loops, counting down from a number. */
function loopingCode(count: number): Bytes {
  const loop = assemble(BigInt(count), "JUMPDEST", 1n, "SWAP1", "SUB", "DUP1", 2n, "JUMPI");
  const code = new Uint8Array(1000);
  code.set(loop);
  return code;
}

test("code is loaded once", () => {
  const lone = createLoneInterpreter();
  const [first, second] = [loopingCode(100), loopingCode(200)];
  const bases = [first, second, first, second].map((code) => {
    assert.equal(lone.codeArea.attach(FRAME_AT, code, "osaka", HEAP), HEAP);
    return codeBase(lone);
  });
  assert.equal(new Set(bases).size, 2);
  assert.deepEqual(bases.slice(0, 2), bases.slice(2));
});

test("what finds no room in the area lies on the heap and runs there as it does elsewhere", () => {
  const small = createLoneInterpreter(TABLES_SIZE + 2 * imageSize(1000) + 64);
  const roomy = createLoneInterpreter();
  const codes = Array.from({ length: 4 }, (_, i) => loopingCode(100 + i));
  // As frames of one message: those that are in the area stay there.
  const starts = codes.map((code) => small.codeArea.attach(FRAME_AT, code, "osaka", HEAP));
  assert.deepEqual(starts, [HEAP, HEAP, HEAP + imageSize(1000), HEAP + imageSize(1000)]);
  assert.ok(codeBase(small) === HEAP);
  // Once more, from the image that was kept.
  new Uint8Array(small.runtime.memory.buffer).fill(0xff, HEAP, HEAP + 5000);
  assert.equal(small.codeArea.attach(FRAME_AT, codes[3]!, "osaka", HEAP), HEAP + imageSize(1000));
  const full = createLoneInterpreter(TABLES_SIZE);
  for (const code of codes) {
    const expected = runFrame(roomy, code, 100_000n);
    assert.equal(expected.status, STATUS.stop);
    assert.deepEqual(runFrame(full, code, 100_000n), expected);
    assert.deepEqual(runFrame(full, code, 100_000n), expected);
  }
});

test("an area that is an eighth full when a message begins is used anew", () => {
  const lone = createLoneInterpreter(TABLES_SIZE + 4 * imageSize(1000));
  const codes = Array.from({ length: 8 }, (_, i) => loopingCode(50 + i));
  for (let round = 0; round < 3; round++) {
    for (const code of codes) assert.equal(runFrame(lone, code, 100_000n).status, STATUS.stop);
  }
  assert.ok(codeBase(lone) < CODE_AREA.at + TABLES_SIZE + 4 * imageSize(1000));
});

test("jumps may land in random bytes where the reference lets them", () => {
  const lone = createLoneInterpreter();
  const random = createRandom(9);
  for (let i = 0; i < 200; i++) {
    const code = random
      .bytes(1 + random.below(300))
      .map((byte) => (random.chance(1, 4) ? OP.JUMPDEST : byte));
    lone.codeArea.attach(FRAME_AT, code, "osaka", HEAP);
    const view = new DataView(lone.runtime.memory.buffer);
    const map = view.getUint32(FRAME_AT + FRAME.jumpMap, true);
    const { jumpDestinations } = analyseCode(code);
    for (let at = 0; at < code.length; at++) {
      assert.equal(
        (view.getUint8(map + (at >> 3)) >> (at & 7)) & 1,
        jumpDestinations[at],
        `byte ${at} of ${code}`,
      );
    }
  }
});

test("hostile code of any shape is made ready and ends as it must", () => {
  const lone = createLoneInterpreter();
  const { JUMPDEST, PUSH32, DUP1, POP, INVALID } = OP;
  for (const size of [MAX_CODE_SIZE, MAX_INIT_CODE_SIZE, 1_000_000]) {
    const expectations: readonly (readonly [Bytes, number])[] = [
      [new Uint8Array(size).fill(JUMPDEST), STATUS.stop],
      [new Uint8Array(size).fill(PUSH32), size / 33 > 1024 ? STATUS.stackOverflow : STATUS.stop],
      [new Uint8Array(size).fill(DUP1), STATUS.stackUnderflow],
      [new Uint8Array(size).fill(POP), STATUS.stackUnderflow],
      [new Uint8Array(size).fill(INVALID), STATUS.invalidOpcode],
      [concatBytes(new Uint8Array(size - 1).fill(JUMPDEST), assemble("JUMP")), STATUS.stackUnderflow],
    ];
    for (const [code, status] of expectations) {
      assert.equal(runFrame(lone, code, 2n ** 40n).status, status, `${size} bytes of ${code[0]}`);
    }
  }
});
