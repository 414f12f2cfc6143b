export { type CodeRegistry, createCodeRegistry } from "./code-registry.ts";
export { explainFailure, type SolidityFailure } from "./explain-failure.ts";
export type { MessageExit, MessageTrace } from "./message-trace.ts";
export { messageTree } from "./message-tree.ts";
export type { FailureCause, SourceReference, StackEntry } from "./stack-entry.ts";
export { failureMessage, stackLines } from "./stack-text.ts";
export { type IdentifyCode, stackTrace } from "./stack-trace.ts";
