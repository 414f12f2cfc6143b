export { checksumAddress } from "@ostrom/rpc-schema";
export { DEVELOPMENT_MNEMONIC, type DevelopmentAccount, deriveDevelopmentAccounts } from "./accounts.ts";
export {
  DEFAULT_DEVELOPMENT,
  type DevelopmentNode,
  type DevelopmentOptions,
  startDevelopmentNode,
} from "./development-node.ts";
export { describeFailure, describePanic } from "./failure-text.ts";
export type {
  DevelopmentObserver,
  FailureExplanation,
  ObservedRun,
  RunMessage,
} from "./observation.ts";
export type { TransactionOrder } from "./pending-pool.ts";
export { CONSOLE_ADDRESS } from "./watched-run.ts";
