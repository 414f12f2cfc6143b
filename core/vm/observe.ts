import { type Address, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import type { CallName } from "./calls.ts";
import type { CallRequest, CreateRequest } from "./enter.ts";
import type { Entered } from "./entered.ts";
import { type Frame, gasLeft, type Machine } from "./frame.ts";
import type { FaultCode, Message, Outcome } from "./types.ts";

/** How a message came to be: the instruction that sent it, or CALL or CREATE of a transaction. */
export type MessageKind = CallName | "CREATE" | "CREATE2";

/** A message that begins, also one that runs no code (a transfer, a precompile) or is refused at once. */
export type MessageEntry = {
  readonly kind: MessageKind;
  /** 1 for the transaction's own. */
  readonly depth: number;
  /** Who sends it: the account whose code runs, also for DELEGATECALL. */
  readonly from: Address;
  /** Whose code is called, or where the contract will be. undefined: the creation was refused before there was an address. */
  readonly to: Address | undefined;
  /** For DELEGATECALL, that of the message that sends it; undefined for STATICCALL. */
  readonly value: bigint | undefined;
  readonly gas: bigint;
  /** Call data, or init code. May lie in memory that changes when the message has ended. */
  readonly input: Bytes;
  /** What is to run, after delegation (EIP-7702): empty where nothing or a precompile does. */
  readonly code: Bytes;
  /** What the sending instruction leaves its frame, before a creation passes gas on; undefined for the transaction's own. */
  readonly senderGasLeft: bigint | undefined;
};

/** Watches a message and all that its code sends; the reference runs what is observed. What it is shown is the engine's own
 * and goes on changing: copy what is kept, change nothing. What it throws ends the run, whose state is then worthless. */
export type MessageObserver = {
  readonly onEnter: (entry: MessageEntry) => void;
  /** The message that began last, of those that have not ended, ends; its state changes are undone already if it failed. */
  readonly onLeave: (outcome: Outcome) => void;
  /** An instruction has run, after `onStep`: or has failed, then with its fault. A CALL or CREATE has run when the message that it
   * sends has begun.
   * @param gasLeft of the frame; negative where what was asked of it is more than it had. */
  readonly onStepEnd?: (gasLeft: bigint, fault: FaultCode | undefined) => void;
  /** A contract gives away its balance and ends. */
  readonly onSelfDestruct?: (contract: Address, beneficiary: Address, balance: bigint) => void;
};

export function tellCall(machine: Machine, frame: Frame, name: CallName, request: CallRequest): void {
  const { observer } = machine.context;
  if (observer === undefined) return;
  observer.onEnter({
    kind: name,
    depth: request.depth + 1,
    from: frame.address,
    to: request.codeAddress,
    value: name === "STATICCALL" ? undefined : request.value,
    gas: request.gas,
    input: request.input,
    code: request.code,
    senderGasLeft: gasLeft(frame),
  });
}

/** @param address undefined: the creation is refused. @param passedOn gas that it was given, taken from the frame already. */
export function tellCreate(
  machine: Machine,
  frame: Frame,
  kind: "CREATE" | "CREATE2",
  { value, initCode }: Pick<CreateRequest, "value" | "initCode">,
  address: Address | undefined,
  passedOn: bigint,
): void {
  const { observer } = machine.context;
  if (observer === undefined) return;
  observer.onEnter({
    kind,
    depth: frame.depth + 2,
    from: frame.address,
    to: address,
    value,
    gas: passedOn,
    input: initCode,
    code: address === undefined ? EMPTY_BYTES : initCode,
    senderGasLeft: gasLeft(frame) + passedOn,
  });
}

/** The transaction's own message. @param to where it goes, or where the contract will be. */
export function tellMessage(
  machine: Machine,
  { caller, value, gas, data, to: recipient }: Message,
  to: Address | undefined,
  code: Bytes,
): void {
  const kind = recipient === undefined ? "CREATE" : "CALL";
  machine.context.observer?.onEnter({
    kind,
    depth: 1,
    from: caller,
    to,
    value,
    gas,
    input: data,
    code,
    senderGasLeft: undefined,
  });
}

/** Tells of the end of a message that had nothing to run. */
export function tellIfDone(machine: Machine, entered: Entered): Entered {
  if (entered.kind === "done") machine.context.observer?.onLeave(entered.outcome);
  return entered;
}

export function tellLeave(machine: Machine, outcome: Outcome): void {
  machine.context.observer?.onLeave(outcome);
}
