import { executeMessage as executeInReference } from "./execute-message.ts";
import type { ExecutionContext, Message, Outcome } from "./types.ts";

/** Runs a message; every engine gives the same outcome and leaves the same state. */
export type MessageEngine = (context: ExecutionContext, message: Message) => Outcome;

let installed: MessageEngine = executeInReference;

/** Runs all messages from now on with another engine, or with the reference again. Which one it is cannot be observed but
 * in time. */
export function installMessageEngine(engine: MessageEngine = executeInReference): void {
  installed = engine;
}

/** Runs a message, and all the messages that its code sends, on the context's state: with the engine that is installed, or
 * the reference (execute-message.ts). */
export function executeMessage(context: ExecutionContext, message: Message): Outcome {
  return installed(context, message);
}
