export {
  type AccountRole,
  type BlockParameter,
  checksumAddress,
  createAccountToken,
  createSecretToken,
  DEFAULT_TOKEN_SECONDS,
  type Decoder,
  executionReverted,
  invalidParams,
  type Json,
  LATEST,
  MAX_TOKEN_SECONDS,
  type ObserverFilter,
  optional,
  type Parameter,
  parameterTypes,
  quantity,
  RpcError,
  required,
  serverError,
} from "@ostrom/rpc";
export { type BackupOutcome, type BackupRequest, makeBackup } from "./backup.ts";
export type { BackupManifest } from "./backup-manifest.ts";
export { type BatchCheck, type CheckedBatch, checkBatch } from "./batch-check.ts";
export { type BatchLimits, DEFAULT_BATCH_LIMITS, type TransportKey } from "./batch-ports.ts";
export { BARE_PROGRAM, ChainNeedError, type Installed } from "./chain-needs.ts";
export {
  addCheckpointKey,
  checkpointKeyHashOf,
  readCheckpointSecrets,
  type StoredCheckpointKey,
} from "./checkpoint-keys.ts";
export {
  CONFIGURATION_FILE,
  DEFAULT_CONFIGURATION,
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  GENESIS_FILE,
  type NodeConfiguration,
  readConfiguration,
} from "./configuration.ts";
export {
  type ConsensusSecret,
  createConsensusSecret,
  type PublicKey,
  publicKeyOfSecret,
  schemeOfSecret,
} from "./consensus-secret.ts";
export {
  DEVELOPMENT_ACCOUNT_COUNT,
  DEVELOPMENT_BALANCE,
  DEVELOPMENT_MNEMONIC,
  type DerivedAccount,
  deriveAccounts,
  developmentAddresses,
  isDevelopmentMnemonic,
} from "./dev-accounts.ts";
export { type DevelopmentKey, developmentKeys } from "./development-keys.ts";
export { isBootstrapAddress } from "./discovery-configuration.ts";
export { type DiskRoom, describeRoom, diskRoom, hasRoomAgain } from "./disk-watch.ts";
export { type ConsensusKey, EpochSets, type NodeKeys } from "./epoch-sets.ts";
export type { ExecutedHead, Execution, ExecutionReport, OrderedInput } from "./execution-port.ts";
export { Executor } from "./executor.ts";
export { assembleGenesis, type GenesisPlan, type NetworkModules } from "./genesis-assembly.ts";
export { type ReplayedJournal, replayJournal } from "./journal-records.ts";
export type { LinkPolicy, LinkRole } from "./link-policy.ts";
export { machineClock } from "./machine.ts";
export {
  type CommandInput,
  type Flag,
  type ModuleAccess,
  type ModuleAuthority,
  type ModuleCall,
  type ModuleCommand,
  type ModuleKey,
  type ModuleManifest,
  type ModuleMethod,
  type ModuleParticipant,
  type ModuleReads,
  type ModuleSettings,
  type ModuleSettingsRequest,
  type ModuleTerminal,
  type SentCall,
  type ServiceContext,
  type ServiceModule,
  UsageError,
  type Values,
} from "./module-face.ts";
export { ModuleKeyError, moduleKeyPath, readModuleKey } from "./module-keys.ts";
export {
  importChainModules,
  importServiceModule,
  importServiceModules,
  ModuleError,
} from "./module-loading.ts";
export { defineModuleMethod } from "./module-rpc.ts";
export { installNativeCrypto } from "./native-crypto.ts";
export { startNode } from "./node.ts";
export { CLIENT_VERSION } from "./node-assembly.ts";
export { NodeCore } from "./node-core.ts";
export type { NodeCoreOptions, NodeListener } from "./node-core-options.ts";
export {
  addConsensusKey,
  consensusKey,
  KEYS_FOLDER,
  type NewConsensusKey,
  readSecrets,
  writeSecret,
} from "./node-keys.ts";
export type { BlockNotice, NodeOverrides, RunningNode } from "./node-options.ts";
export { DATA_FOLDER } from "./opened-database.ts";
export { OperatorLog } from "./operator-log.ts";
export {
  type LogStep,
  OPERATOR_LOG_FILE,
  type OperatorRecord,
  readOperatorLog,
} from "./operator-log-format.ts";
export { readOperatorSecret } from "./operator-secret.ts";
export {
  describeParticipant,
  type ParticipantFile,
  participantFingerprint,
  readParticipant,
} from "./participant.ts";
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
  provisionMachine,
  provisionNetwork,
  readGenesis,
  type ValidatorPlan,
} from "./provision.ts";
export { type PublicKeys, readPublicKeys } from "./public-keys.ts";
export { type RecoveredChain, recoverChain } from "./recovered-chain.ts";
export { type RemoteSignerSettings, readConsensusSecrets, useRemoteSigner } from "./remote-signer.ts";
export {
  type RemoteSignerServer,
  type RemoteSignerServerOptions,
  type SignerKey,
  startRemoteSigner,
} from "./remote-signer-server.ts";
export { type RestoreOutcome, restoreBackup } from "./restore.ts";
export { type CheckedSender, checkSenders, type SignatureChecker } from "./signature-checker.ts";
export { StrangerSync, type StrangerSyncPorts } from "./stranger-sync.ts";
export { consensusSet } from "./validator-sets.ts";
export { type Seat, type Sign, type VotedMark, VoteJournal } from "./vote-journal.ts";
