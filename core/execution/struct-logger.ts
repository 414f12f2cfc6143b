import { type Address, hashFromWord, toHex, toHexDigits } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { describeOpcode, type FaultCode, type Fork, OP, type Step } from "@ostrom/vm";
import type { AppliedTransaction } from "./apply-transaction.ts";
import { describeFault } from "./fault-text.ts";
import type { TraceBudget } from "./trace-budget.ts";
import type { TracedTransaction, TransactionTracer } from "./tracer.ts";

/** What the struct logger writes of each step; geth's options. */
export type StructLoggerOptions = {
  readonly enableMemory: boolean;
  readonly disableStack: boolean;
  readonly disableStorage: boolean;
  readonly enableReturnData: boolean;
  /** The most steps that are written; 0: all. */
  readonly limit: number;
};

const WORD_BYTES = 32;

/** geth's default tracer: each instruction with the gas and the stack that it found. `storage` stands with SLOAD and SSTORE alone, and
 * holds all slots of the contract that the transaction has reached so far, with what is read or written now; `error` with instructions
 * that their gas or their stack forbade. Programs in WebAssembly and RISC-V have no steps.
 * Source: execution-apis, debug_traceTransaction ("opcode tracer"). */
export function createStructLogger(options: StructLoggerOptions, budget: TraceBudget): TransactionTracer {
  return new StructLogger(options, budget);
}

class StructLogger implements TransactionTracer {
  readonly #options: StructLoggerOptions;
  readonly #budget: TraceBudget;
  readonly #steps: string[] = [];
  readonly #storage = new Map<string, Map<string, string>>();
  #state: JournaledState | undefined;
  #fork: Fork | undefined;
  /** The step that runs: its text before and after what is known when it has run. */
  #pending:
    | { readonly head: string; readonly tail: string; readonly gas: bigint; readonly depth: number }
    | undefined;
  /** What the frame was left by a CALL or CREATE. */
  #senderGasLeft: bigint | undefined;

  constructor(options: StructLoggerOptions, budget: TraceBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  begin({ state, fork }: TracedTransaction): void {
    this.#state = state;
    this.#fork = fork;
  }

  readonly observer: TransactionTracer["observer"] = {
    onEnter: ({ senderGasLeft }) => {
      this.#senderGasLeft = senderGasLeft;
    },
    onLeave: () => {},
    onStepEnd: (gasLeft, fault) => this.#endStep(gasLeft, fault),
  };

  readonly onStep = (step: Step): void => {
    this.#senderGasLeft = undefined;
    const { limit } = this.#options;
    if (limit > 0 && this.#steps.length >= limit) return;
    const { programCounter, opcode, gasLeft, depth } = step;
    const name = describeOpcode(opcode, this.#fork);
    const op = name.startsWith("0x") ? `opcode ${name} not defined` : name;
    const head = `{"pc":${programCounter},"op":"${op}","gas":${gasLeft},"gasCost":`;
    this.#pending = { head, tail: this.#describe(step), gas: gasLeft, depth };
  };

  finish({ gasUsed, succeeded, fault, output }: AppliedTransaction): string {
    const returned = fault === undefined ? toHex(output) : "0x";
    return `{"gas":${gasUsed},"failed":${!succeeded},"returnValue":"${returned}","structLogs":[${this.#steps.join(",")}]}`;
  }

  #endStep(gasLeft: bigint, fault: FaultCode | undefined): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const cost = pending.gas - (this.#senderGasLeft ?? gasLeft);
    const error = isOfCharge(fault) ? `,"error":${JSON.stringify(describeFault(fault))}` : "";
    const text = `${pending.head}${cost},"depth":${pending.depth}${error}${pending.tail}}`;
    this.#budget.take(text.length);
    this.#steps.push(text);
  }

  /** What the step finds, which it goes on to change. */
  #describe(step: Step): string {
    const { enableMemory, disableStack, enableReturnData } = this.#options;
    let text = "";
    if (!disableStack) text += `,"stack":[${step.stack.map((word) => `"0x${word.toString(16)}"`).join(",")}]`;
    if (enableReturnData && step.returnData.length > 0) text += `,"returnData":"${toHex(step.returnData)}"`;
    if (enableMemory && step.memory.size > 0) text += this.#memoryText(step);
    text += this.#storageText(step);
    const refund = this.#state?.refund() ?? 0n;
    return refund === 0n ? text : `${text},"refund":${refund}`;
  }

  #memoryText({ memory: { bytes, size } }: Step): string {
    // Before it is written out: a step may show megabytes that it did not pay for.
    this.#budget.take(2 * size);
    const digits = toHexDigits(bytes.subarray(0, size));
    const words: string[] = [];
    for (let i = 0; i < digits.length; i += 2 * WORD_BYTES)
      words.push(`"0x${digits.slice(i, i + 2 * WORD_BYTES)}"`);
    return `,"memory":[${words.join(",")}]`;
  }

  #storageText({ opcode, stack, address }: Step): string {
    const isRead = opcode === OP.SLOAD && stack.length >= 1;
    const isWrite = opcode === OP.SSTORE && stack.length >= 2;
    if (this.#options.disableStorage || !(isRead || isWrite)) return "";
    const slot = stack.at(-1)!;
    const value = isWrite ? stack.at(-2)! : (this.#state?.storage(address, slot) ?? 0n);
    const slots = this.#slotsOf(address);
    slots.set(toHex(hashFromWord(slot)), toHex(hashFromWord(value)));
    return `,"storage":{${[...slots].map(([key, word]) => `"${key}":"${word}"`).join(",")}}`;
  }

  #slotsOf(address: Address): Map<string, string> {
    const key = toHexDigits(address);
    const known = this.#storage.get(key);
    if (known !== undefined) return known;
    const slots = new Map<string, string>();
    this.#storage.set(key, slots);
    return slots;
  }
}

/** Those that geth finds before it runs an instruction; what an instruction itself comes to, it does not tell of a step. */
function isOfCharge(fault: FaultCode | undefined): fault is FaultCode {
  return fault === "vm/out-of-gas" || fault === "vm/stack-underflow" || fault === "vm/stack-overflow";
}
