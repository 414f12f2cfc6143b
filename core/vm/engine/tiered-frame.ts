import { EMPTY_BYTES, must } from "@ostrom/base";
import { endWith, endWithFault, type Frame } from "../frame.ts";
import { FAULT_OF_STATUS, STATUS } from "../runtime/exit-status.ts";
import { FRAME } from "../runtime/memory-layout.ts";
import type { WasmFunction } from "../runtime/webassembly.ts";
import { type Arena, pushResult, pushSmallResult } from "./arena.ts";
import { type LaidFrame, takeGas } from "./frame-integrity.ts";
import type { CodeUse } from "./tier1-cache.ts";

/** A frame that runs in a tier, on linear memory. */
export type TieredFrame = LaidFrame & {
  /** (frame, entry) -> status. */
  readonly run: WasmFunction;
  /** Where what it spends is counted. */
  readonly use: CodeUse | undefined;
};

/** Gives the frame the end that its code came to. */
export function endTiered(arena: Arena, frame: Frame, laid: TieredFrame, status: number): void {
  if (status === STATUS.endedByHost) return;
  const fault = FAULT_OF_STATUS[status];
  if (fault !== undefined) {
    endWithFault(frame, fault);
    return;
  }
  frame.gas = takeGas(arena, laid);
  if (status === STATUS.stop) {
    endWith(frame, "success", EMPTY_BYTES);
    return;
  }
  const size = arena.number(laid.address + FRAME.outputSize);
  const from = laid.memoryBase + arena.number(laid.address + FRAME.outputOffset);
  const output = size === 0 ? EMPTY_BYTES : arena.copy(from, size);
  endWith(frame, status === STATUS.return ? "success" : "revert", output);
}

/** Tells a frame in a tier what came of its call. @returns the entry at which it goes on. */
export function prepareToGoOn(arena: Arena, frame: Frame, laid: TieredFrame): number {
  const { address } = laid;
  laid.gas = frame.gas;
  arena.setGas(address, laid.gas);
  const result = must(frame.stack.pop(), "a call leaves its result on the stack");
  if (result <= 1n) pushSmallResult(arena, address, result === 0n ? 0 : 1);
  else pushResult(arena, address, result);
  // Who ran meanwhile may have given it something, or taken.
  arena.setNumber(address + FRAME.balanceIsKnown, 0);
  arena.setNumber(address + FRAME.returnDataSize, frame.returnData.length);
  // What lies beyond was used by the frames that have run meanwhile.
  arena.setNumber(address + FRAME.memoryClean, arena.number(address + FRAME.memorySize));
  return arena.number(address + FRAME.resumeEntry);
}

/** Lets the reference's code see the frame's memory, which code may have moved or grown. */
export function showMemory(arena: Arena, frame: Frame, laid: TieredFrame): void {
  arena.refresh();
  const size = arena.number(laid.address + FRAME.memorySize);
  frame.memory.bytes = arena.view(laid.memoryBase, size);
  frame.memory.size = size;
}
