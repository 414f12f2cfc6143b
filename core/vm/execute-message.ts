import { EMPTY_BYTES, must } from "@ostrom/base";
import { createAddress } from "./contract-address.ts";
import { codeToRun } from "./delegation.ts";
import { type Entered, enterCall, enterCreate, faultWith, refusal } from "./enter.ts";
import { charge, endWith, endWithFault, type Frame, gasLeft, type Machine } from "./frame.ts";
import { MAX_STACK_SIZE } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { leave, resume } from "./leave.ts";
import { createMachine } from "./machine.ts";
import { type MessageObserver, tellIfDone, tellLeave, tellMessage } from "./observe.ts";
import type { ExecutionContext, Message, Outcome } from "./types.ts";

/** Runs a message, and all the messages that its code sends, on the context's state.
 *
 * The state is as if a message that failed or reverted had never run; a transaction must have begun on it. Calls do not
 * recurse natively: frames wait on a list of ours, so that depth does not depend on V8's stack. */
export function executeMessage(context: ExecutionContext, message: Message): Outcome {
  return runMessage(createMachine(context), message);
}

/** Runs a message on a machine made for it. */
export function runMessage(machine: Machine, message: Message): Outcome {
  const entered = message.to === undefined ? enterCreation(machine, message) : enterMessage(machine, message);
  return entered.kind === "done" ? entered.outcome : runFrames(machine, entered.frame);
}

export function enterMessage(machine: Machine, message: Message): Entered {
  const { state } = machine.context;
  const to = must(message.to, "a call must have a recipient");
  const { code, delegate } = codeToRun(state, to, machine.rules.delegation);
  // Reaching it is part of what the transaction paid for (EIP-7702), so it is warm from here on.
  if (delegate !== undefined) state.warmAddress(delegate);
  tellMessage(machine, message, to, code);
  const entered = enterCall(machine, {
    caller: message.caller,
    address: to,
    codeAddress: to,
    code,
    value: message.value,
    transfersValue: true,
    input: message.data,
    gas: message.gas,
    isStatic: false,
    depth: 0,
  });
  return tellIfDone(machine, entered);
}

export function enterCreation(machine: Machine, message: Message): Entered {
  const { state } = machine.context;
  const { caller: creator, value, data: initCode, gas } = message;
  const refused = refusal(state, creator, value, 0);
  if (refused !== undefined) {
    tellMessage(machine, message, undefined, EMPTY_BYTES);
    return tellIfDone(machine, faultWith(refused, gas));
  }
  const address = createAddress(creator, state.nonce(creator) - 1n);
  state.warmAddress(address);
  tellMessage(machine, message, address, initCode);
  return tellIfDone(machine, enterCreate(machine, { creator, address, value, initCode, gas, depth: 0 }));
}

/** Runs a frame that has been entered, and all that it calls. */
export function runFrames(machine: Machine, outermost: Frame): Outcome {
  const frames = [outermost];
  for (;;) {
    const frame = frames[frames.length - 1]!;
    runUntilExit(machine, frame);
    const exit = must(frame.exit, "a frame must stop for a reason");
    if (exit.kind === "enter") {
      frames.push(exit.child);
      continue;
    }
    const outcome = leave(machine, frame, exit);
    tellLeave(machine, outcome);
    frames.pop();
    const waiting = frames[frames.length - 1];
    if (waiting === undefined) return outcome;
    resume(waiting, outcome);
  }
}

/** Runs one frame's code until it ends or calls. */
export function runUntilExit(machine: Machine, frame: Frame): void {
  const { program } = frame;
  if (program === undefined) runInstructions(machine, frame);
  else machine.programKinds[program.kind].runInReference(machine, frame, program);
}

function runInstructions(machine: Machine, frame: Frame): void {
  const { instructions, context } = machine;
  const { code } = frame;
  while (frame.exit === undefined) {
    const { programCounter } = frame;
    if (programCounter >= code.length) {
      endWith(frame, "success", EMPTY_BYTES);
      return;
    }
    const opcode = code[programCounter]!;
    if (context.onStep !== undefined) tellStep(context.onStep, frame, opcode);
    runInstruction(machine, frame, instructions[opcode]);
    if (context.observer?.onStepEnd !== undefined) tellStepEnd(context.observer.onStepEnd, frame);
  }
}

function runInstruction(machine: Machine, frame: Frame, instruction: Instruction | undefined): void {
  const { stack } = frame;
  if (instruction === undefined) {
    endWithFault(frame, "vm/invalid-opcode");
    return;
  }
  if (stack.length < instruction.pops) {
    endWithFault(frame, "vm/stack-underflow");
    return;
  }
  if (stack.length - instruction.pops + instruction.pushes > MAX_STACK_SIZE) {
    endWithFault(frame, "vm/stack-overflow");
    return;
  }
  if (!charge(frame, instruction.gas)) return;
  frame.programCounter++;
  instruction.run(machine, frame);
}

function tellStep(onStep: NonNullable<ExecutionContext["onStep"]>, frame: Frame, opcode: number): void {
  onStep({
    depth: frame.depth + 1,
    programCounter: frame.programCounter,
    opcode,
    gasLeft: gasLeft(frame),
    stack: frame.stack,
    memory: frame.memory,
    returnData: frame.returnData,
    address: frame.address,
  });
}

function tellStepEnd(onStepEnd: NonNullable<MessageObserver["onStepEnd"]>, frame: Frame): void {
  onStepEnd(gasLeft(frame), frame.exit?.kind === "halt" ? frame.exit.fault : undefined);
}
