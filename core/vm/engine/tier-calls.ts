import { assert, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { chargeAccountAccess } from "../access.ts";
import { isProgramCode } from "../contract-host/code-format.ts";
import { codeToRun } from "../delegation.ts";
import { enterCall } from "../enter.ts";
import { createFrame, type Frame, type Halt, type Machine } from "../frame.ts";
import { CALL_GAS_DIVISOR, MAX_CALL_DEPTH } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import { OPERANDS, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { AddressBook } from "./address-book.ts";
import type { Arena, Region } from "./arena.ts";

// CALL and its kin between frames that run in tiers, as in calls.ts and leave.ts, but on numbers in place of bigints, and for
// what happens most: calls that give no value. Gas fits a number in tiers (MAX_TIERED_GAS).

const GAS_DIVISOR = Number(CALL_GAS_DIVISOR);

/** The input of a call whose operands are in OPERANDS, relative to the frame's memory. Code has claimed it. */
export function inputOf(arena: Arena, opcode: number): Region {
  return regionOf(arena, firstRegion(opcode));
}

export function isCall(opcode: number): boolean {
  return (
    opcode === OP.CALL || opcode === OP.STATICCALL || opcode === OP.DELEGATECALL || opcode === OP.CALLCODE
  );
}

function givesValue(opcode: number): boolean {
  return opcode === OP.CALL || opcode === OP.CALLCODE;
}

function firstRegion(opcode: number): number {
  return OPERANDS + (givesValue(opcode) ? 3 : 2) * WORD_BYTES;
}

/** Relative to the frame's memory. */
function regionOf(arena: Arena, at: number): Region {
  return { address: arena.number(at), size: arena.number(at + WORD_BYTES) };
}

/** Begins a call whose operands are in OPERANDS, by a frame whose `gas` is what is left. It ends the frame, or sets its exit to
 * the frame that is to run, or leaves the call's result on its stack.
 * @returns false if it has done nothing, because the call is of another kind. */
export function beginTierCall(
  machine: Machine,
  frame: Frame,
  opcode: number,
  arena: Arena,
  book: AddressBook,
  memoryBase: number,
): boolean {
  if (givesValue(opcode) && !arena.isZero(OPERANDS + 2 * WORD_BYTES)) return false;
  const target = book.read(arena, OPERANDS + WORD_BYTES);
  if (!chargeAccountAccess(machine, frame, target.address)) return true;
  const { state } = machine.context;
  const { code, delegate } = codeToRun(state, target.address, machine.rules.delegation);
  if (delegate !== undefined && !chargeAccountAccess(machine, frame, delegate)) return true;

  const most = frame.gas - Math.floor(frame.gas / GAS_DIVISOR);
  const gas = Math.min(arena.count(OPERANDS), most);
  frame.gas -= gas;
  const output = regionOf(arena, firstRegion(opcode) + 2 * WORD_BYTES);
  frame.pending = { kind: "call", outputOffset: output.address, outputSize: output.size };
  const depth = frame.depth + 1;
  if (depth > MAX_CALL_DEPTH) {
    takeOutcome(frame, false, gas, EMPTY_BYTES, arena, memoryBase);
    return true;
  }
  const isOwn = opcode === OP.DELEGATECALL || opcode === OP.CALLCODE;
  const start = {
    caller: opcode === OP.DELEGATECALL ? frame.caller : frame.address,
    address: isOwn ? frame.address : target.address,
    code,
    value: opcode === OP.DELEGATECALL ? frame.value : 0n,
    // The runner knows where it is.
    input: EMPTY_BYTES,
    isStatic: frame.isStatic || opcode === OP.STATICCALL,
    depth,
  };
  if (isProgramCode(code)) {
    const request = { ...start, codeAddress: target.address, transfersValue: opcode !== OP.DELEGATECALL };
    const entered = enterCall(machine, { ...request, gas: BigInt(gas) });
    if (entered.kind === "frame") frame.exit = { kind: "enter", child: entered.frame };
    else {
      const { status, gasLeft, output } = entered.outcome;
      takeOutcome(frame, status === "success", Number(gasLeft), output, arena, memoryBase);
    }
    return true;
  }
  const checkpoint = state.checkpoint();
  state.touch(start.address);
  if (target.isPrecompile) {
    const input = regionOf(arena, firstRegion(opcode));
    const bytes = arena.view(memoryBase + input.address, input.size);
    const result = machine.precompiles.call(target.address, bytes, BigInt(gas));
    assert(result !== undefined, "what is a precompile's address must have one");
    if (!result.ok) state.revertTo(checkpoint);
    const left = result.ok ? gas - Number(result.gasUsed) : 0;
    takeOutcome(frame, result.ok, left, result.ok ? result.output : EMPTY_BYTES, arena, memoryBase);
    return true;
  }
  if (code.length === 0) {
    takeOutcome(frame, true, gas, EMPTY_BYTES, arena, memoryBase);
    return true;
  }
  const child = createFrame({ ...start, kind: "call", checkpoint, gas: 0n });
  child.gas = gas;
  frame.exit = { kind: "enter", child };
  return true;
}

/** Ends a call between two frames in tiers.
 * @param memoryBase of the frame that waits. */
export function leaveTierCall(
  machine: Machine,
  frame: Frame,
  halt: Halt,
  waiting: Frame,
  arena: Arena,
  memoryBase: number,
): void {
  const succeeded = halt.status === "success";
  if (!succeeded) machine.context.state.revertTo(frame.checkpoint);
  const gasLeft = halt.status === "fault" ? 0 : frame.gas;
  takeOutcome(waiting, succeeded, gasLeft, halt.output, arena, memoryBase);
}

/** Gives a frame the outcome of the call for which it waits. */
function takeOutcome(
  frame: Frame,
  succeeded: boolean,
  gasLeft: number,
  output: Bytes,
  arena: Arena,
  memoryBase: number,
): void {
  const { pending } = frame;
  assert(pending?.kind === "call", "a frame must wait for the call that has ended");
  const { outputOffset, outputSize } = pending;
  const size = Math.min(outputSize, output.length);
  if (size > 0)
    arena.write(memoryBase + outputOffset, size < output.length ? output.subarray(0, size) : output);
  frame.gas += gasLeft;
  frame.exit = undefined;
  frame.pending = undefined;
  frame.returnData = output;
  frame.stack.push(succeeded ? 1n : 0n);
}
