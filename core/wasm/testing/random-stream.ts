import { type Bytes, createRandom, type Random } from "@ostrom/base";
import type { CodeBuilder } from "../code-builder.ts";
import { ModuleBuilder } from "../module-builder.ts";
import { ENGINE_SUBSET } from "../subset.ts";
import { I32, I64, type Label, V128, type ValueType } from "../types.ts";
import { readValidModule } from "../validate-module.ts";

const BLOCK_RESULTS: readonly (ValueType | undefined)[] = [undefined, I32, I64];

const TYPES = [
  { parameters: [], results: [] },
  { parameters: [I32], results: [I32] },
  { parameters: [], results: [I32, I64] },
  { parameters: [I32, I64], results: [I32, I64] },
  { parameters: [I64], results: [] },
  { parameters: [V128], results: [I64] },
] as const;

const LOCALS = [I32, I64, V128] as const;

type Write = (code: CodeBuilder, random: Random) => unknown;

/** A label that is open most of the time, and now and then is not. */
function anyLabel(code: CodeBuilder, random: Random): Label {
  return random.below(code.depth + 1) as Label;
}

/** Few instructions, so that short sequences of them are valid often, and all that the polymorphic stack is about. */
const ALPHABET: readonly Write[] = [
  (code) => code.i32Const(1),
  (code) => code.i32Const(1),
  (code) => code.i64Const(1),
  (code) => code.v128Const(new Uint8Array(16)),
  (code) => code.drop(),
  (code) => code.drop(),
  (code) => code.unreachable(),
  (code) => code.return(),
  (code) => code.select(),
  (code, random) => code.u8(0x1c).u32(1).u8(LOCALS[random.below(3)]!),
  (code) => code.i32Eqz(),
  (code) => code.i32Add(),
  (code) => code.i64Add(),
  (code) => code.i32WrapI64(),
  (code) => code.i64ExtendI32U(),
  (code) => code.i64Store(),
  (code) => code.i32Load(),
  (code) => code.v128And(),
  (code, random) => code.localGet(random.below(5)),
  (code, random) => code.localSet(random.below(5)),
  (code, random) => code.localTee(random.below(5)),
  (code, random) => code.globalGet(random.below(3)),
  (code, random) => code.globalSet(random.below(3)),
  (code, random) => code.br(anyLabel(code, random)),
  (code, random) => code.brIf(anyLabel(code, random)),
  (code, random) =>
    code.brTable(
      Array.from({ length: random.below(3) }, () => anyLabel(code, random)),
      anyLabel(code, random),
    ),
  (code, random) => code.call(random.below(TYPES.length + 1)),
  (code, random) => code.callIndirect(random.below(TYPES.length + 1)),
  (code, random) => code.returnCall(random.below(TYPES.length)),
  (code, random) => code.returnCallIndirect(random.below(TYPES.length)),
  (code, random) => code.block(BLOCK_RESULTS[random.below(3)]),
  (code, random) => code.loop(BLOCK_RESULTS[random.below(3)]),
  (code, random) => code.if(BLOCK_RESULTS[random.below(3)]),
  (code, random) => code.blockOfType(random.below(TYPES.length + 1)),
  (code, random) => code.loopOfType(random.below(TYPES.length)),
  (code, random) => code.ifOfType(random.below(TYPES.length)),
  (code) => code.else(),
  (code) => (code.depth > 0 ? code.end() : code.nop()),
  (code) => (code.depth > 0 ? code.end() : code.nop()),
  (code) => (code.depth > 0 ? code.end() : code.nop()),
];

/** One instruction of a stream: which one, and the seed of what it names. */
type Step = { readonly write: Write; readonly seed: number };

/** A module with one function of random instructions, in which everything that they name is there. Most streams are valid
 * up to their last few instructions, because an instruction that makes the beginning invalid is mostly taken back. */
export function randomStream(random: Random): Bytes {
  const type = random.below(TYPES.length);
  const steps: Step[] = [];
  for (let count = 2 + random.below(16); count > 0; count--) {
    const write = ALPHABET[random.below(ALPHABET.length)]!;
    steps.push({ write, seed: random.nextUint32() });
    const fits = readValidModule(streamModule(type, steps, true), ENGINE_SUBSET).ok;
    if (!fits && !random.chance(1, 40)) steps.pop();
  }
  return streamModule(type, steps, random.chance(1, 3));
}

/** @param trapsAtEnd ends the code with `unreachable`, so that it is valid whatever is on the stack. */
function streamModule(type: number, steps: readonly Step[], trapsAtEnd: boolean): Bytes {
  const builder = new ModuleBuilder();
  for (const { parameters, results } of TYPES) builder.type(parameters, results);
  TYPES.forEach((_, index) => {
    builder.importFunction("host", `f${index}`, index);
  });
  builder.memory({ minimum: 1, maximum: undefined });
  builder.table({ minimum: 1, maximum: undefined });
  builder.global(I32, true, 0);
  builder.global(I64, false, 0);
  builder.function(type, (code) => {
    for (const local of LOCALS) code.local(local);
    for (const { write, seed } of steps) write(code, createRandom(seed));
    while (code.depth > 0) {
      if (trapsAtEnd) code.unreachable();
      code.end();
    }
    if (trapsAtEnd) code.unreachable();
  });
  return builder.encode();
}
