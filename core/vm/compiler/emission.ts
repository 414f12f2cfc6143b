import type { Bytes } from "@ostrom/base";
import type { CodeBuilder, Label } from "@ostrom/wasm";
import { I64 } from "@ostrom/wasm";
import { STACK_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { RuntimeFunctions } from "../runtime/runtime-functions.ts";
import type { Dispatch } from "./emit-edges.ts";
import type { SlotFunctions } from "./emit-storage.ts";
import { forgetLocals, homeSlot, LIMBS_OF_WORD, type SymbolicStack } from "./symbolic-stack.ts";
import { type Limb, localLimb, NO_LOCAL, type Word } from "./word-value.ts";

/** Locals of the function that a contract becomes. */
export type FrameLocals = {
  /** i32, a parameter: address of the frame. */
  readonly frame: number;
  /** i32, a parameter: the entry (see PathFlow) at which to begin or go on. */
  readonly entry: number;
  /** i32: address of the base from which the region's slots count, less STACK_BYTES, so that offsets from it are positive. */
  readonly stackBase: number;
  /** i64: what is left; negative: too much was charged. */
  readonly gas: number;
  /** i64: MSIZE. */
  readonly memorySize: number;
  /** i32. */
  readonly memoryBase: number;
  /** i32: absolute address and length of a part of memory that an instruction is about to touch. */
  readonly address: number;
  readonly length: number;
  /** i64: an offset or end that is being checked. */
  readonly end: number;
  /** v128. */
  readonly vector: number;
  /** v128: always REVERSED_LANES, which is long where it is written out. */
  readonly reversed: number;
};

/** Where to branch when a frame ends with a fault. */
export type FaultLabels = {
  readonly outOfGas: Label;
  readonly stackUnderflow: Label;
  readonly stackOverflow: Label;
  readonly invalidJump: Label;
  readonly invalidOpcode: Label;
  /** The host has ended the frame and knows why. */
  readonly endedByHost: Label;
};

/** i64 locals for limbs. */
export type LocalPool = { readonly free: number[]; readonly all: number[] };

/** All that the compiler of one function writes to. */
export type Emission = {
  readonly code: CodeBuilder;
  readonly locals: FrameLocals;
  readonly faults: FaultLabels;
  readonly dispatch: Dispatch;
  readonly runtime: RuntimeFunctions;
  /** Index of the import that runs an instruction for which the compiler emits nothing of its own. */
  readonly host: number;
  readonly slotFunctions: SlotFunctions;
  /** The contract's. */
  readonly bytecode: Bytes;
  readonly pool: LocalPool;
  stack: SymbolicStack;
  /** Factors of the products that MUL has made, by the lowest limb. */
  readonly products: WeakMap<Limb, readonly [Word, Word]>;
  /** The memory is known to have at least so many bytes. */
  knownMemorySize: number;
};

/** Puts a limb on WebAssembly's stack. */
export function pushLimb(emission: Emission, limb: Limb): void {
  const { code, locals } = emission;
  if (limb.constant !== undefined) {
    code.i64Const(limb.constant);
    return;
  }
  if (limb.local !== NO_LOCAL) {
    code.localGet(limb.local);
    return;
  }
  limb.local = takeLocal(emission);
  code
    .localGet(locals.stackBase)
    .i64Load(STACK_BYTES + limb.slot)
    .localTee(limb.local);
}

export function pushWord(emission: Emission, word: Word): void {
  for (const limb of word) pushLimb(emission, limb);
}

/** Takes a limb from WebAssembly's stack.
 * @param bits it is below 2^bits. */
export function takeLimb(emission: Emission, bits = 64): Limb {
  const local = takeLocal(emission);
  emission.code.localSet(local);
  return localLimb(local, bits);
}

/** Takes the four results of a runtime function from WebAssembly's stack. */
export function takeWord(emission: Emission): Word {
  const d = takeLimb(emission);
  const c = takeLimb(emission);
  const b = takeLimb(emission);
  const a = takeLimb(emission);
  return [a, b, c, d];
}

function takeLocal({ pool, code }: Emission): number {
  const free = pool.free.pop();
  if (free !== undefined) return free;
  const local = code.local(I64);
  pool.all.push(local);
  return local;
}

const FEW_FREE_LOCALS = 24;
/** A stack that holds more than this is written back within a block: functions with many locals compile slowly, and
 * V8 allows 50,000. */
const MAX_LIVE_LOCALS = 160;

/** Between two instructions only the words of the symbolic stack are alive: frees the locals of all others, if few are
 * free. */
export function recycleLocals(emission: Emission): void {
  if (emission.pool.free.length < FEW_FREE_LOCALS) freeDeadLocals(emission);
}

export function freeDeadLocals(emission: Emission): void {
  const { pool, stack } = emission;
  const live = new Set<number>();
  for (const word of stack.words) {
    for (const limb of word) {
      if (limb.local !== NO_LOCAL) live.add(limb.local);
    }
  }
  if (live.size > MAX_LIVE_LOCALS) {
    writeBackStack(emission);
    forgetLocals(stack);
    live.clear();
  }
  pool.free.length = 0;
  for (let i = pool.all.length - 1; i >= 0; i--) {
    if (!live.has(pool.all[i]!)) pool.free.push(pool.all[i]!);
  }
}

/** Writes the words that are not in memory, or elsewhere, to where they belong.
 * @param isKept for those in whose slots memory may stay as it is. */
export function writeBackStack(emission: Emission, isKept?: (slot: number) => boolean): void {
  const { code, locals, stack } = emission;
  const moved: { readonly limb: Limb; readonly slot: number }[] = [];
  for (const [position, word] of stack.words.entries()) {
    if (isKept?.(stack.lowest + position)) continue;
    for (const place of LIMBS_OF_WORD) {
      const limb = word[place]!;
      const slot = homeSlot(stack, position, place);
      if (limb.slot === slot) continue;
      // Read everything before the first write: it may lie where another limb goes.
      if (limb.constant === undefined && limb.local === NO_LOCAL) {
        pushLimb(emission, limb);
        code.drop();
      }
      moved.push({ limb, slot });
    }
  }
  for (const { limb, slot } of moved) {
    code.localGet(locals.stackBase);
    pushLimb(emission, limb);
    code.i64Store(STACK_BYTES + slot);
  }
}

/** Leaves if the gas in the local is negative. */
export function failIfOutOfGas({ code, locals, faults }: Emission): void {
  code.localGet(locals.gas).i64Const(0).i64LtS().brIf(faults.outOfGas);
}

/** Charges an amount known to the compiler. */
export function chargeConstant(emission: Emission, amount: number): void {
  if (amount === 0) return;
  const { code, locals } = emission;
  code.localGet(locals.gas).i64Const(amount).i64Sub().localTee(locals.gas);
  code.i64Const(0).i64LtS().brIf(emission.faults.outOfGas);
}

/** Charges `price` for each 32-byte word of the length in `locals.length`. */
export function chargeWordsOfLength(emission: Emission, price: number): void {
  const { code, locals } = emission;
  code.localGet(locals.gas);
  code
    .localGet(locals.length)
    .i64ExtendI32U()
    .i64Const(WORD_BYTES - 1)
    .i64Add()
    .i64Const(5)
    .i64ShrU();
  code.i64Const(price).i64Mul().i64Sub().localSet(locals.gas);
  failIfOutOfGas(emission);
}
