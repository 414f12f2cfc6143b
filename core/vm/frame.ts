import { type Address, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import { analyseCode, type CodeAnalysis } from "./code-analysis.ts";
import type { Program, ProgramKinds } from "./contract-host/types.ts";
import type { ForkRules } from "./fork-rules.ts";
import { MAX_MEMORY_SIZE } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { createMemory, growMemory, type Memory, memoryGas } from "./memory.ts";
import type { ExecutionContext, FaultCode, Outcome, PrecompileSet } from "./types.ts";

/** What all frames of one message share. */
export type Machine = {
  readonly context: ExecutionContext;
  readonly rules: ForkRules;
  readonly precompiles: PrecompileSet;
  /** By opcode; undefined: invalid in this fork. */
  readonly instructions: readonly (Instruction | undefined)[];
  readonly programKinds: ProgramKinds;
  /** Programs that the message has entered: who enters one again does not pay for loading it. By address, as hex digits;
   * it is not undone with state, because what is loaded stays loaded. */
  readonly loadedPrograms: Set<string>;
};

/** How a frame ended. */
export type Halt = {
  readonly kind: "halt";
  readonly status: "success" | "revert" | "fault";
  readonly fault: FaultCode | undefined;
  readonly output: Bytes;
};

/** Why a frame stopped running: it ended, or waits for a frame that it called. */
export type Exit = Halt | { readonly kind: "enter"; readonly child: Frame };

/** What a frame that waits does with its child's outcome. */
export type Pending =
  | {
      readonly kind: "call";
      /** Within the frame's memory; the offset says nothing where the size is 0. */
      readonly outputOffset: number;
      readonly outputSize: number;
    }
  | { readonly kind: "create" }
  /** A program's; see contract-host/run-host-call.ts. */
  | {
      readonly kind: "host-call";
      /** Where a creation's address goes in the program's memory; undefined: it was a call. */
      readonly addressTo: number | undefined;
      /** The child's, when it has ended and the frame may go on. */
      readonly outcome: Outcome | undefined;
    };

/** One running piece of code: a message call or a creation. */
export type Frame = {
  readonly kind: "call" | "create";
  /** What runs. Of a program, as it is deployed, with its prefix; a creation of one runs what it is to deploy. */
  readonly code: Bytes;
  /** undefined: `code` is the EVM's. */
  readonly program: Program | undefined;
  /** See analysisOf. */
  analysis: CodeAnalysis | undefined;
  /** Whose storage and balance the code acts on; for a creation, the new contract. */
  readonly address: Address;
  readonly caller: Address;
  readonly value: bigint;
  /** May share the memory of the frame that called, which does not change while this one runs. */
  input: Bytes;
  readonly isStatic: boolean;
  /** 0 for the outermost. */
  readonly depth: number;
  /** Of the state, taken before the frame changed anything. */
  readonly checkpoint: number;

  programCounter: number;
  readonly stack: bigint[];
  readonly memory: Memory;
  /** Output of the last call or failed creation (EIP-211). */
  returnData: Bytes;
  /** What a program has said that it returns or reverts with. */
  output: Bytes;
  /** What is left is `gas + gasReserve`; see gasLeft. */
  gas: number;
  gasReserve: bigint;
  /** undefined while the frame runs. */
  exit: Exit | undefined;
  pending: Pending | undefined;
};

export type FrameStart = Pick<
  Frame,
  "kind" | "code" | "address" | "caller" | "value" | "input" | "isStatic" | "depth" | "checkpoint"
> & { readonly gas: bigint; readonly program?: Program };

export function createFrame(start: FrameStart): Frame {
  const frame: Frame = {
    kind: start.kind,
    code: start.code,
    program: start.program,
    analysis: undefined,
    address: start.address,
    caller: start.caller,
    value: start.value,
    input: start.input,
    isStatic: start.isStatic,
    depth: start.depth,
    checkpoint: start.checkpoint,
    programCounter: 0,
    stack: [],
    memory: createMemory(),
    returnData: EMPTY_BYTES,
    output: EMPTY_BYTES,
    gas: 0,
    gasReserve: 0n,
    exit: undefined,
    pending: undefined,
  };
  setGasLeft(frame, start.gas);
  return frame;
}

/** What can be said of the frame's code; made when the reference first asks, since the tiers have their own. */
export function analysisOf(frame: Frame): CodeAnalysis {
  frame.analysis ??= analyseCode(frame.code);
  return frame.analysis;
}

// Gas is a bigint everywhere but in a frame, where each instruction subtracts from it and a bigint would cost more than
// most instructions do. A double counts exactly to 2^53, and gas limits may reach 2^64: so a frame holds at most 2^52 in
// `gas` and the rest in `gasReserve`, from which it draws when `gas` is used up. One charge is below 2^46 (the largest
// is for MAX_MEMORY_SIZE), so that no sum leaves the exact range.
const MAX_COUNTED_GAS = 2 ** 52;
const MAX_COUNTED_GAS_BIGINT = BigInt(MAX_COUNTED_GAS);

export function gasLeft(frame: Frame): bigint {
  return BigInt(frame.gas) + frame.gasReserve;
}

export function setGasLeft(frame: Frame, total: bigint): void {
  const counted = total < MAX_COUNTED_GAS_BIGINT ? total : MAX_COUNTED_GAS_BIGINT;
  frame.gas = Number(counted);
  frame.gasReserve = total - counted;
}

/** Takes gas. @returns false if the frame does not have it: then the frame has ended. */
export function charge(frame: Frame, amount: number): boolean {
  frame.gas -= amount;
  if (frame.gas >= 0) return true;
  return drawFromReserve(frame);
}

function drawFromReserve(frame: Frame): boolean {
  setGasLeft(frame, gasLeft(frame));
  if (frame.gas >= 0) return true;
  endWithFault(frame, "vm/out-of-gas");
  return false;
}

/** Charges for making [offset, offset + size) part of the memory, and does it. Touches nothing if size is 0.
 * @returns false if the frame does not have the gas: then the frame has ended. */
export function claimMemory(frame: Frame, offset: bigint, size: bigint): boolean {
  if (size === 0n) return true;
  const end = offset + size;
  if (end > MAX_MEMORY_SIZE) return endWithFault(frame, "vm/out-of-gas");
  return claimMemoryUpTo(frame, Number(end));
}

function claimMemoryUpTo(frame: Frame, end: number): boolean {
  const { memory } = frame;
  if (end <= memory.size) return true;
  if (!charge(frame, memoryGas(end) - memoryGas(memory.size))) return false;
  growMemory(memory, end);
  return true;
}

/** Ends the frame if it must not change state. Source: EIP-214.
 * @returns false then. */
export function mayChangeState(frame: Frame): boolean {
  return !frame.isStatic || endWithFault(frame, "vm/static-violation");
}

/** Ends the frame: it loses its gas, and what it did is undone. @returns false, so that a check can return it. */
export function endWithFault(frame: Frame, fault: FaultCode): false {
  frame.exit = { kind: "halt", status: "fault", fault, output: EMPTY_BYTES };
  return false;
}

export function endWith(frame: Frame, status: "success" | "revert", output: Bytes): void {
  frame.exit = { kind: "halt", status, fault: undefined, output };
}
