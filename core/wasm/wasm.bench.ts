// Times the encoder, the decoder and the validator on about 1 MB of code and prints one JSON line. Run: node core/wasm/wasm.bench.ts
import { type Bytes, unwrap } from "@ostrom/base";
import {
  type CodeBuilder,
  decodeModule,
  ENGINE_SUBSET,
  I32,
  I64,
  ModuleBuilder,
  validateModule,
} from "./index.ts";

const FUNCTIONS = 200;
const ROUNDS_A_FUNCTION = 65;
const REPETITIONS = 31;

/** Code as the engine's compiler emits it: limbs in locals, loads and stores, a gas check, a branch. */
function writeRound(code: CodeBuilder, round: number, callee: number): void {
  const out = code.block();
  code
    .localGet(0)
    .i64Const(round * 1000)
    .i64Sub()
    .localTee(0)
    .i64Const(0)
    .i64LtS()
    .brIf(out);
  for (let limb = 0; limb < 4; limb++) {
    code
      .localGet(2 + limb)
      .localGet(1)
      .i64Load(32 * round + 8 * limb)
      .i64Add()
      .localSet(6 + limb);
    code
      .localGet(6 + limb)
      .localGet(2 + limb)
      .i64LtU()
      .i64ExtendI32U()
      .localSet(2 + limb);
  }
  code.localGet(2).i64Const(0x0123_4567_89ab_cdefn).i64Xor().i64Const(-1n).i64And().localSet(3);
  code
    .localGet(1)
    .localGet(3)
    .i64Store(0x8_0000 + 8 * round);
  code.localGet(2).i64Eqz().if();
  code.localGet(0).localGet(1).call(callee).localSet(0);
  code.else().localGet(1).i32Const(32).i32Add().localSet(1).end();
  code.end();
}

function buildModule(): Bytes {
  const builder = new ModuleBuilder();
  builder.memory({ minimum: 16, maximum: 16 });
  const type = builder.type([I64, I32], [I64]);
  for (let index = 0; index < FUNCTIONS; index++) builder.declareFunction(type);
  for (let index = 0; index < FUNCTIONS; index++) {
    builder.define(index, (code) => {
      code.locals(I64, 8);
      for (let round = 0; round < ROUNDS_A_FUNCTION; round++)
        writeRound(code, round, (index + round) % FUNCTIONS);
      code.localGet(0);
    });
  }
  return builder.encode();
}

/** @returns the median of the milliseconds that `run` takes, and of the first call. */
function time(run: () => void): { readonly coldMs: number; readonly medianMs: number } {
  const times = Array.from({ length: REPETITIONS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return { coldMs: times[0]!, medianMs: times.toSorted((a, b) => a - b)[REPETITIONS >> 1]! };
}

let bytes: Bytes = new Uint8Array(0);
const encode = time(() => {
  bytes = buildModule();
});
const decode = time(() => unwrap(decodeModule(bytes, ENGINE_SUBSET)));
const check = time(() => unwrap(validateModule(unwrap(decodeModule(bytes, ENGINE_SUBSET)), ENGINE_SUBSET)));
const copy = new Uint8Array(bytes);
const v8 = time(() => {
  if (!WebAssembly.validate(copy)) throw new Error("V8 refuses what we emitted");
});
const megabytesPerSecond = (ms: number): number => Math.round(bytes.length / 1000 / ms);
console.log(
  JSON.stringify({
    bench: "wasm",
    bytes: bytes.length,
    encodeMBps: megabytesPerSecond(encode.medianMs),
    encodeColdMBps: megabytesPerSecond(encode.coldMs),
    decodeMs: Math.round(decode.medianMs * 1000) / 1000,
    decodeAndValidateMBps: megabytesPerSecond(check.medianMs),
    decodeAndValidateColdMBps: megabytesPerSecond(check.coldMs),
    v8ValidateMBps: megabytesPerSecond(v8.medianMs),
  }),
);
