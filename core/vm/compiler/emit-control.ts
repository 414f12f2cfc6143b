import type { Label } from "@ostrom/wasm";
import { STATUS } from "../runtime/exit-status.ts";
import { FRAME } from "../runtime/memory-layout.ts";
import { type Emission, writeBackStack } from "./emission.ts";
import { storeGas } from "./emit-host.ts";
import { claimRange } from "./emit-memory.ts";
import { pushClamped, pushOr } from "./limb-operations.ts";
import { pop } from "./symbolic-stack.ts";
import { constantOf, type Word } from "./word-value.ts";

/** The ends of blocks. */

export function emitStop(emission: Emission): void {
  storeGas(emission);
  emission.code.i32Const(STATUS.stop).return();
}

/** RETURN and REVERT. */
export function emitReturn(emission: Emission, status: number): void {
  const { code, locals, stack } = emission;
  const offset = pop(stack);
  const size = pop(stack);
  claimRange(emission, offset, size);
  code.localGet(locals.frame);
  code.localGet(locals.address).localGet(locals.memoryBase).i32Sub().i32Store(FRAME.outputOffset);
  code.localGet(locals.frame).localGet(locals.length).i32Store(FRAME.outputSize);
  storeGas(emission);
  code.i32Const(status).return();
}

export function emitJump(emission: Emission): void {
  const destination = pop(emission.stack);
  const constant = constantOf(destination);
  if (constant === undefined) {
    pushClamped(emission, destination);
    emission.code.localSet(emission.locals.end);
  }
  writeBackStack(emission);
  goTo(emission, constant);
}

/** JUMPI: what follows is emitted next, so that not jumping is falling through. */
export function emitBranch(emission: Emission): void {
  const { code, locals, stack } = emission;
  const destination = pop(stack);
  pushCondition(emission, pop(stack));
  code.localSet(locals.condition);
  const constant = constantOf(destination);
  if (constant === undefined) {
    pushClamped(emission, destination);
    code.localSet(locals.end);
  }
  writeBackStack(emission);
  code.localGet(locals.condition);
  const ahead = constant === undefined ? undefined : labelAhead(emission, constant);
  if (ahead !== undefined) {
    code.brIf(ahead);
    return;
  }
  code.if();
  goTo(emission, constant);
  code.end();
}

/** Puts an i32 on WebAssembly's stack that is not 0 if the word is not. */
function pushCondition(emission: Emission, word: Word): void {
  pushOr(emission, word);
  emission.code.i64Eqz().i32Eqz();
}

function labelAhead({ dispatch, block }: Emission, destination: bigint): Label | undefined {
  const target = dispatch.jumpTargets.get(Number(destination));
  if (target === undefined || target <= block.index) return undefined;
  return dispatch.labels[dispatch.entries.get(target)!];
}

/** Jumps to a constant destination, or to the one in locals.end. */
function goTo(emission: Emission, constant: bigint | undefined): void {
  const { code, locals, dispatch, faults } = emission;
  if (constant === undefined) {
    code.localGet(locals.end).i64Const(emission.codeSize).i64GeU().brIf(faults.invalidJump);
    code.localGet(locals.end).i32WrapI64().call(dispatch.findEntry()).localTee(locals.entry);
    code.i32Const(0).i32LtS().brIf(faults.invalidJump);
    code.br(dispatch.loop);
    return;
  }
  const target = dispatch.jumpTargets.get(Number(constant));
  const ahead = labelAhead(emission, constant);
  if (target === undefined) code.br(faults.invalidJump);
  else if (ahead !== undefined) code.br(ahead);
  else code.i32Const(dispatch.entries.get(target)!).localSet(locals.entry).br(dispatch.loop);
}
