import { OP } from "../opcodes.ts";
import { FRAME, LIMB_BYTES, TRANSACTION_WORDS } from "../runtime/memory-layout.ts";
import { type Emission, takeLimb, takeWord } from "./emission.ts";
import { pushClamped } from "./limb-operations.ts";
import { pop, push } from "./symbolic-stack.ts";
import { constantWord, type Limb, singleWord, type Word, ZERO } from "./word-value.ts";

/** What is read from the frame or the transaction without the host. */

const ADDRESS_BITS = [64, 64, 32, 0] as const;
const ANY_BITS = [64, 64, 64, 64] as const;
/** Sizes of input, return data and memory. */
const SIZE_BITS = 32;
const GAS_BITS = 63;

/** Words of the transaction and block, by opcode. */
const SHARED_WORDS: ReadonlyMap<number, { readonly at: number; readonly bits: readonly number[] }> = new Map([
  [OP.ORIGIN, { at: TRANSACTION_WORDS.origin, bits: ADDRESS_BITS }],
  [OP.GASPRICE, { at: TRANSACTION_WORDS.gasPrice, bits: ANY_BITS }],
  [OP.COINBASE, { at: TRANSACTION_WORDS.coinbase, bits: ADDRESS_BITS }],
  [OP.TIMESTAMP, { at: TRANSACTION_WORDS.timestamp, bits: ANY_BITS }],
  [OP.NUMBER, { at: TRANSACTION_WORDS.number, bits: ANY_BITS }],
  [OP.PREVRANDAO, { at: TRANSACTION_WORDS.prevRandao, bits: ANY_BITS }],
  [OP.GASLIMIT, { at: TRANSACTION_WORDS.gasLimit, bits: ANY_BITS }],
  [OP.CHAINID, { at: TRANSACTION_WORDS.chainId, bits: ANY_BITS }],
  [OP.BASEFEE, { at: TRANSACTION_WORDS.baseFee, bits: ANY_BITS }],
  [OP.BLOBBASEFEE, { at: TRANSACTION_WORDS.blobBaseFee, bits: ANY_BITS }],
]);

const FRAME_WORDS: ReadonlyMap<number, { readonly at: number; readonly bits: readonly number[] }> = new Map([
  [OP.ADDRESS, { at: FRAME.address, bits: ADDRESS_BITS }],
  [OP.CALLER, { at: FRAME.caller, bits: ADDRESS_BITS }],
  [OP.CALLVALUE, { at: FRAME.value, bits: ANY_BITS }],
]);

const FRAME_SIZES: ReadonlyMap<number, number> = new Map([
  [OP.CALLDATASIZE, FRAME.inputSize],
  [OP.RETURNDATASIZE, FRAME.returnDataSize],
]);

/** @returns false if the opcode is none of those here. */
export function emitReading(emission: Emission, opcode: number): boolean {
  const { code, locals, stack } = emission;
  const shared = SHARED_WORDS.get(opcode);
  if (shared !== undefined) {
    push(
      stack,
      loadLimbs(emission, () => code.i32Const(0), shared.at, shared.bits),
    );
    return true;
  }
  const ofFrame = FRAME_WORDS.get(opcode);
  if (ofFrame !== undefined) {
    push(
      stack,
      loadLimbs(emission, () => code.localGet(locals.frame), ofFrame.at, ofFrame.bits),
    );
    return true;
  }
  const size = FRAME_SIZES.get(opcode);
  if (size === undefined) return false;
  code.localGet(locals.frame).i64Load32U(size);
  push(stack, singleWord(takeLimb(emission, SIZE_BITS)));
  return true;
}

/** Loads a word from memory.
 * @param bits of each limb; those with 0 are not loaded. */
export function loadLimbs(
  emission: Emission,
  pushAddress: () => void,
  at: number,
  bits: readonly number[],
): Word {
  return bits.map((count, place): Limb => {
    if (count === 0) return ZERO;
    pushAddress();
    emission.code.i64Load(at + LIMB_BYTES * place);
    return takeLimb(emission, count);
  }) as unknown as Word;
}

export function emitGas(emission: Emission): void {
  const { code, locals, stack } = emission;
  code.localGet(locals.gas);
  push(stack, singleWord(takeLimb(emission, GAS_BITS)));
}

export function emitMemorySize(emission: Emission): void {
  const { code, locals, stack } = emission;
  code.localGet(locals.memorySize);
  push(stack, singleWord(takeLimb(emission, SIZE_BITS)));
}

export function emitCodeSize({ stack, bytecode }: Emission): void {
  push(stack, constantWord(BigInt(bytecode.length)));
}

export function emitLoadInput(emission: Emission): void {
  const { code, locals, stack, runtime } = emission;
  const offset = pop(stack);
  code.localGet(locals.frame);
  pushClamped(emission, offset);
  code.call(runtime.find("loadInput"));
  push(stack, takeWord(emission));
}

export function emitBlobHash(emission: Emission): void {
  const { code, stack, runtime } = emission;
  pushClamped(emission, pop(stack));
  code.call(runtime.find("blobHash"));
  push(stack, takeWord(emission));
}
