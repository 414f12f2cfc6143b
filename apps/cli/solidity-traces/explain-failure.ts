import type { ExecutionTrace } from "@ostrom/execution";
import type { CodeRegistry } from "./code-registry.ts";
import { messageTree } from "./message-tree.ts";
import { failureMessage, stackLines } from "./stack-text.ts";
import { stackTrace } from "./stack-trace.ts";

/** What is said of a failure: the message of the JSON-RPC error, and the lines of the stack, innermost first. */
export type SolidityFailure = { readonly message: string; readonly stack: readonly string[] };

/** Tells in Solidity's terms why a transaction or call failed.
 * @returns undefined if it did not, or nothing is known of it. */
export function explainFailure(trace: ExecutionTrace, registry: CodeRegistry): SolidityFailure | undefined {
  const tree = messageTree(trace);
  if (tree === undefined) return undefined;
  const stack = stackTrace(tree, registry.identify);
  return stack.length === 0 ? undefined : { message: failureMessage(stack), stack: stackLines(stack) };
}
