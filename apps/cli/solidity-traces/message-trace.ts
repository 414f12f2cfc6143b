import type { Address, Bytes } from "@ostrom/base";

/** How a message ended. */
export type MessageExit =
  | "success"
  | "revert"
  | "out-of-gas"
  | "invalid-opcode"
  | "code-too-large"
  /** Another fault: stack, jump, static violation, depth, balance. */
  | "fault";

/** A message of a transaction, with what it ran, in order: program counters of instructions, and the messages that these
 * sent. A message follows the instruction that sent it at once. */
export type MessageTrace = {
  readonly kind: "call" | "create" | "precompile";
  /** 0: the transaction's own. */
  readonly depth: number;
  /** Where the code came from: of a delegated call, not the account that it runs for. undefined for a create. */
  readonly codeAddress: Address | undefined;
  /** What ran: deployed code, or init code with its arguments. */
  readonly code: Bytes;
  readonly callData: Bytes;
  readonly value: bigint;
  readonly exit: MessageExit;
  readonly returnData: Bytes;
  readonly steps: readonly (number | MessageTrace)[];
};
