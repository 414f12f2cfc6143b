import { addressToWord, EMPTY_BYTES } from "@ostrom/base";
import { charge, type Frame, gasLeft, type Halt, type Machine, setGasLeft } from "./frame.ts";
import { GAS, MAX_CODE_SIZE } from "./gas-schedule.ts";
import type { FaultCode, Outcome } from "./types.ts";

const INVALID_FIRST_BYTE = 0xef;

/** What a frame that ended has come to: deploys what init code returned (its output still is that), and undoes what a
 * failed frame did. */
export function leave(machine: Machine, frame: Frame, halt: Halt): Outcome {
  const { state } = machine.context;
  const deposited =
    frame.kind === "create" && halt.status === "success" ? deposit(machine, frame, halt) : halt;
  if (deposited.status !== "success") state.revertTo(frame.checkpoint);
  if (deposited.fault !== undefined) {
    return { status: "fault", fault: deposited.fault, output: EMPTY_BYTES, gasLeft: 0n };
  }
  const outcome: Outcome = { status: deposited.status, output: deposited.output, gasLeft: gasLeft(frame) };
  return frame.kind === "create" && deposited.status === "success"
    ? { ...outcome, created: frame.address }
    : outcome;
}

/** Sources: Yellow Paper, section 7; EIP-170 (size), EIP-3541 (first byte). */
function deposit(machine: Machine, frame: Frame, halt: Halt): Halt {
  if (frame.program !== undefined) return depositProgram(machine, frame, halt);
  const code = halt.output;
  if (code.length > (machine.context.codeSizeLimit ?? MAX_CODE_SIZE))
    return depositFault("vm/code-too-large");
  if (code[0] === INVALID_FIRST_BYTE) return depositFault("vm/code-begins-with-ef");
  if (!charge(frame, GAS.codeDepositByte * code.length)) return depositFault("vm/out-of-gas");
  machine.context.state.setCode(frame.address, code);
  return halt;
}

/** A program is deployed as it came; what its constructor returned says nothing. */
function depositProgram(machine: Machine, frame: Frame, halt: Halt): Halt {
  if (!charge(frame, GAS.codeDepositByte * frame.code.length)) return depositFault("vm/out-of-gas");
  machine.context.state.setCode(frame.address, frame.code);
  return { ...halt, output: frame.code };
}

function depositFault(fault: FaultCode): Halt {
  return { kind: "halt", status: "fault", fault, output: EMPTY_BYTES };
}

/** Gives a frame that waited the outcome of the call or creation that it waited for. */
export function resume(frame: Frame, outcome: Outcome): void {
  const { pending } = frame;
  frame.exit = undefined;
  if (pending?.kind === "host-call") {
    // What it does with it needs the program's memory, which only who runs the program has.
    frame.pending = { ...pending, outcome };
    return;
  }
  frame.pending = undefined;
  setGasLeft(frame, gasLeft(frame) + outcome.gasLeft);
  const succeeded = outcome.status === "success";
  if (pending?.kind === "call") {
    frame.returnData = outcome.output;
    const { outputOffset, outputSize } = pending;
    if (outputSize > 0) frame.memory.bytes.set(outcome.output.subarray(0, outputSize), outputOffset);
    frame.stack.push(succeeded ? 1n : 0n);
    return;
  }
  // A contract that was created returns nothing: what its init code returned has become its code.
  frame.returnData = succeeded ? EMPTY_BYTES : outcome.output;
  frame.stack.push(outcome.created === undefined ? 0n : addressToWord(outcome.created));
}
