import { STATUS } from "../runtime/exit-status.ts";
import { FRAME, STACK_BYTES, WORD_BYTES } from "../runtime/memory-layout.ts";
import { NodeFault } from "../runtime/webassembly.ts";
import type { Arena } from "./arena.ts";

/** What the host knows of a frame in linear memory. */
export type LaidFrame = {
  readonly address: number;
  /** As they were laid: nothing that runs in the frame may change them. */
  readonly memoryBase: number;
  readonly storageId: number;
  /** What was left when the host last looked: code may only lower it. */
  gas: number;
};

/** Reads the gas of a frame that code has been running, which may only have fallen.
 * Throws NodeFault if it has not: the memory is damaged. */
export function takeGas(arena: Arena, laid: LaidFrame): number {
  const gas = arena.gas(laid.address);
  if (gas < 0 || gas > laid.gas) throw damaged("gas");
  laid.gas = gas;
  return gas;
}

/** Checks a frame that code has been running against what the host knows. It finds memory that was overwritten at large, not
 * every flipped bit: against those, messages run twice (`verifyEvery`).
 * Throws NodeFault if the memory is damaged. */
export function checkFrame(arena: Arena, laid: LaidFrame, status: number): void {
  const { address, memoryBase, storageId } = laid;
  const isKnown = Number.isInteger(status) && (status <= STATUS.invalidOpcode || status >= STATUS.call);
  if (!isKnown || status < 0) throw damaged("exit status");
  if (arena.number(address + FRAME.memoryBase) !== memoryBase) throw damaged("place of memory");
  if (arena.number(address + FRAME.storageId) !== storageId) throw damaged("account");
  const size = arena.number(address + FRAME.memorySize);
  if (size % WORD_BYTES !== 0 || memoryBase + size > arena.size()) throw damaged("size of memory");
  const height = arena.number(address + FRAME.stackTop) - (address + FRAME.stack);
  if (height % WORD_BYTES !== 0 || height < 0 || height > STACK_BYTES) throw damaged("stack");
  if (status !== STATUS.return && status !== STATUS.revert) return;
  const outputSize = arena.number(address + FRAME.outputSize);
  if (outputSize > 0 && arena.number(address + FRAME.outputOffset) + outputSize > size)
    throw damaged("output");
}

/** The fault of the node that a value is which cannot be. */
export function damaged(what: string): NodeFault {
  return new NodeFault(`the ${what} of a frame cannot be what it is: the engine's memory is damaged`);
}
