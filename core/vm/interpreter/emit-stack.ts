import { type Loop, limbOffset, pushLimb, pushPlace, storeLimb } from "./interpreter-loop.ts";

/** PUSH, DUP and SWAP. */

/** @param size bytes of data, which lie behind the opcode, the lowest first (code-image.ts). */
export function emitPush(loop: Loop, size: number): void {
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, -1, limb, () => pushData(loop, 1 + 8 * limb, Math.min(8, size - 8 * limb)));
  }
}

/** Puts up to 8 bytes of data on WebAssembly's stack, as an i64. */
function pushData({ code, locals }: Loop, offset: number, size: number): void {
  if (size <= 0) {
    code.i64Const(0);
    return;
  }
  code.localGet(locals.counter);
  if (size === 1) code.i64Load8U(offset);
  else if (size === 2) code.i64Load16U(offset, 0);
  else if (size === 4) code.i64Load32U(offset, 0);
  else {
    code.i64Load(offset, 0);
    if (size < 8) code.i64Const(2n ** BigInt(8 * size) - 1n).i64And();
  }
}

/** Copies the word at `position` (1 is the top). */
export function emitDuplicate(loop: Loop, position: number): void {
  for (let limb = 0; limb < 4; limb++) {
    storeLimb(loop, -1, limb, () => pushLimb(loop, position - 1, limb));
  }
}

/** Exchanges the top with the word `distance` below it. */
export function emitSwap(loop: Loop, distance: number): void {
  const { locals } = loop;
  for (let limb = 0; limb < 4; limb++) {
    pushLimb(loop, 0, limb).localSet(locals.a);
    storeLimb(loop, 0, limb, () => pushLimb(loop, distance, limb));
    pushPlace(loop, distance).localGet(locals.a).i64Store(limbOffset(distance, limb));
  }
}
