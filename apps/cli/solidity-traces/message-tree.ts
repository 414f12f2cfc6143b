import type { ExecutionTrace, TracedMessage } from "@ostrom/execution";
import type { MessageExit, MessageTrace } from "./message-trace.ts";

/** A message that could not begin: its sender goes on as if it had not tried. */
const REFUSALS: readonly (string | undefined)[] = [
  "vm/insufficient-balance",
  "vm/depth-exceeded",
  "vm/nonce-exhausted",
];

type Growing = MessageTrace & { readonly steps: (number | MessageTrace)[] };

/** The messages of a traced transaction, each with what it ran.
 * @returns the transaction's own; undefined if nothing ran. */
export function messageTree({ messages, steps }: ExecutionTrace): MessageTrace | undefined {
  const nodes = messages.map(nodeOf);
  let next = 0;
  const beginUntil = (step: number): void => {
    for (; next < messages.length; next++) {
      const message = messages[next];
      const node = nodes[next];
      if (message === undefined || node === undefined || message.firstStep > step) return;
      if (message.parent !== undefined && !REFUSALS.includes(message.fault))
        nodes[message.parent]?.steps.push(node);
    }
  };
  for (const [at, { message, programCounter }] of steps.entries()) {
    beginUntil(at);
    nodes[message]?.steps.push(programCounter);
  }
  beginUntil(steps.length);
  return nodes[0];
}

function nodeOf(message: TracedMessage): Growing {
  const isCreation = message.kind === "CREATE" || message.kind === "CREATE2";
  const isPrecompile = message.fault === "vm/precompile-failed";
  return {
    kind: isCreation ? "create" : isPrecompile ? "precompile" : "call",
    depth: message.depth - 1,
    codeAddress: isCreation ? undefined : message.to,
    code: message.code,
    callData: message.input,
    value: message.value ?? 0n,
    exit: exitOf(message),
    returnData: message.output,
    steps: [],
  };
}

function exitOf({ status, fault }: TracedMessage): MessageExit {
  if (status !== "fault") return status;
  if (fault === "vm/out-of-gas") return "out-of-gas";
  if (fault === "vm/invalid-opcode") return "invalid-opcode";
  return fault === "vm/code-too-large" ? "code-too-large" : "fault";
}
