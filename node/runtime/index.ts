export {
  DEFAULT_CONFIGURATION,
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  type NodeConfiguration,
} from "./configuration.ts";
export {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DerivedAccount,
  deriveAccounts,
  developmentAddresses,
  isDevelopmentMnemonic,
} from "./dev-accounts.ts";
export { type ConsensusKey, EpochSets, type NodeKeys } from "./epoch-sets.ts";
export type { ExecutedHead, Execution, ExecutionReport, OrderedInput } from "./execution-port.ts";
export { Executor } from "./executor.ts";
export { type ReplayedJournal, replayJournal } from "./journal-records.ts";
export { installNativeCrypto } from "./native-crypto.ts";
export { startNode } from "./node.ts";
export { CLIENT_VERSION } from "./node-assembly.ts";
export { NodeCore } from "./node-core.ts";
export type { NodeCoreOptions, NodeListener } from "./node-core-options.ts";
export { addConsensusKey, consensusKey, type NewConsensusKey } from "./node-keys.ts";
export type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
export type { Clock, DurableLog, Entropy, Log, LogLevel, Ports } from "./ports.ts";
export { powConfig } from "./pow-config.ts";
export { PowCore } from "./pow-core.ts";
export type { PowCoreOptions, PowListener } from "./pow-core-options.ts";
export type { UnwindingExecution } from "./pow-execution.ts";
export { type Miner, type MiningJob, NO_MINER } from "./pow-miner.ts";
export { localPowParameters, sharedPowParameters, targetFor } from "./pow-parameters.ts";
export {
  type JoiningKeys,
  type NetworkPlan,
  provisionJoiner,
  provisionNetwork,
  type ValidatorPlan,
} from "./provision.ts";
export { type PublicKeys, readPublicKeys } from "./public-keys.ts";
export { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
export { type CheckedSender, checkSenders, type SignatureChecker } from "./signature-checker.ts";
export { consensusSet } from "./validator-sets.ts";
export { type Seat, type Sign, type VotedMark, VoteJournal } from "./vote-journal.ts";
