import { STATUS } from "../runtime/exit-status.ts";
import { FRAME } from "../runtime/memory-layout.ts";
import type { Emission } from "./emission.ts";
import { storeGas } from "./emit-host.ts";
import { claimRange } from "./emit-memory.ts";
import { pop } from "./symbolic-stack.ts";

/** The ends of frames. */

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
