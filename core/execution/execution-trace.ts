import type { Address, Bytes, Hash } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { FaultCode, MessageEntry, MessageKind, Outcome, Step } from "@ostrom/vm";
import type { TraceBudget } from "./trace-budget.ts";
import type { TransactionTracer } from "./tracer.ts";

/** One message of a transaction as it ran: its own, or one of a CALL or CREATE. */
export type TracedMessage = {
  readonly kind: MessageKind;
  /** Index of the message that sent it; undefined for the transaction's own. */
  readonly parent: number | undefined;
  /** 1 for the transaction's own. */
  readonly depth: number;
  readonly from: Address;
  /** Whose code is called (for DELEGATECALL too), or where the contract was to be; undefined where a creation was refused before it had an address. */
  readonly to: Address | undefined;
  /** undefined for STATICCALL. */
  readonly value: bigint | undefined;
  readonly gas: bigint;
  /** Call data, or init code. */
  readonly input: Bytes;
  /** What ran, after delegation (EIP-7702); for a creation the init code. Empty: a transfer, a precompile, a creation that was refused. */
  readonly code: Bytes;
  /** keccak256 of `code`. */
  readonly codeHash: Hash;
  /** How many steps had run when it began. */
  readonly firstStep: number;
  readonly status: Outcome["status"];
  readonly fault: FaultCode | undefined;
  /** What it returned or reverted with; of a creation the deployed code. */
  readonly output: Bytes;
  readonly gasUsed: bigint;
};

/** An instruction that ran, or failed. */
export type TracedStep = {
  /** Index of its message, which has code, depth and addresses. */
  readonly message: number;
  readonly programCounter: number;
  readonly opcode: number;
  /** Before it ran. */
  readonly gasLeft: bigint;
};

/** A transaction's whole run, for who maps it to source code: messages in the order in which they began, steps in the order in which they
 * ran. Programs in WebAssembly and RISC-V are messages without steps. */
export type ExecutionTrace = {
  readonly messages: readonly TracedMessage[];
  readonly steps: readonly TracedStep[];
};

type OpenMessage = { readonly index: number; readonly message: Omit<TracedMessage, Ending> };
type Ending = "status" | "fault" | "output" | "gasUsed";

/** What one step takes of the budget, about, in bytes. */
const STEP_BYTES = 64;
const MESSAGE_BYTES = 512;

/** A tracer that keeps all of it; `trace` may be asked when the run has ended.
 * @param budget bytes that may be kept, roughly; more throws TraceTooLarge. */
export function createExecutionTracer(
  budget: TraceBudget,
): TransactionTracer & { readonly trace: () => ExecutionTrace } {
  const begun: (TracedMessage | undefined)[] = [];
  const steps: TracedStep[] = [];
  const open: OpenMessage[] = [];
  const onEnter = (entry: MessageEntry): void => {
    budget.take(MESSAGE_BYTES + entry.input.length + entry.code.length);
    const { kind, depth, from, to, value, gas } = entry;
    const input = entry.input.slice();
    const code = entry.code;
    const message = { kind, depth, from, to, value, gas, input, code, codeHash: keccak256(code) };
    const parent = open.at(-1)?.index;
    open.push({ index: begun.length, message: { ...message, parent, firstStep: steps.length } });
    begun.push(undefined);
  };
  const onLeave = ({ status, fault, output, gasLeft }: Outcome): void => {
    const ended = open.pop();
    if (ended === undefined) return;
    budget.take(output.length);
    const gasUsed = ended.message.gas - gasLeft;
    begun[ended.index] = { ...ended.message, status, fault, output: output.slice(), gasUsed };
  };
  const onStep = ({ programCounter, opcode, gasLeft }: Step): void => {
    budget.take(STEP_BYTES);
    steps.push({ message: open.at(-1)?.index ?? 0, programCounter, opcode, gasLeft });
  };
  return {
    observer: { onEnter, onLeave },
    onStep,
    finish: () => "null",
    trace: () => ({ messages: begun.filter((message) => message !== undefined), steps }),
  };
}
